"""`marketsim score`: sealed plans on the bars that came, and a broker's fills beside them."""

from __future__ import annotations

import json

import pytest

from marketsim.data import open_source
from marketsim.journal import score
from marketsim.journal.journal import Journal
from marketsim.results.promise import WORSE, Kept
from marketsim.settings.settings import Settings
from tests.journal.evenings import seal_evenings
from tests.journal.test_reality_gap import perfect_fills

EVENINGS = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A journal of a few evenings of NVDA."""
    settings = Settings.of(sims=12, window=20, min_t=0.0, cache="off")
    bars = open_source("sample", None, settings.bars).load("NVDA")
    place = tmp_path_factory.mktemp("journal")
    seal_evenings(place, "NVDA", bars, range(len(bars) - 1 - EVENINGS, len(bars) - 1), settings)
    return place


@pytest.fixture
def journal(made, monkeypatch):
    monkeypatch.setenv("MARKETSIM_JOURNAL", str(made))
    return Journal(str(made))


def test_the_screen_fits_and_says_what_must_be_known(cli, journal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    ended = cli("score")
    assert (ended.code, ended.err) == (0, "")
    assert max(map(len, ended.out.splitlines())) <= 80
    for words in (
        "Promised",
        "Realized",
        "too early",
        "Fills, and profit",
        "Forecasts since",
        "at a given time",
    ):
        assert words in ended.out


def test_the_document_names_the_journal_and_its_head(cli, journal):
    document = json.loads(cli("score", "nvda", "--json").out)
    entries = journal.entries()
    assert document["schema"] == "marketsim.score/1"
    assert document["head"] == f"{EVENINGS}:{entries[-1].hash}"
    assert [row["realized"]["bars"] for row in document["strategies"]] == [EVENINGS, EVENINGS]
    assert len(document["plans"]) == 2 * EVENINGS
    assert document["gap"] is None


def test_worse_than_promised_has_an_exit_code_of_its_own(cli, journal, monkeypatch):
    assert cli("score", "--exit-code").code == 0
    monkeypatch.setattr(score, "kept", lambda promise, profits: Kept(WORSE, 0.01, None, 1, 0))
    assert cli("score").code == 0
    ended = cli("score", "--exit-code")
    assert (ended.code, ended.err) == (11, "")
    assert "worse than promised" in ended.out


def test_since_takes_later_sessions_alone(cli, journal):
    last = journal.entries()[-1].plan.session.bar
    document = json.loads(cli("score", "--since", last, "--json").out)
    assert {each["session"] for each in document["plans"]} == {last}


def test_bars_that_end_earlier_leave_plans_waiting(cli, journal):
    first = journal.entries()[0].plan
    ended = cli("score", "--end", first.bars.last, "--now", f"{first.session.bar}T12:00")
    assert ended.code == 0
    assert f"Nothing to score yet: Waiting for NVDA {first.session.bar}" in ended.out


def test_what_cannot_be_scored_is_one_line(cli, journal, tmp_path):
    ended = cli("score", "GOOG")
    assert (ended.code, ended.out) == (3, "")
    assert "there is no sealed plan for GOOG; there are plans for NVDA" in ended.err
    missing = cli("score", "--journal", str(tmp_path / "none"))
    assert missing.code == 3
    assert "there is no journal" in missing.err
    nowhere = cli("score", "--data", str(tmp_path / "none.csv"), "--source", "csv")
    assert nowhere.code in (2, 3)
    assert nowhere.out == ""


def test_a_broken_chain_is_refused_and_says_where(cli, journal, tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(journal.path.read_bytes().replace(b'"sealed":"20', b'"sealed":"19', 1))
    ended = cli("score", "--journal", str(tmp_path))
    assert (ended.code, ended.out) == (5, "")
    assert "entry 1 was changed" in ended.err


def test_fills_as_booked_leave_no_gap(cli, journal, tmp_path):
    """A broker that fills at the booked prices, and closes at the close, is as good as the backtest."""
    path = tmp_path / "broker.csv"
    path.write_text(perfect_fills(journal))
    ended = cli("score", "--fills", str(path), "--json")
    gap = json.loads(ended.out)["gap"]
    assert gap["filled"] >= 1
    assert gap["missed"] == gap["unbooked"] == gap["stray"] == 0
    for order in gap["orders"]:
        assert order["gap_bps"] == pytest.approx(0, abs=1e-6)
    text = " ".join(cli("score", "--fills", str(path)).out.split())
    assert "Reality gap of" in text
    assert "An interval takes 20 orders." in text


def test_what_is_left_out_of_a_file_is_said_on_the_screen_and_in_the_document(cli, journal, tmp_path):
    path = tmp_path / "broker.csv"
    rows = (
        "2020-12-08 13:00:00,ETHUSDT,BUY,550,1ETH,550USDT,0.004BNB",
        "2020-12-08 14:00:00,ETHUSDT,SELL,560,1ETH,560USDT,1USDT",
    )
    path.write_text("\n".join(("Date(UTC),Pair,Side,Price,Executed,Amount,Fee", *rows)) + "\n")
    ended = cli("score", "--fills", str(path), "--json")
    gap = json.loads(ended.out)["gap"]
    assert f"{path}: fees in BNB are left out, as no price of it is known (1 row)" in gap["notes"]
    assert gap["fees"] == 1.0
    for note in gap["notes"]:
        assert note in ended.err


def test_the_format_of_dates_of_fills_is_an_option_of_its_own(cli, journal, tmp_path):
    path = tmp_path / "broker.csv"
    path.write_text("Date,Symbol,Side,Price,Quantity\n03/04/2024,ETHUSD,buy,185.5,10\n")
    ended = cli("score", "--fills", str(path), "--date-format", "%d/%m/%Y")
    assert ended.code == 3
    assert "give --fills-date-format '%d/%m/%Y' or '%m/%d/%Y'" in ended.err
    assert cli("score", "--fills", str(path), "--fills-date-format", "%d/%m/%Y").code == 0


def test_a_file_of_fills_that_is_none_is_one_line(cli, journal, tmp_path):
    path = tmp_path / "broker.csv"
    path.write_text("a,b\n1,2\n")
    ended = cli("score", "--fills", str(path))
    assert (ended.code, ended.out) == (3, "")
    assert "no column time, symbol, price, quantity of fills" in ended.err
