"""Static programs of some twenty bytes of x86-64 code: for tests that are not about the CPU."""

import struct

EM_386, EM_PPC, EM_ARM, EM_X86_64 = 3, 20, 40, 62
BASE = 0x400000
_PT_LOAD, _PT_INTERP = 1, 3

_EXIT = bytes.fromhex("b83c000000 0f05")  # mov eax,60; syscall
EXIT_3 = bytes.fromhex("bf03000000") + _EXIT
EXIT_0 = bytes.fromhex("31ff") + _EXIT
SPIN = bytes.fromhex("ebfe")
PAUSE = bytes.fromhex("b822000000 0f05")
CRASH = bytes.fromhex("31c0 8a00")  # mov al,[0]
SLEEP_1_S = bytes.fromhex("6a00 6a01 4889e7 31f6 b823000000 0f05") + EXIT_0
NOT_MODELLED = bytes.fromhex("b865000000 0f05")  # ptrace


def say(text: bytes) -> bytes:
    """Code: push eight bytes of text and write them to stdout."""
    assert len(text) == 8
    return b"\x48\xb8" + text + bytes.fromhex("50 4889e6 ba08000000 b801000000 bf01000000 0f05")


def echo(count: int) -> bytes:
    """Code: read `count` bytes at a time and write them, until the end of the input."""
    read = bytes.fromhex("31c0 31ff 4889e6 ba") + struct.pack("<I", count) + b"\x0f\x05"
    write = bytes.fromhex("89c2 b801000000 bf01000000 0f05")
    body = read + bytes.fromhex("85c0 74") + bytes([len(write) + 2]) + write
    back = bytes([0xEB, 0x100 - len(body) - 2])
    return bytes.fromhex("4883ec40") + body + back + EXIT_0


def poll_then(code: bytes) -> bytes:
    """Code: poll(stdin, POLLIN) without an end, then `code`."""
    push_pollfd = bytes.fromhex("6a01 c7042400000000 c744240401000000")
    call = bytes.fromhex("4889e7 be01000000 baffffffff b807000000 0f05")
    return push_pollfd + call + code


def elf(
    code: bytes,
    *,
    machine: int = EM_X86_64,
    bits: int = 64,
    order: str = "<",
    interpreter: bytes = b"",
) -> bytes:
    """An executable whose only segment is the whole file."""
    header_bytes, phdr_bytes = (64, 56) if bits == 64 else (52, 32)
    count = 2 if interpreter else 1
    name = interpreter + b"\0" if interpreter else b""
    name_at = header_bytes + count * phdr_bytes
    entry = name_at + len(name)
    size = entry + len(code)
    ident = b"\x7fELF" + bytes([bits // 32, 1 if order == "<" else 2, 1]) + bytes(9)
    word = "Q" if bits == 64 else "I"
    header = ident + struct.pack(
        f"{order}HHI3{word}I6H",
        2, machine, 1, BASE + entry, header_bytes, 0, 0, header_bytes, phdr_bytes, count, 0, 0, 0,
    )  # fmt: skip

    def phdr(kind: int, offset: int, length: int) -> bytes:
        place = (offset, BASE + offset, BASE + offset, length, length)
        if bits == 64:
            return struct.pack(f"{order}II6Q", kind, 7, *place, 4096)
        return struct.pack(f"{order}8I", kind, *place, 7, 4096)

    table = phdr(_PT_INTERP, name_at, len(name)) if interpreter else b""
    return header + table + phdr(_PT_LOAD, 0, size) + name + code
