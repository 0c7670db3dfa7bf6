"""Small files that a user names are read, or refused, and never waited for without end."""

from __future__ import annotations

import os
import threading

import pytest

from marketsim.settings import named_files
from marketsim.settings.named_files import read_bytes, read_lines, read_text

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")


@pytest.fixture
def pipe(tmp_path):
    place = tmp_path / "pipe"
    os.mkfifo(place)
    return place


def test_text_is_read_with_or_without_a_byte_order_mark(tmp_path):
    (tmp_path / "a").write_bytes("\ufeffé = 1\r\n".encode())
    assert read_text(tmp_path / "a") == "é = 1\r\n"


def test_lines_are_read_without_comments(tmp_path):
    (tmp_path / "a").write_text("ETHUSD # coin\n\n  # nothing\n NVDA\n")
    assert read_lines(tmp_path / "a") == ["ETHUSD", "NVDA"]


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no such device here")
def test_what_has_no_end_is_refused():
    with pytest.raises(OSError, match="more than 16 MiB"):
        read_bytes("/dev/zero")


def test_the_largest_file_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(named_files, "MOST_BYTES", 5)
    (tmp_path / "a").write_bytes(b"12345")
    assert read_bytes(tmp_path / "a") == b"12345"
    (tmp_path / "a").write_bytes(b"123456")
    with pytest.raises(OSError, match="more than"):
        read_bytes(tmp_path / "a")


@needs_pipes
def test_a_pipe_without_a_writer_is_refused(pipe, monkeypatch):
    monkeypatch.setattr(named_files, "PATIENCE", 10)
    with pytest.raises(OSError, match="nobody writes to"):
        read_bytes(pipe)


@needs_pipes
def test_a_pipe_is_read_to_its_end(pipe, monkeypatch):
    monkeypatch.setattr(named_files, "PATIENCE", 30_000)
    writer = threading.Thread(target=pipe.write_text, args=("ETHUSD\nNVDA\n",))
    writer.start()
    assert read_lines(pipe) == ["ETHUSD", "NVDA"]
    writer.join()


@needs_pipes
def test_a_writer_who_takes_long_is_waited_for(pipe, monkeypatch):
    monkeypatch.setattr(named_files, "PATIENCE", 10)
    waited, set_blocking = threading.Event(), os.set_blocking

    def told(descriptor, blocking):
        set_blocking(descriptor, blocking)
        waited.set()

    monkeypatch.setattr(os, "set_blocking", told)
    writing = os.open(pipe, os.O_RDWR)

    def write():
        waited.wait(30)
        os.write(writing, b"ETHUSD\n")
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    assert read_lines(pipe) == ["ETHUSD"]
    writer.join()


@needs_pipes
def test_an_empty_pipe_whose_writer_has_left_is_empty():
    reading, writing = os.pipe()
    os.close(writing)
    try:
        assert read_bytes(f"/dev/fd/{reading}") == b""
    finally:
        os.close(reading)
