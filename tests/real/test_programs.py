"""Debian's dash, bash-static and sqlite3 on both x86 modes: as on the host, also when restarted.

sqlite3 is linked dynamically and brings its own ld.so; in the middle of its transaction its
journal is on the disk, and must be found again by a kernel that never saw it opened. It locks by
making a folder (`unix-dotfile`), on the host too.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.harness.debian import busybox, copy_libraries, program
from tests.harness.real import make_root, native, restarted, run

pytestmark = [pytest.mark.real, pytest.mark.slow]
ARCHITECTURES = {"amd64": "x86_64", "i386": "x86_32"}
LIBRARIES = {
    "sqlite3": ("libc.so.6", "libm.so.6", "libsqlite3.so.0", "libreadline.so.8", "libtinfo.so.6",
                "libz.so.1"),
    "dash": ("libc.so.6",),
    "bash-static": (),
}  # fmt: skip
PLACES = {"sqlite3": "usr/bin/sqlite3", "dash": "bin/dash", "bash-static": "bin/bash-static"}
POSIX = """
fact() { if [ "$1" -le 1 ]; then echo 1; else echo $(( $1 * $(fact $(( $1 - 1 ))) )); fi; }
trap 'echo got USR1' USR1
trap 'echo bye $?' EXIT
for n in 1 3 5; do fact $n; done
case abc in a*) echo case;; esac
( cd /; set -- a 'b c' d; echo $# "$2"; exit 3 ); echo status $?
kill -USR1 $$
x=$(echo one; echo two); echo "$x" | while read -r line; do echo "<$line>"; done
cat <<END
here $((6 * 7)) ${y:-default} ${#x}
END
sh -c 'exit 4' & wait $!; echo waited $?
echo out 1>&2 2>/dev/null; umask 027; umask
exit 5
"""
BASH = (
    POSIX.replace("exit 5", "")
    + """
a=(one two "three four"); echo ${#a[@]} "${a[2]}" "${a[@]:1:1}"
declare -A m=([k]=v [l]=w); echo ${m[k]} ${m[l]}
[[ abc =~ ^a(.)c$ ]] && echo ${BASH_REMATCH[1]}
printf '%05d|%-4s|%q\\n' 42 ab 'c d'
coproc cat; echo through >&${COPROC[1]}; read -r word <&${COPROC[0]}; echo $word
exec {COPROC[1]}>&-; wait
for ((i = 0; i < 3; i++)); do echo -n $i; done; echo
exit 5
"""
)
SQL = """
create table t(a integer primary key, b text, c real);
begin;
with recursive n(k) as (select 1 union all select k + 1 from n where k < 10000)
  insert into t select k, printf('row %05d', k), k / 7.0 from n;
select count(*), sum(a), max(b) from t;
create index i on t(b);
commit;
update t set c = c * 2 where a % 10 = 0;
begin; delete from t where a > 9000; rollback;
select count(*), round(sum(c), 3), min(b) from t;
pragma integrity_check;
"""


def _root(architecture: str, name: str, folder: Path) -> Path:
    found, shell = program(architecture, PLACES[name]), busybox(architecture)
    make_root(folder)
    if found is None or not copy_libraries(architecture, folder, LIBRARIES[name]):
        pytest.skip(f"{name} of {architecture} is not here")
    shutil.copy(found, folder / "bin" / name)
    if shell is not None:
        for link in ("sh", "cat"):
            shutil.copy(shell, folder / "bin" / link)
    return folder


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(("name", "script"), [("dash", POSIX), ("bash-static", BASH)])
def test_shell(architecture: str, name: str, script: str, tmp_path: Path) -> None:
    root, arch = _root(architecture, name, tmp_path), ARCHITECTURES[architecture]
    (root / "script").write_text(script)
    own = program("amd64", PLACES[name])
    assert own is not None
    truth = native([str(own), str(root / "script")], root)
    words = ["/bin/" + name, "/script"]
    straight = run(arch, root, words)
    assert (straight.status, straight.console) == truth
    assert not straight.not_modelled
    restarted(arch, root, words, straight, cycles=8)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_sqlite_in_a_transaction(architecture: str, tmp_path: Path) -> None:
    root, arch = _root(architecture, "sqlite3", tmp_path), ARCHITECTURES[architecture]
    (root / "sql").write_text(SQL)
    own = program("amd64", PLACES["sqlite3"])
    assert own is not None
    truth = native([str(own), "-vfs", "unix-dotfile", "-batch", "base", ".read sql"], root)
    (root / "base").unlink()
    assert truth[0] == 0 and truth[1].endswith(b"\nok\n")
    words = ["/bin/sqlite3", "-vfs", "unix-dotfile", "-batch", "/base", ".read /sql"]
    straight = run(arch, root, words)
    assert (straight.status, straight.console) == truth
    assert not straight.not_modelled
    restarted(arch, root, words, straight, cycles=6)
