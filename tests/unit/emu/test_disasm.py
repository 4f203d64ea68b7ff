"""Instructions as text."""

import pytest

from emu.disasm import instruction_at


@pytest.mark.parametrize(
    ("mode", "code", "text"),
    [
        ("x86_32", "cd80", "int 0x80"),
        ("x86_32 compat", "8b4508", "mov eax, dword ptr [ebp + 8]"),
        ("x86_64", "0f05", "syscall"),
        ("ppc32", "44000002", "sc"),
        ("ppc64", "e8630008", "ld r3, 8(r3)"),
        ("x86_64", "0f0b", "ud2"),
        ("ppc32", "00000000", "(00000000)"),
        ("x86_64", "", "(no code)"),
    ],
)
def test_one_instruction(mode: str, code: str, text: str) -> None:
    got = instruction_at(mode, bytes.fromhex(code), 0x1000)
    assert got.replace(", ", ",") == text.replace(", ", ",")
