"""The report of a sweep: as text, JSON, JUnit's XML and HTML. Pure functions of a `Report`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from xml.etree import ElementTree

from cr.testing.evidence import repeat_command
from cr.testing.sweep import Failure, Findings, Segment, Straight

_STYLE = (
    "body{font-family:sans-serif;max-width:60em;margin:2em auto}pre{background:#eee;padding:1em}"
)


@dataclass
class Report:
    """A whole sweep, or a shard of it."""

    segment: Segment
    straight: Straight
    findings: Findings
    seconds: float
    kept: dict[int, Path] = field(default_factory=dict)
    """Where the evidence of a divergence lies, by place."""

    @property
    def command(self) -> str:
        """The sweep itself."""
        return self.segment.subject.command("sweep", "--every", str(self.segment.every))

    @property
    def refused(self) -> int:
        """How many places were refused."""
        return sum(map(len, self.findings.refusals.values()))

    @property
    def rate(self) -> float:
        """Places per second."""
        return self.findings.places / self.seconds if self.seconds else 0.0

    @property
    def summary(self) -> str:
        """One line."""
        found = self.findings
        text = (
            f"{found.places} places, {found.restarted} restarted, {len(found.failures)} "
            f"divergences, {self.refused} refused ({self.rate:.0f} places/s)"
        )
        return text + ("; given up after these" if found.given_up else "")


def as_text(report: Report) -> str:
    """For a terminal."""
    straight = report.straight
    lines = [
        f"{report.command}",
        f"{straight.arch}: {straight.calls} system calls, {straight.units // 4} ns, "
        f"exit status {straight.status}, images up to {report.findings.image_bytes} bytes",
        report.summary,
    ]
    for sentence, places in report.findings.refusals.items():
        lines.append(f"refused {len(places)} times, first at place {places[0]}: {sentence}")
    for failure in report.findings.failures:
        lines += ["", *_failure_lines(report, failure)]
    return "\n".join(lines) + "\n"


def _failure_lines(report: Report, failure: Failure) -> list[str]:
    lines = [f"place {failure.place}, {_WHEN[failure.when]}, at {failure.clock_ns} ns:"]
    lines += ["  " + line for line in failure.divergence.lines()]
    if failure.place in report.kept:
        lines.append(f"  kept in {report.kept[failure.place]}")
    lines.append(f"  repeat: {repeat_command(report.segment, failure.place)}")
    return lines


_WHEN = {
    "checkpoint": "the checkpoint failed",
    "restart": "the restarted kernel is another one",
    "run": "the restarted kernel went another way",
}


def as_json(report: Report) -> str:
    """For programs."""
    found = report.findings
    value = {
        "command": report.command,
        "arch": report.straight.arch,
        "calls": report.straight.calls,
        "status": report.straight.status,
        "seed": report.segment.subject.schedule_seed,
        "chaos": report.segment.subject.chaos,
        "places": found.places,
        "restarted": found.restarted,
        "refused": found.refusals,
        "given_up": found.given_up,
        "seconds": round(report.seconds, 3),
        "divergences": [
            {
                "place": failure.place,
                "when": failure.when,
                "clock_ns": failure.clock_ns,
                "first": vars(failure.divergence.first),
                "report": list(failure.divergence.lines()),
                "repeat": repeat_command(report.segment, failure.place),
                "kept": str(report.kept.get(failure.place, "")),
            }
            for failure in found.failures
        ],
    }
    return json.dumps(value, indent=1) + "\n"


def as_junit(report: Report) -> str:
    """JUnit's XML: a case for each divergence and refusal, and one for all other places."""
    found = report.findings
    good = found.places - report.refused - len({failure.place for failure in found.failures})
    suite = ElementTree.Element(
        "testsuite",
        name=_clean(report.command),
        tests=str(len(found.failures) + len(found.refusals) + 1),
        failures=str(len(found.failures)),
        errors="0",
        skipped=str(len(found.refusals)),
        time=f"{report.seconds:.3f}",
    )
    program = _clean(report.segment.subject.program)
    where = {"classname": f"cr.sweep.{report.straight.arch}.{Path(program).name}", "time": "0"}
    seconds = where | {"time": f"{report.seconds:.3f}"}
    ElementTree.SubElement(suite, "testcase", seconds, name=f"{good} places restarted, all equal")
    for failure in found.failures:
        case = ElementTree.SubElement(suite, "testcase", where, name=f"place {failure.place}")
        problem = ElementTree.SubElement(
            case, "failure", message=_clean(f"{failure.divergence.first}")
        )
        problem.text = _clean("\n".join(_failure_lines(report, failure)))
    for sentence, places in found.refusals.items():
        case = ElementTree.SubElement(
            suite, "testcase", where, name=f"{len(places)} places refused"
        )
        ElementTree.SubElement(case, "skipped", message=_clean(sentence))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _clean(text: str) -> str:
    # XML has no place for most control characters.
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def as_html(report: Report) -> str:
    """One page that needs nothing else."""
    parts = [
        f"<!doctype html><meta charset=utf-8><title>cr sweep</title><style>{_STYLE}</style>",
        f"<h1>{escape(report.summary)}</h1><p><code>{escape(report.command)}</code></p>",
        f"<p>{escape(as_text(report).splitlines()[1])}</p>",
    ]
    if report.findings.refusals:
        parts.append("<h2>Refused</h2><table><tr><th>times<th>first at<th>reason")
        for sentence, places in report.findings.refusals.items():
            parts.append(f"<tr><td>{len(places)}<td>{places[0]}<td>{escape(sentence)}")
        parts.append("</table>")
    for failure in report.findings.failures:
        head, *lines = _failure_lines(report, failure)
        parts.append(f"<h2>{escape(head)}</h2><pre>{escape(chr(10).join(lines))}</pre>")
    return "\n".join(parts) + "\n"


FORMATS: dict[str, Callable[[Report], str]] = {
    ".txt": as_text,
    ".json": as_json,
    ".xml": as_junit,
    ".html": as_html,
}
"""How a report is written, by the end of the file's name."""
