"""Head comments are understood, and bad ones are refused with a sentence."""

from pathlib import Path

import pytest

from guests.stories import ARCHES, Story, StoryError, all_stories, find_story, parse_story

PATH = Path("topic/story.c")


def parse(body: str) -> Story:
    lines = "".join(f" * {line}".rstrip() + "\n" for line in body.split("\n"))
    return parse_story(PATH, f"/* Says something.\n *\n{lines} */\nint main(void) {{}}\n")


def test_defaults() -> None:
    story = parse_story(PATH, "/* Says nothing. */\n")
    assert story == Story(path=PATH, summary="Says nothing.")
    assert (story.name, story.arches, story.exits) == ("topic/story", ARCHES, 0)
    assert story.builds == ("freestanding",)
    assert story.agrees("") and not story.agrees("x")


def test_every_key() -> None:
    story = parse(
        "arches: ppc32 ppc64\ncr: at-points\nlibc: both\nexits: 3\nneeds: altivec\n"
        "args: a 'b c' ''\nstdin:\n    in\n\n    put\nprints:\n    one\n      two\n\n    three"
    )
    assert story.summary == "Says something."
    assert story.arches == ("ppc32", "ppc64")
    assert (story.cr, story.never_because) == (("at-points",), None)
    assert story.builds == ("freestanding", "hosted")
    assert (story.exits, story.needs, story.args) == (3, ("altivec",), ("a", "b c", ""))
    assert story.stdin == "in\n\nput\n"
    assert story.prints == "one\n  two\n\nthree\n"


def test_one_line_values_and_patterns() -> None:
    assert parse("prints: hello").prints == "hello\n"
    story = parse("prints-like: (tick\\n){2,3}done\\n")
    assert story.agrees("tick\ntick\ndone\n") and not story.agrees("tick\ndone\n")


def test_never_says_why() -> None:
    story = parse("cr: never (a benchmark)")
    assert (story.cr, story.never_because) == ((), "a benchmark")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("colour: red", "no key is called 'colour'"),
        ("exits: 1\nexits: 2", "exits is said twice"),
        ("exits: 256", "'256' is not an exit status"),
        ("arches: vax", "arches: 'vax' is not one of x86_32"),
        ("libc: none musl", "libc: say none, musl or both"),
        ("cr: sometimes", "cr: 'sometimes' is not one of"),
        ("cr: never", "cr: never: say why"),
        ("needs: avx", "needs: 'avx' is not one of"),
        ("prints: a\nprints-like: b", "exclude each other"),
        ("exits: 1\nmore words", "'more words' is no key"),
    ],
)
def test_bad_comment(body: str, sentence: str) -> None:
    with pytest.raises(StoryError, match=sentence) as caught:
        parse(body)
    assert str(PATH) in str(caught.value)


def test_no_comment_or_empty_comment() -> None:
    with pytest.raises(StoryError, match="does not begin with a C comment"):
        parse_story(PATH, "int main(void) {}\n")
    with pytest.raises(StoryError, match="does not say what the story is"):
        parse_story(PATH, "/*\n * exits: 0\n */\n")


def test_all_stories_are_good_and_sorted() -> None:
    stories = all_stories()
    names = [story.name for story in stories]
    assert names == sorted(names) and "basics/counter" in names and len(names) >= 20
    assert find_story("basics/counter") in stories
    for story in stories:
        assert story.prints or story.prints_like, f"{story.name} promises no text"


def test_unknown_story() -> None:
    with pytest.raises(StoryError, match="there is no such story"):
        find_story("basics/nothing")
