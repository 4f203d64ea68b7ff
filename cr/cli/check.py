"""`cr sweep` and `cr verify`: from options to what is to be checked."""

from __future__ import annotations

from typing import Any

from cr.cli.failure import Failure
from cr.testing.subject import Subject


def sweep_program(program: str, arguments: tuple[str, ...], **given: Any) -> int:
    """Sweep a program; the exit status."""
    from cr.cli.sweep import Plan, sweep
    from cr.testing.places import Every

    names = ("jobs", "shard", "only", "keep", "reports")
    chosen = {name: given.pop(name) for name in names}
    places = given.pop("every") or Every()
    subject = _subject(program, arguments, given)
    if chosen["only"] is not None and (chosen["shard"] or chosen["jobs"]):
        raise Failure("--only is one place: --shard and --jobs make no sense with it")
    options = {name: value for name, value in chosen.items() if value is not None}
    return sweep(Plan(subject=subject, every=places, **options))


def verify_program(program: str, arguments: tuple[str, ...], **given: Any) -> int:
    """Verify a program; the exit status."""
    from cr.cli.verify import verify

    return verify(_subject(program, arguments, given))


def _subject(program: str, arguments: tuple[str, ...], given: dict[str, Any]) -> Subject:
    if given["chaos"] and given["seed"] is None:
        given["seed"] = 0
    memory, max_time = given.pop("memory"), given.pop("max_time")
    options: dict[str, Any] = {
        "schedule_seed": given.pop("seed"),
        "random_seed": given.pop("random_seed"),
        "memory_bytes": memory << 20 if memory is not None else None,
        "max_time_ns": max_time,
        **given,
    }
    kept = {name: value for name, value in options.items() if value is not None}
    return Subject(program=program, arguments=arguments, **kept)
