"""The table of `cr matrix`: as text, JSON and HTML. Pure functions of its rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from cr.generations import LAST
from cr.testing.matrix import RESTARTS, Row

_STYLE = (
    "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.4em;text-align:left;vertical-align:top}"
    ".yes{background:#dfd}.no{background:#fdd;font-size:smaller}"
)
_GAP = 2


def as_text(name: str, rows: Sequence[Row]) -> str:
    """For a terminal: a line for each kernel, a column for each image; then the reasons.

    Images of older trees are in a table of their own.
    """
    reasons: list[str] = []
    last = [row for row in rows if row.origin.abi == LAST.name]
    older = [row for row in rows if row not in last]
    text = [f"{name}: images of the middle of its run, by the kernel that made them"]
    for some in filter(None, (last, older)):
        text += ["", *_table(some, reasons)]
    done = sum(not cell.reason for row in rows for cell in row.cells)
    text += ["", f"{done} restart: the rest of the output and the exit status are the same"]
    text += [f"({number}) {reason}" for number, reason in enumerate(reasons, 1)]
    return "\n".join(line.rstrip() for line in text) + "\n"


def _table(rows: Sequence[Row], reasons: list[str]) -> list[str]:
    """Its lines; reasons that are new are appended."""
    corner = "restarted on"
    lines = [[corner, *(row.origin.label for row in rows)]]
    for place, kernel in enumerate(cell.kernel for cell in rows[0].cells):
        line = [kernel.label]
        for row in rows:
            cell = row.cells[place]
            if not cell.reason:
                line.append(RESTARTS)
                continue
            if cell.reason not in reasons:
                reasons.append(cell.reason)
            line.append(f"no ({reasons.index(cell.reason) + 1})")
        lines.append(line)
    widths = [max(map(len, column)) + _GAP for column in zip(*lines)]
    return ["".join(cell.ljust(width) for cell, width in zip(line, widths)) for line in lines]


def as_json(name: str, rows: Sequence[Row]) -> str:
    """For programs."""
    value = {
        "program": name,
        "rows": [
            {
                "image_of": row.origin.label,
                "kernel": row.origin.kernel,
                "program": row.origin.program,
                "calls": row.calls,
                "abi": row.origin.abi,
                "taken_after": row.calls // 2,
                "cells": [
                    {
                        "kernel": cell.kernel.label,
                        "arch": cell.kernel.arch,
                        "cpu_features": cell.kernel.cpu_features,
                        "release": cell.kernel.uname,
                        "abi": cell.kernel.abi,
                        "outcome": cell.outcome,
                        "reason": cell.reason,
                    }
                    for cell in row.cells
                ],
            }
            for row in rows
        ],
    }
    return json.dumps(value, indent=1) + "\n"


def as_html(name: str, rows: Sequence[Row]) -> str:
    """One page that needs nothing else: a row for each image, the reasons in the cells."""
    parts = [
        f"<!doctype html><meta charset=utf-8><title>cr matrix</title><style>{_STYLE}</style>",
        f"<h1>Which kernel restarts an image of {escape(name)}</h1>",
        "<table><tr><th>image of",
        *(f"<th>{escape(cell.kernel.label)}" for cell in rows[0].cells),
    ]
    for row in rows:
        parts.append(f"<tr><th>{escape(row.origin.label)}")
        for cell in row.cells:
            kind = "no" if cell.reason else "yes"
            parts.append(f"<td class={kind}>{escape(cell.reason or RESTARTS)}")
    return "\n".join([*parts, "</table>"]) + "\n"
