"""The documents of sealing, and of `marketsim journal`."""

from __future__ import annotations

from marketsim.journal.chain import Defect
from marketsim.journal.entry import Clock, Entry
from marketsim.journal.replay import Replayed
from marketsim.journal.timestamps import Attached
from marketsim.results.rows import Count, Row, Sha256, Stamp


class SealedEntry(Row, frozen=True):
    """An entry that holds a plan of this run."""

    entry: Count
    symbol: str
    sealed: Stamp
    clock: Clock
    hash: Sha256


class SealingReport(Row, frozen=True):
    """What `marketsim plan --seal` put into the journal."""

    journal: str  # file
    entries: list[SealedEntry]
    known: list[SealedEntry]  # the very same plans, sealed before
    refused: list[str]  # why others were not sealed
    head: str | None  # NUMBER:HASH of the newest entry


class ListedEntry(Row, frozen=True):
    """An entry in short."""

    entry: Count
    sealed: Stamp
    clock: Clock
    symbol: str
    session: Stamp
    begins: Stamp  # trade in it
    in_time: bool  # sealed before that
    decision: str
    strategy: str | None
    model: str
    orders: Count
    hash: Sha256


class JournalListDocument(Row, frozen=True, tag_field="schema", tag="marketsim.journal.list/1"):
    """`marketsim journal list --json`."""

    journal: str
    entries: list[ListedEntry]
    head: str | None  # NUMBER:HASH


class ShownEntry(Row, frozen=True):
    """An entry in full."""

    hash: Sha256
    content: Entry


class JournalShowDocument(Row, frozen=True, tag_field="schema", tag="marketsim.journal.show/1"):
    """`marketsim journal show --json` and `marketsim journal export --json`."""

    journal: str
    entries: list[ShownEntry]


class JournalVerifyDocument(Row, frozen=True, tag_field="schema", tag="marketsim.journal.verify/1"):
    """`marketsim journal verify --json`."""

    journal: str
    entries: Count  # lines that stand there
    sound: bool
    defect: Defect | None  # the first
    stamps: list[Attached]  # that `journal attach` put beside it
    head: str | None  # NUMBER:HASH


class JournalReplayDocument(Row, frozen=True, tag_field="schema", tag="marketsim.journal.replay/1"):
    """`marketsim journal replay --json`."""

    journal: str
    entries: list[Replayed]


class JournalAttachDocument(Row, frozen=True, tag_field="schema", tag="marketsim.journal.attach/1"):
    """`marketsim journal attach --json`."""

    journal: str
    stamp: Attached
