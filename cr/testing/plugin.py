"""The pytest plugin: a program under checkpoint/restart on each arch, without root.

    @pytest.mark.cr_arch("x86_64", "ppc32")
    def test_counter(machine, guest_cc, cr_cycle):
        machine.spawn(guest_cc("counter.c"), "3")
        machine.console.expect("2\\n")
        cr_cycle()
        assert machine.run() == 0
        assert machine.console.text == "1\\n2\\n3\\n"

`machine` is one per arch of the marker (all four without it). `cr_every("syscall")`, or the option
--cr-every, makes `run` check the rest of the program at every place, as `cr sweep` does it.
`image_snapshot` compares an image, told in words, with a text file beside the test.
A failure tells the seed and the command that repeats it.

Nothing heavy is imported before a test asks for a fixture: the plugin is loaded in every pytest.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cr.testing.bench import Machine

ARCHES = ("x86_32", "x86_64", "ppc32", "ppc64")
_MARKERS = (
    "cr_arch(*names): the arches of the machine; all four without it",
    "cr_every(place): check a run at every place: syscall, syscall:N, block:N, time:T",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, all of them beginning with --cr-."""
    group = parser.getgroup("linux-cr")
    group.addoption(
        "--cr-seed", type=int, metavar="N", help="chaos in the guests' machines, by this seed"
    )
    group.addoption("--cr-every", metavar="PLACE", help="check every run at every place")
    group.addoption("--cr-keep-images", metavar="DIR", help="keep the images of failing tests")
    group.addoption(
        "--cr-update-images", action="store_true", help="write the snapshots of images anew"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known, for --strict-markers."""
    for line in _MARKERS:
        config.addinivalue_line("markers", line)
    seed, place = config.getoption("cr_seed"), config.getoption("cr_every")
    if seed is not None and not 0 <= seed < 1 << 64:
        raise pytest.UsageError(f"--cr-seed: {seed} is not from 0 to 2**64 - 1")
    if place is not None:
        try:
            _check_place("--cr-every", place)
        except ValueError as problem:
            raise pytest.UsageError(str(problem)) from None


def _check_place(who: str, place: object) -> None:
    from cr.testing.places import every

    try:
        every(str(place))
    except ValueError as problem:
        raise ValueError(f"{who}: {problem}") from None


def _check_markers(definition: pytest.Item) -> None:
    """What the markers of a test say. Raises ValueError with a sentence."""
    arches, place = map(definition.get_closest_marker, ("cr_arch", "cr_every"))
    for name in arches.args if arches is not None else ():
        if name not in ARCHES:
            raise ValueError(f"cr_arch: {name!r} is none of {', '.join(ARCHES)}")
    if arches is not None and arches.kwargs:
        raise ValueError("cr_arch takes names of arches, and nothing else")
    if place is not None:
        if len(place.args) != 1 or place.kwargs:
            raise ValueError("cr_every takes one place, such as 'syscall', and nothing else")
        _check_place("cr_every", place.args[0])


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each arch that the marker names.

    As a mark that the test might have itself: so what a test says about its own `machine` goes
    before ours, and a fixture or a parameter of that name that is not ours stays as it is.
    """
    try:
        _check_markers(metafunc.definition)
    except ValueError as problem:
        name = metafunc.definition.name
        raise pytest.Collector.CollectError(f"{name}: {problem}") from None
    marker = metafunc.definition.get_closest_marker("cr_arch")
    if "machine" not in metafunc.fixturenames or marker is None or not marker.args:
        return
    if not any(_names_machine(mark) for mark in metafunc.definition.iter_markers("parametrize")):
        metafunc.definition.add_marker(
            pytest.mark.parametrize("machine", marker.args, indirect=True)
        )


def _names_machine(mark: pytest.Mark) -> bool:
    names = mark.args[0] if mark.args else mark.kwargs.get("argnames", ())
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",")]
    return "machine" in names


@pytest.fixture(params=ARCHES)
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A machine of the arch that the test is about."""
    from cr.testing.bench import Machine
    from cr.testing.places import every

    marker = request.node.get_closest_marker("cr_every")
    place = request.config.getoption("cr_every") or (marker.args[0] if marker else None)
    made = Machine(
        request.param,
        seed=request.config.getoption("cr_seed"),
        every=every(place) if place else None,
    )
    request.node._cr_machine = made
    yield made
    made.power_off()


@pytest.fixture
def cr_cycle(machine: Machine) -> Callable[[], None]:
    """Checkpoint, reboot, restart; the restarted machine must be what the old one was."""
    return machine.cycle


@pytest.fixture
def guest_cc(machine: Machine, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """Compile C for the machine: a file beside the test, or a text; the path of the program."""
    from guests.toolchain import build

    def compile_(source: str | Path, *, freestanding: bool = False) -> Path:
        path = Path(source) if "\n" not in str(source) else tmp_path / "guest.c"
        if "\n" in str(source):
            path.write_text(str(source))
        elif not path.is_absolute():
            path = request.path.parent / path
        target = tmp_path / machine.arch / path.stem
        target.parent.mkdir(exist_ok=True)
        return build(path, machine.arch, target, freestanding, story_only=False)

    return compile_


@pytest.fixture
def image_snapshot(request: pytest.FixtureRequest) -> Callable[[bytes, str], None]:
    """Compare an image, in words, with NAME.txt in the folder `images` beside the test."""
    from cr.tools.image_bytes import Image
    from cr.tools.info import render

    def compare(image: bytes, name: str) -> None:
        target = request.path.parent / "images" / f"{name}.txt"
        text = render(Image(image).summary)
        if request.config.getoption("cr_update_images"):
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")
            return
        if not target.exists():
            pytest.fail(f"{target} is not there; --cr-update-images writes it", pytrace=False)
        assert text == target.read_text(encoding="utf-8"), f"{target} says something else"

    return compare


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    """After a failure: the seed, the command that repeats it, and the image if it is wanted."""
    outcome: Any = yield
    report = outcome.get_result()
    made: Machine | None = getattr(item, "_cr_machine", None)
    if made is None or not report.failed or call.when != "call":
        return
    words = ["pytest", item.nodeid]
    for name in ("cr_seed", "cr_every"):
        value = item.config.getoption(name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    lines = [f"seed {made.seed}", f"repeat: {shlex.join(words)}"]
    folder = item.config.getoption("cr_keep_images")
    if folder is not None and made.image is not None:
        target = Path(folder) / f"{item.nodeid.replace('/', '_')}.img"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(made.image)
            lines.append(f"the last image: {target}")
        except OSError as error:
            lines.append(f"the last image is lost: {target}: {error.strerror}")
    report.sections.append(("linux-cr", "\n".join(lines)))
