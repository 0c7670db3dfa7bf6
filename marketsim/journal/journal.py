"""The journal in its folder: read, and appended to under a lock; entries are never rewritten."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from marketsim.data.bars import CHANNELS
from marketsim.data.present import present
from marketsim.errors import DataError, JournalError, MarketsimError, UsageError
from marketsim.forecasting.sealed_forecasts import SealedForecasts
from marketsim.journal.chain import BEFORE_FIRST, Chain, Defect, Head, Link, hash_of, line_of, read_chain
from marketsim.journal.entry import Clock, Entry, Sealed, SealedPlan

FILE, LOCK = "journal.jsonl", "journal.lock"
LOCKED = 60  # seconds for which another process may be sealing


class Appended(Struct, frozen=True):
    """The outcome of sealing plans."""

    sealed: list[Sealed]
    known: list[Sealed]  # entries that held the very same plans before
    refused: list[str]  # why others were not sealed, a line each
    head: Head | None
    notes: tuple[str, ...] = ()


class Journal:
    """The journal in `directory`, by default in the platform's data directory."""

    def __init__(self, directory: str | None = None) -> None:
        self.directory = Path(directory) if directory is not None else default_directory()
        self.path = self.directory / FILE

    def read(self) -> Chain:
        """The chain as it stands; an empty one where there is no journal.

        A line that is being written is waited for, and is `torn` only when nobody writes it.
        """
        chain = read_chain(self._bytes())
        if not chain.torn:
            return chain
        try:
            with self._lock():
                return read_chain(self._bytes())
        except MarketsimError:  # a folder that may only be read
            return chain

    def existing(self) -> Chain:
        """The chain as it stands; DataError where there is no journal."""
        if not self.path.exists():
            raise DataError(f"{self.path}: there is no journal; `marketsim plan SYMBOL --seal` starts one")
        return self.read()

    def entries(self) -> list[Sealed]:
        """All entries; JournalError where the chain is broken, DataError without a journal or for a newer version's."""
        chain = self.existing()
        self.refuse_broken(chain.defect)
        return [self._entry(link) for link in chain.links if link is not None]

    def sealed_forecasts(self) -> SealedForecasts:
        """The forecasts of all entries that the system's clock shows to be older than the end of their bar."""
        return forecasts_of(self.entries())

    def refuse_broken(self, defect: Defect | None) -> None:
        """JournalError for a chain that has a defect."""
        if defect is not None:
            raise JournalError(f"{self.path}: {defect.words} (`marketsim journal verify`)")

    def content(self, number: int) -> bytes:
        """The very bytes of an entry, whose SHA-256 is its hash."""
        link = self.existing().links[number - 1]
        assert link is not None  # the caller has read the entries
        return link.content

    def append(self, plans: Sequence[SealedPlan], now: str | None = None) -> Appended:
        """Seal the plans, an entry each, and say it is done when they are on the disk.

        `now` is taken for the present, and the entries are marked so. A plan that stands there already is not sealed
        again; one whose newest bar is not complete, or whose session is over, is refused. What a process that was
        killed left of a line is put aside first. JournalError where the chain is broken.
        """
        with self._lock():
            content = self._bytes()
            chain = read_chain(content)
            self.refuse_broken(chain.defect)
            notes = (self._put_aside(chain.torn, len(content)),) if chain.torn else ()
            clock: Clock = "system" if now is None else "given"
            stamp = str(present(now))
            self._refuse_past(chain, stamp, clock)
            entries = [self._entry(link) for link in chain.links if link is not None]
            found = _Drafts(chain.head or Head(0, BEFORE_FIRST), entries, stamp, clock)
            for plan in plans:
                found.add(plan)
            self._write(b"".join(found.lines))
            head = found.head if found.head.number else None
        return Appended(found.sealed, found.known, found.refused, head, notes)

    def _refuse_past(self, chain: Chain, stamp: str, clock: Clock) -> None:
        times = [link.sealed for link in chain.links if link is not None and link.clock == clock]
        if times and stamp < times[-1]:
            whose = "the clock" if clock == "system" else "the time that is given"
            raise UsageError(
                f"{self.path}: {whose} is {stamp} UTC, and the newest entry by it was sealed at {times[-1]}: "
                "an entry before it would be back-dated"
            )

    def _entry(self, link: Link) -> Sealed:
        try:
            return Sealed(msgspec.json.decode(link.content, type=Entry), link.hash)
        except msgspec.DecodeError as error:
            raise DataError(
                f"{self.path}: entry {link.number} is not in the format of this version of marketsim: {error}"
            ) from None

    def _bytes(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise DataError(f"{self.path}: {_words(error)}") from None

    def _write(self, lines: bytes) -> None:
        """Append lines; where the disk takes only a part, that is taken back."""
        if not lines:
            return
        new = not self.path.exists()
        with self._errors(), open(self.path, "ab", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            try:
                written = 0
                while written < len(lines):
                    written += file.write(lines[written:])
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise
        if new:
            _sync_directory(self.directory)

    def _put_aside(self, torn: bytes, size: int) -> str:
        """Move what follows the last whole line into a file of its own; the remark on it."""
        aside = self.directory / f"torn-{size - len(torn)}-{hash_of(torn)[:8]}"
        with self._errors():
            with open(aside, "wb") as file:
                file.write(torn)
                file.flush()
                os.fsync(file.fileno())
            _sync_directory(self.directory)
            with open(self.path, "r+b") as file:
                file.truncate(size - len(torn))
                os.fsync(file.fileno())
        return f"{self.path}: its last line was incomplete, as after a killed process: it was moved to {aside.name}"

    @contextmanager
    def _lock(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        with self._errors():
            self.directory.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.directory / LOCK, timeout=LOCKED)
            try:
                lock.acquire()
            except Timeout:
                raise MarketsimError(f"{self.path}: another process has been sealing for {LOCKED} s") from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise MarketsimError(f"{self.path}: cannot write there: {_words(error)}") from None


class _Drafts:
    """Entries that are about to be appended after a head."""

    def __init__(self, head: Head, before: Sequence[Sealed], stamp: str, clock: Clock) -> None:
        self.head = head
        self.sealed: list[Sealed] = []
        self.known: list[Sealed] = []
        self.refused: list[str] = []
        self.lines: list[bytes] = []
        self._before: dict[tuple[str, str], list[Sealed]] = {}
        for entry in before:
            self._before.setdefault((entry.plan.symbol, entry.plan.session.opens), []).append(entry)
        self._stamp, self._clock = stamp, clock

    def add(self, plan: SealedPlan) -> None:
        """The next plan."""
        again = [earlier for earlier in self._before.get((plan.symbol, plan.session.opens), ()) if earlier.plan == plan]
        if again:
            self.known.append(again[0])
        elif (why := self._too_late(plan)) is not None:
            self.refused.append(f"{plan.symbol}: not sealed, {why}")
        else:
            entry = Entry(self.head.number + 1, self.head.hash, self._stamp, self._clock, plan)
            content = msgspec.json.encode(entry)
            self.head = Head(entry.number, hash_of(content))
            self.sealed.append(Sealed(entry, self.head.hash))
            self.lines.append(line_of(content))

    def _too_late(self, plan: SealedPlan) -> str | None:
        if self._stamp < plan.bars.ended:
            return f"the bar {plan.bars.last} is not complete before {plan.bars.ended} UTC"
        if self._stamp >= plan.session.ends:
            return f"the session {plan.session.bar} was over at {plan.session.ends} UTC"
        return None


def forecasts_of(entries: Iterable[Sealed]) -> SealedForecasts:
    """The forecasts of those entries that the system's clock shows to be older than the end of their bar."""
    return SealedForecasts.of(
        (plan.symbol, plan.bars.origin, np.array([getattr(plan.forecast, channel) for channel in CHANNELS]))
        for plan in (entry.plan for entry in entries if entry.entry.clock == "system")
    )


def default_directory() -> Path:
    """The journal in the platform's data directory."""
    from platformdirs import user_data_path

    try:
        return user_data_path("marketsim") / "journal"
    except RuntimeError:
        raise UsageError(
            "the journal: no home directory is known; set HOME, or name its folder with --journal"
        ) from None


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _sync_directory(directory: Path) -> None:
    """Put a new name on the disk, where directories can be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
