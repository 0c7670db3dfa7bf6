"""--output: one run at a time, nothing foreign touched, nothing lost that nobody gave up, all files at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from marketsim.errors import DataError, UsageError
from marketsim.results.lock import lock
from marketsim.results.manifest import RunFiles, Unfinished
from marketsim.results.output_directory import OutputDirectory
from marketsim.results.publication import Publication

HEAD = Unfinished.now("test", {"sims": 3, "bounds": [-0.03, 0.03]})
OTHER = Unfinished.now("test", {"sims": 4, "bounds": [-0.03, 0.03]})
HOLDER = """
import sys, time
from pathlib import Path
from marketsim.results.lock import lock
print(lock(Path(sys.argv[1])) is not None, flush=True)
time.sleep(60)
"""


def write(place: Path, text: str = "1", names: tuple[str, ...] = ("a.txt", "b.txt"), overwrite: bool = False) -> None:
    with OutputDirectory(str(place), HEAD, names, overwrite=overwrite) as directory:
        for name in names:
            directory.stage(name, text)
        directory.publish()


def interrupted(place: Path, head: Unfinished = HEAD, overwrite: bool = False) -> OutputDirectory:
    with OutputDirectory(str(place), head, ("a.txt", "b.txt"), overwrite=overwrite) as directory:
        directory.keep_part("S001", b"part")
    return directory


def content(place: Path) -> dict[str, str]:
    paths = sorted(path for path in place.rglob("*") if path.is_file())
    return {path.relative_to(place).as_posix(): path.read_text() for path in paths if path.name != "run.json"}


def refused(place: Path, *, head: Unfinished = HEAD, resume: bool = False, overwrite: bool = False) -> str:
    """Why; what is there stays as it is."""
    before = content(place)
    with (
        pytest.raises(UsageError) as caught,
        OutputDirectory(str(place), head, ("a.txt", "b.txt"), resume, overwrite),
    ):
        pass
    assert content(place) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_finished_run_is_replaced_only_with_overwrite(tmp_path: Path) -> None:
    write(tmp_path, "old")
    assert "finished run: --overwrite replaces it" in refused(tmp_path)
    assert "nothing to resume; --overwrite" in refused(tmp_path, resume=True)
    write(tmp_path, "new", overwrite=True)
    assert content(tmp_path) == {"a.txt": "new", "b.txt": "new"}


def test_the_files_of_another_command_go_with_its_run(tmp_path: Path) -> None:
    write(tmp_path, "old", names=("b.txt", "c.txt"))
    write(tmp_path, "new", overwrite=True)
    assert content(tmp_path) == {"a.txt": "new", "b.txt": "new"}


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    for overwrite in (False, True):
        assert "holds 'a.txt' and no run of marketsim" in refused(tmp_path, overwrite=overwrite)


def test_a_workspace_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".unfinished" / "mine").mkdir(parents=True)
    (tmp_path / ".unfinished" / "mine" / "thesis.txt").write_text("mine")
    for overwrite in (False, True):
        assert "holds '.unfinished/mine'" in refused(tmp_path, overwrite=overwrite)


def test_what_somebody_put_beside_a_run_stays(tmp_path: Path) -> None:
    write(tmp_path, "old")
    interrupted(tmp_path, overwrite=True)
    mine = {"notes", "more/notes", ".unfinished/mine/thesis.txt", ".unfinished/thesis.txt"}
    for name in mine:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    write(tmp_path, "new", overwrite=True)
    assert content(tmp_path) == {"a.txt": "new", "b.txt": "new"} | dict.fromkeys(mine, "mine")


def test_what_somebody_put_where_files_are_staged_is_in_the_way(tmp_path: Path) -> None:
    interrupted(tmp_path)
    (tmp_path / ".unfinished" / "staged").mkdir()
    (tmp_path / ".unfinished" / "staged" / "thesis.txt").write_text("mine")
    assert "staged contains files that no run wrote" in refused(tmp_path, resume=True)


def test_a_name_that_is_taken_by_something_else_is_refused(tmp_path: Path) -> None:
    write(tmp_path, names=("c.txt",))
    (tmp_path / "b.txt").write_text("mine")
    assert "'b.txt' there is not the run's" in refused(tmp_path, overwrite=True)


def test_parts_are_given_up_or_gone_on_with_but_never_lost(tmp_path: Path) -> None:
    assert interrupted(tmp_path).notes == [
        f"1 finished symbols are kept in {tmp_path}; the same command with --resume continues"
    ]
    assert "1 finished symbols of an interrupted run: --resume goes on" in refused(tmp_path)
    assert "(its sims was 3, now 4)" in refused(tmp_path, head=OTHER, resume=True)
    with OutputDirectory(str(tmp_path), HEAD, ("a.txt",), resume=True) as directory:
        assert directory.resumed and directory.read_part("S001") == b"part"
    with OutputDirectory(str(tmp_path), OTHER, ("a.txt",), overwrite=True) as directory:
        assert not directory.resumed and directory.read_part("S001") is None
    assert content(tmp_path) == {}


def test_nothing_to_resume_is_a_note(tmp_path: Path) -> None:
    with OutputDirectory(str(tmp_path), HEAD, ("a.txt",), resume=True) as directory:
        assert "nothing to resume" in directory.notes[0]
    assert not any(tmp_path.iterdir())


def test_a_manifest_that_is_damaged_is_told_and_nothing_replaced(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "run.json").write_text((tmp_path / "run.json").read_text().replace("test", "best"))
    with pytest.raises(DataError, match=r"run\.json: not as marketsim wrote it"):
        write(tmp_path, overwrite=True)
    assert content(tmp_path) == {"a.txt": "1", "b.txt": "1"}


def test_a_second_run_is_told_and_the_lock_of_a_dead_one_is_void(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert "another run is writing there" in refused(tmp_path)
        holder.kill()
    write(tmp_path)


@pytest.mark.parametrize("has_flock", [False, True])
def test_where_directories_cannot_be_locked_a_file_is(
    has_flock: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    flock = fcntl.flock

    def files_only(descriptor: int, how: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(9, "Bad file descriptor")
        flock(descriptor, how)

    import filelock  # with the real one

    assert filelock.FileLock
    if has_flock:
        monkeypatch.setattr(fcntl, "flock", files_only)
    else:
        monkeypatch.setitem(sys.modules, "fcntl", None)
    unlock = lock(tmp_path)
    assert unlock is not None and (tmp_path / ".lock").exists()
    assert "another run is writing there" in refused(tmp_path)
    unlock()
    write(tmp_path)
    assert content(tmp_path).keys() - {".lock"} == {"a.txt", "b.txt"}


def refuse(*arguments: object, **others: object) -> None:
    raise OSError(1, "Operation not permitted")


@pytest.mark.parametrize("names", [("symlink",), ("link",), ("symlink", "link")])
def test_a_file_system_without_links_will_do(
    names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in names:
        monkeypatch.setattr(os, name, refuse)
    write(tmp_path, "old", names=("a.txt", "c.txt"))
    write(tmp_path, "new", overwrite=True)
    assert content(tmp_path) == {"a.txt": "new", "b.txt": "new"}
    assert RunFiles.of(tmp_path).read("a.txt") == b"new"


def test_without_links_a_run_that_was_killed_while_its_files_moved_is_ended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "symlink", refuse)
    write(tmp_path, "old")
    settle: Callable[[Publication, Sequence[str]], None] = Publication.settle
    calls = iter(range(9))
    monkeypatch.setattr(
        Publication, "settle", lambda self, new: settle(self, new) if next(calls) < 1 else sys.exit("killed")
    )
    with pytest.raises(SystemExit):
        write(tmp_path, "new", overwrite=True)
    with pytest.raises(DataError, match="its digest is not the one"):
        RunFiles.of(tmp_path).read("a.txt")
    monkeypatch.setattr(Publication, "settle", settle)
    with pytest.raises(UsageError, match="holds a finished run"):
        write(tmp_path)
    assert RunFiles.of(tmp_path).read("a.txt") == b"new"


def racer(go: int, start: int, place: Path, text: str) -> int:
    """A process that writes a run once the other end of `go` is closed; it exits with 2 where it is refused."""
    if child := os.fork():
        return child
    os.close(start)
    os.read(go, 1)
    code = 0
    try:
        write(place, text)
    except UsageError as error:
        code = 2 if "\n" not in str(error) else 9
    except BaseException:
        code = 9
    os._exit(code)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_of_two_runs_that_begin_at_once_one_is_there_whole_and_one_is_refused(tmp_path: Path) -> None:
    for trial in range(12):
        place = tmp_path / str(trial)
        go, start = os.pipe()
        children = {text: racer(go, start, place, text) for text in ("first", "second")}
        os.close(start)
        codes = {text: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for text, child in children.items()}
        os.close(go)
        assert sorted(codes.values()) == [0, 2]
        (winner,) = (text for text, code in codes.items() if code == 0)
        assert content(place) == {"a.txt": winner, "b.txt": winner}
        assert RunFiles.of(place).read("a.txt") == winner.encode()
