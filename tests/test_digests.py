"""The digests that come without OpenSSL are those that hashlib gives."""

from __future__ import annotations

import hashlib

from marketsim.digests import blake2b, sha256


def test_digests_are_those_of_hashlib():
    content = bytes(range(256)) * 33
    assert sha256(content).hexdigest() == hashlib.sha256(content).hexdigest()
    for size in (8, 20, 64):
        assert blake2b(content, digest_size=size).digest() == hashlib.blake2b(content, digest_size=size).digest()
