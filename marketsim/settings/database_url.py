"""The address of a database, whose password is nobody's to see."""

from __future__ import annotations

import re

# strict, so that no part of a password can be taken for a host, a port or a name, which are shown
_HOST = r"(?:\[[^\s@/?#\[\]]*\]|[^\s:@/?#,\[\]]*)(?::[0-9]+)?"
_ADDRESS = re.compile(
    r"(?P<scheme>postgres(?:ql)?://)(?:(?P<user>[^\s:@/?#]*)(?P<password>:[^\s@/?#]*)?@)?"
    rf"(?P<place>{_HOST}(?:,{_HOST})*(?:/[^\s@/?#]*)?)(?:\?[^\s@#]*)?"
)
_NOT_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")


def without_password(url: str) -> str:
    """`url` of a PostgreSQL database as it may be shown, also without its parameters; ValueError where it is none."""
    parts = _ADDRESS.fullmatch(url)
    if parts is None or _NOT_ENCODED.search(url):
        raise ValueError(
            "must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE, other signs in its parts written as %40 for @"
        )
    user = "" if parts["user"] is None else f"{parts['user']}{':***' if parts['password'] else ''}@"
    return f"{parts['scheme']}{user}{parts['place']}"
