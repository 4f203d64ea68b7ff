"""tar archives as plain values: headers and PAX records to bytes and back, the same bytes always.

Written are POSIX (PAX) archives: one ustar header for each member, and before it, when something
does not fit or has no field, a PAX header. Read are also the older long-name members of GNU tar.
Nothing here touches a file system; a hostile archive is a TarError with a sentence.

Mirrors: POSIX.1-2001 pax interchange format.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kernel_model.abi.time import NS_PER_S

BLOCK = 512
REGULAR, HARD_LINK, SYMLINK, CHARACTER, BLOCK_DEVICE, DIRECTORY, FIFO = "0123456"
GLOBAL, EXTENDED, GNU_NAME, GNU_LINK = "gxLK"
_FIELD_LIMIT = 0o7777777


class TarError(Exception):
    """These bytes are not an archive that can be read."""


@dataclass
class Member:
    """One entry of an archive. `pax` holds the records that have no header field."""

    name: bytes
    kind: str = REGULAR
    mode: int = 0
    uid: int = 0
    gid: int = 0
    mtime_s: int = 0
    link: bytes = b""
    device: tuple[int, int] = (0, 0)
    content: bytes = b""
    pax: dict[str, bytes] = field(default_factory=dict)


def pack(members: Iterator[Member]) -> Iterator[bytes]:
    """The bytes of an archive, piece by piece."""
    for member in members:
        extra = dict(member.pax)
        if member.kind == GLOBAL:
            yield _block(Member(b"pax_global_header", GLOBAL, content=_records(extra)))
            continue
        if len(member.name) > 100 or not member.name.isascii():
            extra["path"] = member.name
        if len(member.link) > 100 or not member.link.isascii():
            extra["linkpath"] = member.link
        for key, value in (("uid", member.uid), ("gid", member.gid)):
            if value > _FIELD_LIMIT:
                extra[key] = b"%d" % value
        if extra:
            yield _block(Member(b"pax_header", EXTENDED, content=_records(extra)))
        yield _block(member)
    yield bytes(2 * BLOCK)


def _records(pax: dict[str, bytes]) -> bytes:
    lines = []
    for key, value in sorted(pax.items()):
        rest = b" " + key.encode() + b"=" + value + b"\n"
        length = len(rest) + 1
        while length != len(rest) + len(str(length)):
            length = len(rest) + len(str(length))
        lines.append(str(length).encode() + rest)
    return b"".join(lines)


def _block(member: Member) -> bytes:
    def octal(value: int, width: int) -> bytes:
        return b"%0*o\0" % (width - 1, min(value, (1 << 3 * (width - 1)) - 1))

    major, minor = member.device
    header = b"".join(
        (
            member.name[:100].ljust(100, b"\0"),
            octal(member.mode, 8),
            octal(member.uid, 8),
            octal(member.gid, 8),
            octal(len(member.content), 12),
            octal(max(0, member.mtime_s), 12),
            b" " * 8,
            member.kind.encode(),
            member.link[:100].ljust(100, b"\0"),
            b"ustar\x0000",
            bytes(64),
            octal(major, 8),
            octal(minor, 8),
            bytes(167),
        )
    )
    checksum = b"%06o\0 " % sum(header)
    header = header[:148] + checksum + header[156:]
    return header + member.content + bytes(-len(member.content) % BLOCK)


def unpack(data: bytes) -> Iterator[Member]:
    """The members of an archive. Raises TarError."""
    offset = 0
    pax: dict[str, bytes] = {}
    while True:
        header = data[offset : offset + BLOCK]
        if len(header) < BLOCK:
            raise TarError(f"the archive is cut short at byte {offset}")
        if not any(header):
            return
        member, size = _member(header, offset)
        offset += BLOCK
        member.content = data[offset : offset + size]
        if len(member.content) < size:
            raise TarError(f"{member.name!r} is cut short at byte {offset}")
        offset += size + (-size % BLOCK)
        if member.kind == EXTENDED:
            pax.update(_parse_records(member.content))
        elif member.kind == GLOBAL:
            yield Member(b"", GLOBAL, pax=_parse_records(member.content))
        elif member.kind in (GNU_NAME, GNU_LINK):
            key = "path" if member.kind == GNU_NAME else "linkpath"
            pax[key] = member.content.rstrip(b"\0")
        else:
            yield _finished(member, pax)
            pax = {}


def _member(header: bytes, offset: int) -> tuple[Member, int]:
    def number(start: int, width: int) -> int:
        text = header[start : start + width].strip(b" \0")
        try:
            value = int(text or b"0", 8)
        except ValueError:
            raise TarError(f"{text!r} at byte {offset + start} is no octal number") from None
        if value < 0:
            raise TarError(f"a negative number at byte {offset + start}")
        return value

    def text(start: int, width: int) -> bytes:
        return header[start : start + width].partition(b"\0")[0]

    if number(148, 8) != sum(header[:148]) + sum(header[156:]) + 8 * 32:
        raise TarError(f"the header at byte {offset} has a wrong checksum")
    kind = header[156:157].decode("latin-1")
    name, prefix = text(0, 100), text(345, 155) if header[257:263] == b"ustar\0" else b""
    member = Member(
        prefix + b"/" + name if prefix else name,
        REGULAR if kind in "\0007" else kind,
        number(100, 8),
        number(108, 8),
        number(116, 8),
        number(136, 12),
        text(157, 100),
        (number(329, 8), number(337, 8)),
    )
    if member.kind not in "0123456gxLK":
        raise TarError(f"{member.name!r} has the unknown type {kind!r}")
    size = number(124, 12)
    return member, size if member.kind in "0gxLK" else 0


def _parse_records(content: bytes) -> dict[str, bytes]:
    records: dict[str, bytes] = {}
    while content:
        digits, space, _ = content.partition(b" ")
        if not space or not digits.isdigit() or len(digits) > 9:
            raise TarError(f"a PAX record begins with {digits[:20]!r}")
        record = content[len(digits) + 1 : int(digits)]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n") or int(digits) > len(content):
            raise TarError(f"a broken PAX record {record[:40]!r}")
        records[key.decode("utf-8", "surrogateescape")] = value[:-1]
        content = content[int(digits) :]
    return records


def _finished(member: Member, pax: dict[str, bytes]) -> Member:
    if any(key.startswith("GNU.sparse") or key == "size" for key in pax):
        raise TarError(f"{member.name!r} is sparse or has its size elsewhere")
    member.name = pax.pop("path", member.name)
    member.link = pax.pop("linkpath", member.link)
    member.uid = decimal(pax.pop("uid", b"%d" % member.uid))
    member.gid = decimal(pax.pop("gid", b"%d" % member.gid))
    major, minor = member.device
    if not (0 <= member.uid < 1 << 32 and 0 <= member.gid < 1 << 32):
        raise TarError(f"{member.name[:80]!r} belongs to {member.uid}:{member.gid}")
    if major >> 12 or minor >> 20 or member.mtime_s >> 33:
        raise TarError(f"{member.name[:80]!r} has a number that is too large")
    member.pax = pax
    return member


def decimal(text: bytes) -> int:
    """A number of a PAX record. Raises TarError."""
    if not text.removeprefix(b"-").isdigit() or len(text) > 30:
        raise TarError(f"{text[:40]!r} is no number")
    return int(text)


def time_ns(text: bytes) -> int:
    """A time of a PAX record, in nanoseconds. Raises TarError."""
    whole, _, fraction = text.partition(b".")
    seconds = decimal(whole)
    if fraction and not fraction.isdigit():
        raise TarError(f"{text[:40]!r} is no time")
    time = seconds * NS_PER_S + decimal(fraction[:9].ljust(9, b"0"))
    if abs(time) >> 63:
        raise TarError(f"{text[:40]!r} is no time")
    return time


def time_text(time: int) -> bytes:
    """Nanoseconds as a time of a PAX record."""
    seconds, fraction = divmod(time, NS_PER_S)
    return b"%d.%09d" % (seconds, fraction)
