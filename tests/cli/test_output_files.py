"""A file that cannot be written is told before the work."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from marketsim.cli.output_files import check_file, write_file
from marketsim.errors import MarketsimError, UsageError


@pytest.mark.parametrize(
    ("name", "error"),
    [
        (" ", "needs the name of a file"),
        (".", "needs the name of a file"),
        ("a.gif", "must end in .png or .html"),
        ("nowhere/a.png", "there is no folder nowhere"),
    ],
)
def test_a_file_that_could_not_be_written_is_refused(name, error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=error):
        check_file("--landscape", name, (".png", ".html"))


def test_a_folder_or_a_file_that_is_read_only_is_refused(tmp_path, monkeypatch):
    there = tmp_path / "there.png"
    there.touch()
    asked = []
    monkeypatch.setattr(os, "access", lambda path, mode: asked.append((path, mode)))
    for file in (tmp_path / "new.png", there):
        with pytest.raises(UsageError, match="cannot write there"):
            check_file("--landscape", str(file), overwrite=True)
    assert asked == [(tmp_path, os.W_OK), (there, os.W_OK)]


def test_a_file_is_written_as_it_is_or_the_reason_is_said(tmp_path):
    check_file("--history", str(tmp_path / "a.csv"), (".csv",))
    write_file(str(tmp_path / "a.csv"), "é\r\n")
    assert (tmp_path / "a.csv").read_bytes() == "é\r\n".encode()
    with pytest.raises(MarketsimError, match=r"cannot write .*: No such file or directory"):
        write_file(str(tmp_path / "no" / "a.csv"), "")


def test_a_file_that_is_there_is_replaced_only_where_that_is_wanted(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(UsageError, match="already exists; --overwrite replaces it"):
        check_file("--landscape", str(tmp_path / "a.png"))
    check_file("--landscape", str(tmp_path / "a.png"), overwrite=True)
    check_file("--trace", os.devnull)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_with_a_name_is_refused_and_one_of_the_shell_is_not(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is a pipe; name a file"):
        check_file("--trace", str(tmp_path / "pipe"))
    reading, writing = os.pipe()
    check_file("--trace", f"/dev/fd/{writing}")
    os.close(reading)
    os.close(writing)


def test_a_full_disk_leaves_the_old_file_or_none(cli, tmp_path, monkeypatch):
    def full(path, text, **how):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    old, link = tmp_path / "old.json", tmp_path / "link.json"
    old.write_text("old")
    link.symlink_to(old)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        for name in (old, link, tmp_path / "new.json"):
            with pytest.raises(MarketsimError, match="No space left on device"):
                write_file(str(name), "new")
        ended = cli("models", "new", str(tmp_path / "mine.py"))
    assert (ended.code, old.read_text(), sorted(tmp_path.iterdir())) == (1, "old", [link, old])
    write_file(str(link), "new")
    assert (old.read_text(), link.is_symlink()) == ("new", True)
