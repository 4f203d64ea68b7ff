"""busybox on all four modes: applets as natively (under qemu-user on PowerPC), and a pipeline of
four processes that is checkpointed, rebooted and restarted on its way.

On x86 it is Debian's static one; for PowerPC, which Debian has no binaries of, it is built from
Debian's source.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.harness.debian import busybox_for
from tests.harness.native import RUNNERS
from tests.harness.real import make_root, native, restarted, run

pytestmark = [pytest.mark.real, pytest.mark.slow]
MODES = ("x86_32", "x86_64", "ppc32", "ppc64")

APPLETS = [
    "awk '{ s += $2 } END { print s, NR }' fruit", "basename /a/b.c .c", "cal 3 2011", "cat fruit",
    "cksum numbers", "cmp fruit fruit2; echo $?", "comm sorted sorted2", "cut -d' ' -f2 fruit",
    "dd if=numbers bs=7 skip=3 count=5 2>/dev/null", "diff fruit fruit2", "dirname /a/b.c",
    "du -a sub | $BB sort -k2 | $BB cut -f2", "echo -e 'a\\tb'", "env -i A=1 $BB env",
    "expand tabs",
    "expr length abcdef", "factor 1234567890", "false; echo $?", "find sub | $BB sort",
    "fold -w 5 fruit",
    "grep -n apple fruit", "gzip -c fruit | $BB gunzip -c", "head -n 3 numbers",
    "hexdump -C fruit", "md5sum numbers", "mkdir -p tmp/x/y; $BB ls -R tmp/x; $BB rm -r tmp/x",
    "nl fruit", "od -c fruit", "paste fruit fruit2", "printf '%05d %s\\n' 42 x", "pwd >/dev/null",
    "readlink sub/b", "rev fruit", "sed -n 's/a/A/gp' fruit", "seq -s, 1 2 19",
    "sha1sum numbers", "sha256sum numbers", "sha512sum fruit", "sort -k2 -n fruit",
    "split -l 100 numbers tmp/part; $BB cat tmp/partab | $BB wc; $BB rm tmp/part*",
    "stat -c '%s %F %n' fruit", "strings numbers | $BB tail -n 2", "sum numbers", "tac fruit",
    "tail -n 4 numbers", "tar -cf - sub | $BB tar -tf - | $BB sort", "tee /dev/null < fruit",
    "test 3 -gt 2 && echo yes", "timeout 5 $BB echo in time",
    "touch tmp/t; $BB ls tmp; $BB rm tmp/t",
    "tr a-z A-Z < fruit", "true; echo $?", "unexpand -a tabs", "uniq -c sorted",
    "uuencode x < fruit",
    "wc fruit numbers", "xargs -n 2 $BB echo < fruit", "xxd fruit", "yes | $BB head -n 2",
    "ash -c 'echo $((6 * 7))'", "bc -e '2^64' </dev/null", "base64 fruit", "crc32 fruit",
]  # fmt: skip
"""Each is given to busybox's shell after `$BB`."""

PIPELINE = (
    "$BB cat numbers | $BB sort -k3 -n -r | $BB sed 's/line/row/' | "
    "$BB awk '{ n += $1 } END { print NR, n; print $0 }'"
)


@pytest.fixture(scope="module", params=MODES)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """(mode, a folder with files and /bin/busybox)."""
    mode = request.param
    program = busybox_for(mode)
    if program is None:
        pytest.skip(f"busybox for {mode} is not here")
    root = make_root(tmp_path_factory.mktemp(mode))
    shutil.copy(program, root / "bin" / "busybox")
    (root / "sub").mkdir()
    (root / "sub" / "a").write_text("a\n")
    (root / "sub" / "b").symlink_to("a")
    (root / "fruit").write_text("pear 3\napple 10\nfig 2\napple 2\n")
    (root / "fruit2").write_text("pear 3\napple 11\nfig 2\n")
    (root / "sorted").write_text("a\na\nb\nc\n")
    (root / "sorted2").write_text("a\nb\nd\n")
    (root / "tabs").write_text("a\tb\n        c\n")
    (root / "numbers").write_text("".join(f"{k} line {k * k}\n" for k in range(300)))
    return mode, root


def _script(program: str, commands: list[str]) -> str:
    lines = [f"BB='{program}'"]
    for number, command in enumerate(commands):
        lines += [f"echo '== {number}'", f"$BB {command}", 'echo "-- $?"']
    return "\n".join(lines) + "\n"


def test_applets(place: tuple[str, Path]) -> None:
    mode, root = place
    runner = " ".join(RUNNERS[mode])
    if runner and shutil.which(RUNNERS[mode][0]) is None:
        pytest.skip(f"{RUNNERS[mode][0]} is not installed")
    program = f"{root}/bin/busybox"
    (root / "script").write_text(_script(f"{runner} {program}".strip(), APPLETS))
    status, stdout = native([*RUNNERS[mode], program, "sh", "script"], root)
    (root / "script").write_text(_script("/bin/busybox", APPLETS))
    ran = run(mode, root, ["/bin/busybox", "sh", "/script"])
    truth, ours = (text.split(b"== ") for text in (stdout, ran.console))
    assert len(truth) == len(ours) == len(APPLETS) + 1
    different = [
        (APPLETS[number], expected, got)
        for number, (expected, got) in enumerate(zip(truth[1:], ours[1:]))
        if expected != got
    ]
    if runner:
        # qemu-user itself ends two of them by a signal; what it did not finish is no truth.
        killed = [one for one in different if one[1].endswith((b"-- 134\n", b"-- 139\n"))]
        assert len(killed) <= 2
        different = [one for one in different if one not in killed]
    assert not different
    assert ran.status == status
    assert not ran.not_modelled
    found = sum(b"applet not found" not in piece and b"-- 127" not in piece for piece in truth)
    assert found >= 40


def test_pipeline_of_four_restarted(place: tuple[str, Path]) -> None:
    mode, root = place
    words = ["/bin/busybox", "sh", "-c", "BB=/bin/busybox; " + PIPELINE]
    straight = run(mode, root, words)
    assert (straight.status, straight.console) == (0, b"300 44850\n0 row 0\n")
    restarted(mode, root, words, straight, cycles=16)
