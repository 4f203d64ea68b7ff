"""Imports go down."""

from tests.house.floors import ROOMS, floor_violations, room_of
from tests.house.source import all_sources, snippet


def test_imports_go_down() -> None:
    assert floor_violations(all_sources()) == []


def test_every_allowed_room_exists() -> None:
    for name, room in ROOMS.items():
        assert room.may_import <= ROOMS.keys(), name


def test_longest_name_decides_the_room() -> None:
    assert room_of("emu.layout") == "emu.layout"
    assert room_of("emu.machine") == "emu"
    assert room_of("cr.image.stream") == "cr.image"
    assert room_of("cr.pipe") == "cr"
    assert room_of("os.path") is None


def complain(path: str, text: str) -> list[str]:
    others = [
        snippet("cr/pipe.py", ""),
        snippet("emu/layout.py", ""),
        snippet("emu/machine.py", ""),
    ]
    return floor_violations([snippet(path, text), *others])


def test_upstairs() -> None:
    expected = ["kernel_model.pipe imports cr.pipe, which is upstairs"]
    assert complain("kernel_model/pipe.py", "from cr.pipe import PipeEnd\n") == expected
    assert complain("kernel_model/pipe.py", "from cr import pipe\n") == expected
    assert complain("kernel_model/pipe.py", "import cr.pipe\n") == expected


def test_what_a_room_must_not_know() -> None:
    assert complain("cr/tools/info.py", "from kernel_model.task import Task\n") == [
        "cr.tools.info imports kernel_model.task, which it must not know"
    ]
    assert complain("cr/memory.py", "from emu import machine\n") == [
        "cr.memory imports emu.machine, which it must not know"
    ]
    assert complain("emu/layout.py", "import emu.machine\n") == [
        "emu.layout imports emu.machine, which it must not know"
    ]


def test_type_checking_and_late_imports_count() -> None:
    checking = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import cr.pipe\n"
    late = "def f():\n    from cr.pipe import PipeEnd\n"
    dynamic = "import importlib\nimportlib.import_module('cr.pipe')\n"
    for text in (checking, late, dynamic):
        assert complain("emu/elf.py", text) == ["emu.elf imports cr.pipe, which is upstairs"]


def test_down_is_allowed() -> None:
    assert complain("cr/pipe.py", "from emu.layout import u32\nfrom emu import layout\n") == []
    assert complain("kernel_model/exec.py", "from emu.elf import read\nimport os\n") == []
    assert complain("cr/cli/main.py", "import guests.stories, kernel_model.kernel\n") == []
    assert complain("cr/tools/view.py", "from emu.disasm import lines\n") == []


def test_tests_are_not_part_of_the_product() -> None:
    assert complain("cr/testing/plugin.py", "import tests.harness\n") == [
        "cr.testing.plugin imports tests.harness, which is upstairs"
    ]
