from __future__ import annotations

import pytest

from marketsim.settings.database_url import has_password, redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("'postgresql://me:s3cret@host/db' is not a symbol", "'postgresql://***@host/db' is not a symbol"),
        ("POSTGRES://ME:S3CRET@HOST", "POSTGRES://***@HOST"),
        ("postgresql://me:s3/c@ret@host/db", "postgresql://***@host/db"),
        ("at tcp://me:s3cret@10.0.0.1:8786.", "at tcp://***@10.0.0.1:8786."),
        ("postgresql:///db?user=me&password=s3cret&x=1", "postgresql:///db?user=me&password=***&x=1"),
        ("host=h password = 's3cret' dbname=d", "host=h password = *** dbname=d"),
    ],
)
def test_what_seems_to_be_a_password_is_not_shown(text, shown):
    assert has_password(text)
    assert redacted(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE, other signs in its parts written as %40 for @",
        "tcp://10.0.0.1:8786",
        "postgresql://me@host:5432/db",
        "https://example.com/a@b",
        "C:\\bars\\ETHUSD.csv",
        "NeoQuasar/Kronos-small@main",
    ],
)
def test_other_addresses_are(text):
    assert not has_password(text)
    assert redacted(text) == text
