"""The house is tidy, and each rule finds what it is for."""

import pytest

from tests.house.source import all_sources, snippet
from tests.house.tidy import (
    RULES,
    Rule,
    file_is_short,
    functions_are_short,
    identity_has_one_door,
    names_have_a_noun,
    no_arch_in_conditions,
    no_print_below_the_commands,
    no_relative_imports,
    unicorn_has_one_door,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_is_tidy(rule: Rule) -> None:
    assert [complaint for source in all_sources() for complaint in rule(source)] == []


def complain(rule: Rule, path: str, text: str) -> list[str]:
    return list(rule(snippet(path, text)))


def test_long_file() -> None:
    assert complain(file_is_short, "emu/a.py", "x = 1\n" * 600) == []
    assert complain(file_is_short, "emu/a.py", "x = 1\n" * 601) == [
        "emu/a.py has 601 lines; 600 are allowed"
    ]


def test_long_function() -> None:
    assert complain(functions_are_short, "emu/a.py", "def f():\n" + "    x = 1\n" * 59) == []
    assert complain(functions_are_short, "emu/a.py", "def f():\n" + "    x = 1\n" * 60) == [
        "emu/a.py:1 f has 61 lines; 60 are allowed"
    ]
    method = "class C:\n    async def g(self):\n" + "        x = 1\n" * 60
    assert len(complain(functions_are_short, "emu/a.py", method)) == 1


def test_relative_import() -> None:
    assert complain(no_relative_imports, "emu/a.py", "from emu import b\n") == []
    assert complain(no_relative_imports, "emu/a.py", "from . import b\n") == [
        "emu/a.py:1 a relative import"
    ]


@pytest.mark.parametrize("path", ["emu/utils.py", "cr/pipe_helpers.py", "cr/common/x.py"])
def test_name_without_a_noun(path: str) -> None:
    assert len(complain(names_have_a_noun, path, "")) == 1
    assert complain(names_have_a_noun, "emu/memory.py", "") == []


def test_print_and_logging() -> None:
    rule = no_print_below_the_commands
    assert complain(rule, "cr/pipe.py", "print(1)\n") == [
        "cr/pipe.py:1 print below cr/cli: use the trace"
    ]
    assert complain(rule, "emu/a.py", "show = print\n") != []
    assert complain(rule, "emu/a.py", "from logging import info\n") != []
    assert complain(rule, "cr/cli/main.py", "print(1)\n") == []
    assert complain(rule, "emu/a.py", "self.print(1)\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "if arch == 'x86_32': pass\n",
        "y = 1 if task.abi is abis.PPC64 else 2\n",
        "while machine.powerpc: pass\n",
        "z = [a for a in b if a.i386]\n",
        "match arch:\n    case 'ppc32': pass\n",
        "if a:\n    pass\nelif b == 'AMD64':\n    pass\n",
    ],
)
def test_arch_in_a_condition(text: str) -> None:
    assert len(complain(no_arch_in_conditions, "kernel_model/signals.py", text)) == 1
    assert complain(no_arch_in_conditions, "kernel_model/arch/ppc32.py", text) == []


def test_arch_in_a_table_is_fine() -> None:
    text = "TABLE = {'x86_32': f, 'ppc64': g}\nif arch not in TABLE: raise KeyError\n"
    assert complain(no_arch_in_conditions, "kernel_model/signals.py", text) == []


@pytest.mark.parametrize("text", ["import unicorn\n", "from unicorn.x86_const import *\n"])
def test_unicorn(text: str) -> None:
    assert complain(unicorn_has_one_door, "emu/machine.py", text) == [
        "emu/machine.py:1 imports unicorn; only emu/unicorn_cpu.py may"
    ]
    assert complain(unicorn_has_one_door, "emu/unicorn_cpu.py", text) == []


def test_id() -> None:
    text = "key = id(thing)\n"
    assert complain(identity_has_one_door, "cr/pipe.py", text) == [
        "cr/pipe.py:1 id() outside cr/objhash.py"
    ]
    assert complain(identity_has_one_door, "cr/pipe.py", "x = sorted(y, key=id)\n") != []
    assert complain(identity_has_one_door, "cr/objhash.py", text) == []
    assert complain(identity_has_one_door, "cr/pipe.py", "pid = x.id\n") == []
