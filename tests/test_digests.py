"""The digests that come without OpenSSL are those that hashlib gives."""

from __future__ import annotations

import hashlib

from marketsim.digests import BLOCK, add_contents, blake2b, of_files, sha256


def test_digests_are_those_of_hashlib():
    content = bytes(range(256)) * 33
    assert sha256(content).hexdigest() == hashlib.sha256(content).hexdigest()
    for size in (8, 20, 64):
        assert blake2b(content, digest_size=size).digest() == hashlib.blake2b(content, digest_size=size).digest()


def test_a_file_in_blocks_has_the_digest_of_its_whole(tmp_path):
    content = bytes(range(250)) * (2 * BLOCK // 250 + 7)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(content)
    digest = blake2b(digest_size=32)
    with (tmp_path / "in" / "a").open("rb") as file:
        assert add_contents(digest, file) == len(content) > 2 * BLOCK
    assert digest.hexdigest() == hashlib.blake2b(content, digest_size=32).hexdigest()
    named = hashlib.blake2b(f"in/a\0{len(content)}\0".encode() + content, digest_size=20)
    assert of_files(tmp_path, [tmp_path / "in" / "a"]) == named.hexdigest()
