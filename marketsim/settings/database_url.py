"""The address of a database, with its password hidden."""

from __future__ import annotations

import os
import re

# strict, so that no part of a password can be taken for a host, a port or a name, which are shown
_HOST = r"(?:\[[^\s@/?#\[\]]*\]|[^\s:@/?#,\[\]]*)(?::[0-9]+)?"
_ADDRESS = (
    r"(?P<scheme>postgres(?:ql)?://)(?:(?P<user>[^\s:@/?#]*)(?P<password>:[^\s@/?#]*)?@)?"
    rf"(?P<place>{_HOST}(?:,{_HOST})*(?:/[^\s@/?#]*)?)(?:\?[^\s@#]*)?"
)
_NOT_ENCODED = r"%(?![0-9A-Fa-f]{2})|%00"


# anything that may be an address with a password, or a parameter that is one; what help says is neither, nor what is
# hidden already
_SECRET = (
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?!USER:PASSWORD@)(?![^\s@/:]*:\*{3}@[^\s@]*(?:\s|$))[^\s@/]*:[^\s]*@"
    r"|(?P<name>\b(?:ssl)?passw(?:or)?d\s*=\s*)(?P<quote>['\"]?)[^\s&'\"]+(?P=quote)"
)


def has_password(text: str) -> bool:
    """Whether `text` seems to contain a password, of a database or any other address."""
    return _may_hold_a_password(text) and bool(
        re.search(_SECRET, text, re.IGNORECASE)
        or re.search(r"postgres(?:ql)?://(?!USER:PASSWORD@)[^/]*:.*@", text, re.IGNORECASE | re.DOTALL)
    )


def redacted(text: str) -> str:
    """`text` without what seems to be a password in it."""
    if not _may_hold_a_password(text):
        return text
    return re.sub(
        _SECRET,
        lambda match: f"{match['scheme']}***@" if match["scheme"] else f"{match['name']}***",
        text,
        flags=re.IGNORECASE,
    )


def _may_hold_a_password(text: str) -> bool:
    """Whether the expressions have anything to look for: they take longer to compile than most commands to read."""
    return "://" in text or "passw" in text.casefold()


def without_secret(url: str) -> str:
    """`url` of a PostgreSQL database without its password, as it may be sent to others.

    >>> without_secret("postgresql://trader:secret@db/forecasts?sslmode=require&password=secret")
    'postgresql://trader@db/forecasts?sslmode=require'
    """
    address, _, parameters = re.sub(r"(//[^\s:@/?#]*):[^\s@/?#]*@", r"\1@", url).partition("?")
    kept = [
        parameter
        for parameter in parameters.split("&")
        if parameter and not re.match(r"(?:ssl)?passw(?:or)?d=", parameter)
    ]
    return f"{address}?{'&'.join(kept)}" if kept else address


def with_own_password(url: str) -> str:
    """The URL in this process's `MARKETSIM_CACHE_URL` where it is of the same database; else `url`, for ~/.pgpass."""
    own = os.environ.get("MARKETSIM_CACHE_URL", "")
    return own if without_secret(own) == url else url


def without_password(url: str) -> str:
    """`url` of a PostgreSQL database as it may be shown, also without its parameters; ValueError where it is none."""
    parts = re.fullmatch(_ADDRESS, url)
    if parts is None or re.search(_NOT_ENCODED, url):
        raise ValueError(
            "must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE, other signs in its parts written as %40 for @"
        )
    user = "" if parts["user"] is None else f"{parts['user']}{':***' if parts['password'] else ''}@"
    return f"{parts['scheme']}{user}{parts['place']}"
