"""`marketsim plan --seal` and `marketsim journal`: what is sealed, listed, shown, exported and verified."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from io import StringIO

import pytest

from marketsim.data import open_source
from marketsim.journal.journal import Journal

EVENING = ("--end", "2020-07-31", "--now", "2020-08-01T00:30", "--sims", "12", "--window", "20")
SYMBOLS = ("GOOG", "ETHUSD")


SEAL = ("plan", *SYMBOLS, *EVENING, "--min-t", "0", "--seal", "--head")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A journal of two entries, and what the command printed that made it."""
    place = tmp_path_factory.mktemp("made")
    words = [sys.executable, "-m", "marketsim", *SEAL, "--journal", str(place / "journal"), "--cache", "off"]
    return place / "journal", subprocess.run(words, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("MARKETSIM_JOURNAL", str(tmp_path / "journal"))
    return tmp_path / "journal"


@pytest.fixture
def sealed(made, place):
    """A copy of it; what was printed."""
    shutil.copytree(made[0], place)
    return made[1]


def test_a_plan_is_sealed_with_the_orders_that_are_printed(cli, place, sealed):
    (line,) = [line for line in sealed.splitlines() if line.startswith("Head")]
    assert "Sealed as entries 1 to 2 of" in sealed
    assert line == f"Head 2:{Journal(str(place)).entries()[-1].hash}"
    document = json.loads(cli("plan", *SYMBOLS, *EVENING, "--min-t", "0", "--json").out)
    entries = Journal(str(place)).entries()
    assert [each.plan.symbol for each in entries] == list(SYMBOLS)
    orders = [(each.plan.symbol, order.side, order.entry) for each in entries for order in each.plan.orders]
    assert orders == [(order["symbol"], order["side"], order["entry"]) for order in document["orders"]]
    assert [each.plan.no_order for each in entries] == [None, None]


def test_what_is_sealed_twice_is_said_and_kept_once(cli, place, sealed):
    again = cli("plan", *SYMBOLS, *EVENING, "--min-t", "0", "--seal", "--json")
    report = json.loads(again.out)["sealed"]
    assert (report["entries"], [each["entry"] for each in report["known"]]) == ([], [1, 2])
    assert "GOOG: this plan was sealed before, as entry 1 (2020-08-01T00:30:00 UTC)" in again.err
    assert "sealed" not in json.loads(cli("plan", *SYMBOLS, *EVENING, "--json").out)


def test_a_strategy_that_stands_aside_is_sealed_without_an_order(cli, place):
    ended = cli("plan", "ETHUSD", *EVENING, "--min-t", "50", "--seal", "--quiet", "--exit-code")
    assert (ended.code, ended.out) == (10, "")
    (entry,) = Journal(str(place)).entries()
    aside = {each.strategy: each.stood_aside for each in entry.plan.strategies}
    assert aside == {"entry-exit": False, "always-on": True}
    assert entry.plan.no_order == "entry-exit has a short signal, and ETHUSD cannot be shorted"


def test_a_session_that_is_over_is_not_sealed(cli, place):
    ended = cli("plan", "ETHUSD", *EVENING[4:], "--seal")
    assert ended.code == 3
    assert "ETHUSD: not sealed, the session 2020-12-09 was over at 2020-12-10T00:00:00 UTC" in ended.err
    some = cli("plan", *SYMBOLS, *EVENING[:3], "2020-08-02T00:30", *EVENING[4:], "--seal")
    assert some.code == 4
    assert "ETHUSD: not sealed, the session 2020-08-01 was over at 2020-08-02T00:00:00 UTC" in some.err
    assert [each.plan.symbol for each in Journal(str(place)).entries()] == ["GOOG"]


def test_a_broken_journal_ends_the_command_before_the_run(cli, place, sealed):
    path = place / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"sims":12', b'"sims":13', 1))
    for words in (
        ("plan", "ETHUSD", *EVENING, "--seal"),
        ("journal", "list"),
        ("journal", "show"),
        ("journal", "export"),
    ):
        ended = cli(*words)
        assert (ended.code, ended.out, ended.err.count("\n")) == (5, "", 1)
        assert "entry 1 was changed: its bytes are not those of its hash" in ended.err
    verified = cli("journal", "verify", "--json")
    assert verified.code == 5
    document = json.loads(verified.out)
    assert (document["sound"], document["defect"]["what"], document["defect"]["entry"]) == (False, "changed", 1)


def test_verify_prints_the_head_and_checks_one_that_was_written_down(cli, place, sealed):
    sound = cli("journal", "verify")
    assert (sound.code, sound.err) == (0, "")
    head = sound.out.splitlines()[-1].removeprefix("Head ")
    assert cli("journal", "verify", "--head", head).code == 0
    lines = (place / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (place / "journal.jsonl").write_bytes(lines[0])
    assert cli("journal", "verify").code == 0
    ended = cli("journal", "verify", "--head", head)
    assert ended.code == 5
    assert "entry 2 was removed: the given head is entry 2, but the journal ends with" in ended.err


def test_a_torn_line_is_a_defect_of_its_own(cli, place, sealed):
    with open(place / "journal.jsonl", "ab") as file:
        file.write(b'{"hash":"ab')
    ended = cli("journal", "verify")
    assert ended.code == 5 and "entry 3 is torn: the last line is not whole" in ended.err
    assert cli("journal", "list").code == 0


def test_list_show_and_export_say_the_same(cli, place, sealed):
    listed = cli("journal", "list", "--json")
    rows = json.loads(listed.out)["entries"]
    assert [(row["entry"], row["symbol"], row["session"]) for row in rows] == [
        (1, "GOOG", "2020-08-03"),
        (2, "ETHUSD", "2020-08-01"),
    ]
    assert [row["in_time"] for row in rows] == [True, False]  # New York opens on Monday at 13:30 UTC
    assert "2020-08-01 00:30:00*" in cli("journal", "list").out
    shown = json.loads(cli("journal", "show", "1", "2", "--json").out)["entries"]
    assert [each["hash"] for each in shown] == [row["hash"] for row in rows]
    exported = list(csv.DictReader(StringIO(cli("journal", "export").out)))
    plans = [(each["hash"], plan["upper"]) for each in shown for plan in each["content"]["plan"]["strategies"]]
    assert [(row["hash"], float(row["upper"])) for row in exported] == plans
    assert json.loads(cli("journal", "export", "--json").out)["entries"] == shown
    assert len(json.loads(cli("journal", "list", "goog", "--since", "2020-08-01", "--json").out)["entries"]) == 1
    assert not json.loads(cli("journal", "list", "--since", "2020-08-02", "--json").out)["entries"]


def test_the_newest_entry_is_shown_by_default_and_the_raw_bytes_have_its_hash(cli, place, sealed):
    text = cli("journal", "show").out
    assert text.startswith("Entry 2  ETHUSD  2020-08-01")
    assert "trading in its session began before" in " ".join(text.split())
    (first, _) = Journal(str(place)).entries()
    assert hashlib.sha256(Journal(str(place)).content(1)).hexdigest() == first.hash


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("plan ETHUSD --head", "--head needs --seal"),
        ("journal show 3", "there is no entry 3; there are entries 1 to 2"),
        ("journal show 1 2 --raw", "--raw prints the bytes of one entry"),
        ("journal list --since tomorrow", "'tomorrow' is neither a date"),
        ("journal export --format xml", "--format: got 'xml', must be one of csv, json"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_2(words, said, cli, place, sealed):
    ended = cli(*words.split())
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert said in ended.err


def test_there_is_no_journal_yet(cli, place):
    for word in ("list", "show", "verify", "export"):
        ended = cli("journal", word)
        assert (ended.code, ended.out) == (3, "")
        assert "there is no journal; `marketsim plan SYMBOL --seal` starts one" in ended.err
    assert not place.exists()


def test_a_stamp_is_attached_and_verify_holds_the_journal_against_it(cli, place, sealed, tmp_path):
    magic = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01\x08"
    (first, _) = Journal(str(place)).entries()
    (tmp_path / "mine.ots").write_bytes(magic + bytes.fromhex(first.hash))
    ended = cli("journal", "attach", str(tmp_path / "mine.ots"))
    assert (ended.code, ended.err) == (0, "")
    assert "Entries up to 1 are stamped (OpenTimestamps)" in " ".join(ended.out.split())
    assert [each["entry"] for each in json.loads(cli("journal", "verify", "--json").out)["stamps"]] == [1]
    (place / "journal.jsonl").write_bytes(b"")
    emptied = cli("journal", "verify")
    assert emptied.code == 5
    assert "entry 1 was removed" in emptied.err
    (tmp_path / "mine.ots").write_bytes(magic + bytes(32))
    refused = cli("journal", "attach", str(tmp_path / "mine.ots"))
    assert refused.code == 3 and "is the hash of no entry" in refused.err


def test_a_replay_finds_bars_that_have_moved(cli, place, tmp_path):
    sample = open_source("sample").load("GOOG").between(None, "2020-08-10").to_frame().rename_axis("date")
    (tmp_path / "here").mkdir()
    sample.to_csv(tmp_path / "here" / "GOOG.csv")
    sealed = cli("plan", "GOOG", *EVENING, "--data", str(tmp_path / "here"), "--seal", "--quiet")
    assert sealed.code == 0, sealed.err
    (tmp_path / "here").rename(tmp_path / "there")
    lost = cli("journal", "replay")
    assert lost.code == 3
    moved = cli("journal", "replay", "--data", str(tmp_path / "there"), "--json")
    assert moved.code == 0, moved.err
    assert [row["status"] for row in json.loads(moved.out)["entries"]] == ["same"]
    cut = cli("journal", "replay", "--end", "2020-08-05")
    assert (cut.code, cut.out) == (2, "")
    assert "--end: a replay is cut at the origin of each entry" in cut.err
