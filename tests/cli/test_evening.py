"""`marketsim evening`: everything once, nothing twice, and an exit code that a scheduler can act on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from marketsim.data.sources import stooq
from marketsim.journal import score
from marketsim.journal.journal import Journal
from marketsim.results.promise import WORSE, Kept
from tests.cli.test_fetch import SINCE, server  # noqa: F401 -- a fixture
from tests.loopback import Answer, Server, serve

QUICK = ("--model", "rolling-quantile", "--sims", "10", "--window", "20", "--min-t", "0", "--cache", "off")
FIRST, SECOND = "2024-06-25T21:00", "2024-06-26T21:00"


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Journal:
    monkeypatch.setenv("MARKETSIM_JOURNAL", str(tmp_path / "journal"))
    return Journal(str(tmp_path / "journal"))


@pytest.fixture
def stored(cli, server: Server, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Server:  # noqa: F811
    """A store with AAPL up to the first evening."""
    monkeypatch.setenv("MARKETSIM_NOW", FIRST)
    assert cli("data", "fetch", "AAPL", "--from", "stooq", *SINCE).code == 0
    return server


def test_an_evening_fetches_plans_seals_and_scores(cli, stored: Server, journal: Journal, monkeypatch) -> None:
    first = cli("evening", "AAPL", *QUICK)
    assert first.code == 0, first.err
    assert "Evening of 2024-06-25 21:00:00 UTC" in first.out
    assert "Profit promised when sealing began" not in first.out  # nothing has come yet
    monkeypatch.setenv("MARKETSIM_NOW", SECOND)
    second = json.loads(cli("evening", "AAPL", *QUICK, "--json").out)
    assert second["schema"] == "marketsim.evening/1"
    assert [(each["provider"], each["new"], each["error"]) for each in second["fetched"]] == [("stooq", 1, None)]
    assert [(each["last"], each["session"], each["over"]) for each in second["bars"]] == [
        ("2024-06-26", "2024-06-27", False)
    ]
    assert [each["entry"] for each in second["sealed"]["entries"]] == [2]
    assert {each["session"] for each in second["score"]["plans"]} == {"2024-06-26"}
    assert [each["session"] for each in second["score"]["waiting"]] == ["2024-06-27"]
    assert [each.plan.session.bar for each in journal.entries()] == ["2024-06-26", "2024-06-27"]


def test_an_evening_that_runs_twice_seals_once(cli, stored: Server, journal: Journal) -> None:
    cli("evening", "AAPL", *QUICK)
    content = journal.path.read_bytes()
    again = cli("evening", "AAPL", *QUICK)
    assert again.code == 0
    assert "AAPL: its session 2024-06-26 was sealed before, as entry 1" in again.err
    with_capital = cli("evening", "AAPL", *QUICK, "--capital", "1000")  # another plan for the same session
    assert with_capital.code == 0
    assert "was sealed before, as entry 1" in with_capital.err
    assert journal.path.read_bytes() == content
    other = cli("evening", "AAPL", *QUICK, "--fee-bps", "1")  # another record
    assert other.code == 0
    assert len(journal.entries()) == 2


def test_a_provider_that_fails_leaves_the_stored_bars_and_says_so(
    cli, stored: Server, journal: Journal, monkeypatch
) -> None:
    page = Answer("Exceeded the daily hits limit", content_type="text/csv")
    with serve(lambda path, query: page) as empty:
        monkeypatch.setattr(stooq, "ADDRESS", empty.url)
        ended = cli("evening", "AAPL", *QUICK)
    assert ended.code == 4
    assert "the stored bars are used" in ended.err
    assert len(journal.entries()) == 1


def test_stale_bars_seal_nothing(cli, journal: Journal) -> None:
    ended = cli("evening", "ETHUSD", *QUICK)  # the sample ended years ago
    assert ended.code == 3
    assert "ETHUSD: not sealed" in ended.err
    assert "ETHUSD" in ended.out
    assert not journal.path.exists() or not journal.path.read_bytes()


def test_a_symbol_that_fails_does_not_stop_the_others(cli, stored: Server, journal: Journal) -> None:
    ended = cli("evening", "AAPL", "NOSUCH", *QUICK)
    assert ended.code == 4
    assert "NOSUCH" in ended.err
    assert [each.plan.symbol for each in journal.entries()] == ["AAPL"]


def test_no_order_is_an_exit_code_of_its_own(cli, stored: Server, journal: Journal) -> None:
    ended = cli("evening", "AAPL", *QUICK, "--exit-code", "--min-t", "99")
    assert ended.code == 10
    assert "AAPL: no order" in ended.out


def test_an_order_of_a_strategy_that_is_worse_than_promised_has_one_too(
    cli, stored: Server, journal: Journal, monkeypatch
) -> None:
    assert cli("evening", "AAPL", *QUICK, "--exit-code").code == 0
    monkeypatch.setattr(score, "kept", lambda promise, profits: Kept(WORSE, 0.01, None, 0, 0))
    monkeypatch.setenv("MARKETSIM_NOW", SECOND)
    assert cli("evening", "AAPL", *QUICK, "--exit-code").code == 11
    assert cli("evening", "AAPL", *QUICK).code == 0
    assert cli("evening", "AAPL", *QUICK, "--exit-code", "--min-t", "99").code == 10  # there is none to warn of


def test_a_broken_journal_ends_it_before_anything_is_fetched(cli, stored: Server, journal: Journal) -> None:
    cli("evening", "AAPL", *QUICK)
    journal.path.write_bytes(journal.path.read_bytes().replace(b'"AAPL"', b'"MSFT"', 1))
    asked = len(stored.asked)
    ended = cli("evening", "AAPL", *QUICK)
    assert (ended.code, ended.out) == (5, "")
    assert "entry 1 was changed" in ended.err
    assert len(stored.asked) == asked


def test_the_screen_fits(cli, stored: Server, journal: Journal, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    cli("evening", "AAPL", *QUICK)
    monkeypatch.setenv("MARKETSIM_NOW", SECOND)
    lines = cli("evening", "AAPL", *QUICK).out.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 24


def test_the_page_has_the_journals_section(cli, stored: Server, journal: Journal, monkeypatch, tmp_path: Path) -> None:
    page = tmp_path / "evening.html"
    assert cli("evening", "AAPL", *QUICK, "--report", str(page)).code == 0
    assert "Sealed plans" not in page.read_text(encoding="utf-8")
    monkeypatch.setenv("MARKETSIM_NOW", SECOND)
    assert cli("evening", "AAPL", *QUICK, "--report", str(page)).code == 0
    text = page.read_text(encoding="utf-8")
    assert "<h2>Sealed plans</h2>" in text
    assert "Calibration since sealing: AAPL, 1 bar" in text
    assert journal.entries()[-1].hash in text


def test_the_units_name_a_command_that_is_there(cli) -> None:
    folder = Path(__file__).parents[2] / "docs" / "systemd"
    service, timer = (folder / f"marketsim-evening.{kind}" for kind in ("service", "timer"))
    (line,) = [each for each in service.read_text().splitlines() if each.startswith("ExecStart=")]
    words = line.partition("marketsim ")[2].split()
    assert cli(*words[:1], "--help").code == 0
    options = cli("evening", "--help").out
    assert all(word in options for word in words if word.startswith("--"))
    assert "OnCalendar=" in timer.read_text()
