"""Lua 5.4 with its authors' own test suite, on all four modes, and Lua restarted in the middle.

The suite runs in the mode that its authors call portable (`_U`): without their debug library. It
is built with musl, which takes the name of every locale for C: the suite is told that it has no
others, as its tests allow.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.harness.debian import BUILT, built
from tests.harness.real import make_root, restarted, run

pytestmark = [pytest.mark.real, pytest.mark.slow]
MODES = ("x86_32", "x86_64", "ppc32", "ppc64")
PRELUDE = """
local set = os.setlocale
os.setlocale = function (name, kind)
  if name == nil or name == "" or name == "C" or name == "POSIX" then return set(name, kind) end
end
_U = true
"""
COROUTINES = """
local file = assert(io.open("/tmp/numbers", "w+"))
local function producer(from, to)
  return coroutine.wrap(function () for n = from, to do coroutine.yield(n) end end)
end
local first, second, third = producer(1, 60), producer(101, 160), io.lines("/story.lua")
local sum = 0
for k = 1, 60 do
  local a, b = first(), second()
  sum = sum + a * b
  file:write(string.format("%d %d %.17g\\n", a, b, math.sin(a) / b)); file:flush()
  if k % 10 == 0 then print(k, sum, third()) end
end
local read = io.open("/tmp/numbers")
local lines, text = 0, ""
for line in read:lines() do lines = lines + 1; text = text .. line end
local checksum = 0
for position = 1, #text do checksum = (checksum * 31 + text:byte(position)) % 4294967296 end
file:seek("set", 10); print(lines, #text, checksum, file:read("l"))
local ok, message = pcall(function () error({code = 7}) end)
print(ok, message.code, collectgarbage("count") > 0, os.remove("/tmp/numbers"))
"""


@pytest.fixture(params=MODES)
def lua(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """(mode, root with /bin/lua, /tests and the story)."""
    program = built(request.param, "lua")
    if program is None or not (BUILT / "lua-tests").is_dir():
        pytest.skip(f"Lua was not built for {request.param}")
    make_root(tmp_path)
    shutil.copy(program, tmp_path / "bin" / "lua")
    shutil.copytree(BUILT / "lua-tests", tmp_path, dirs_exist_ok=True)
    (tmp_path / "prelude.lua").write_text(PRELUDE)
    (tmp_path / "story.lua").write_text(COROUTINES)
    return request.param, tmp_path


def test_its_own_suite(lua: tuple[str, Path]) -> None:
    arch, root = lua
    ran = run(arch, root, ["/bin/lua", "-l", "prelude", "/all.lua"])
    assert ran.status == 0, ran.console[-2000:]
    assert b"\nfinal OK !!!\n" in ran.console
    assert not ran.not_modelled


def test_coroutines_and_open_files_restarted(lua: tuple[str, Path]) -> None:
    arch, root = lua
    words = ["/bin/lua", "/story.lua"]
    straight = run(arch, root, words)
    assert straight.status == 0 and straight.console.count(b"\n") == 8
    assert straight.console.startswith(b"10\t")
    restarted(arch, root, words, straight, cycles=12)
