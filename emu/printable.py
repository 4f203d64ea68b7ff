"""A guest's bytes in a sentence of ours.

Names of files and programs are the guest's choice; printed as they are they could move the cursor
of the terminal that shows the sentence, or colour it.
"""

from __future__ import annotations


def printable(content: bytes) -> str:
    """Text up to its first zero; what is no text or no visible character is escaped."""
    text = content.split(b"\0")[0].decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
