"""Shared words, and numbers of things in sentences."""

from __future__ import annotations

LOOK_AHEAD = "LOOK-AHEAD"  # before all that a model earned that was caught


def visible(text: str) -> str:
    r"""The text with what cannot be seen spelt out: controls, escapes, and marks that turn the direction of writing.

    >>> visible("a\u202eb\x1b[31m")
    'a\\u202eb\\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c in "\n\t" else ascii(c)[1:-1] for c in text)


def number_of(count: int, thing: str) -> str:
    """A count and what is counted.

    >>> number_of(1, "bar"), number_of(1200, "bar")
    ('1 bar', '1,200 bars')
    """
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def in_words(value: object) -> str:
    """A value of a setting as it is written, a list with commas; `-` for None.

    >>> in_words([-0.03, 0.03]), in_words(True), in_words(None)
    ('-0.03, 0.03', 'true', '-')
    """
    if isinstance(value, list):
        return ", ".join(map(in_words, value))
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
