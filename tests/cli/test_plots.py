"""`backtest --plots DIR`: pictures beside the answer, which stays what it is."""

from __future__ import annotations

import importlib.util

import pytest

from marketsim.results.plots import pictures

pytestmark = pytest.mark.slow

QUICK = ("backtest", "ETHUSD", "--sims", "5", "--window", "10", "--strategy", "always-on", "--json")


def test_pictures_are_drawn_and_stdout_is_the_same(cli, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="needs the extra 'plots'")
    monkeypatch.setattr(pictures, "SUFFIXES", (".png",))  # that there are two is a rule of the pictures' own tests
    plain = cli(*QUICK)
    folder = tmp_path / "new" / "folder"
    ended = cli(*QUICK, "--plots", str(folder), "--output", str(tmp_path / "run"))
    assert (ended.code, ended.out) == (0, plain.out)
    assert ended.err == f"note: 4 pictures are in {folder}\n"
    made = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert len(made) == 4
    pytest.importorskip("jinja2", reason="needs the extra 'report'")
    again = cli("report", str(tmp_path / "run"), "--plots", str(tmp_path / "again"))
    assert (again.code, again.err) == (0, f"note: 4 pictures are in {tmp_path / 'again'}\n")
    assert {file.name: file.read_bytes() for file in (tmp_path / "again").iterdir()} == made
    refused = cli("report", str(tmp_path / "run"), str(tmp_path / "page.html"), "--plots", str(folder))
    assert refused.code == 2 and "--overwrite replaces pictures" in refused.err
    assert not (tmp_path / "page.html").exists()


def test_pictures_that_are_there_are_replaced_only_when_that_is_asked_for(cli, tmp_path):
    pytest.importorskip("matplotlib", reason="needs the extra 'plots'")
    (tmp_path / "mine.svg").touch()
    ended = cli("backtest", "NOSUCH", "--plots", str(tmp_path))
    why = f"--plots {tmp_path}: mine.svg already exists; --overwrite replaces pictures"
    assert (ended.code, ended.err) == (2, f"marketsim: {why}\n")
    assert "no bars of NOSUCH" in cli("backtest", "NOSUCH", "--plots", str(tmp_path), "--overwrite").err


@pytest.mark.parametrize("name", ["", "file", "file/below"])
def test_a_folder_that_cannot_be_is_refused_before_the_work(cli, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    ended = cli("backtest", "NOSUCH", "--plots", name)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"marketsim: --plots {name}") or "--plots needs the name of a folder" in ended.err


def test_without_matplotlib_the_extra_is_named(cli, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    ended = cli("backtest", "NOSUCH", "--plots", str(tmp_path))
    assert (ended.code, ended.err) == (
        2,
        "marketsim: --plots needs the extra 'plots': pip install 'marketsim[plots]'\n",
    )
