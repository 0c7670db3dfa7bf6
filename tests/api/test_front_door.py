"""`import marketsim`: what it offers, and that it gives what the command prints."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from msgspec import convert

import marketsim
from marketsim.auditing.schema import AuditDocument
from marketsim.cli import main, output
from marketsim.settings.settings import KEYS
from tests.candles import random_bars

SHORT = {"sims": 5, "window": 10}


def command(*arguments: str, columns: str = "200") -> str:
    program = [sys.executable, "-m", "marketsim", *arguments]
    environment = {**__import__("os").environ, "COLUMNS": columns}
    return subprocess.run(program, capture_output=True, text=True, check=True, env=environment).stdout


def test_all_is_there_and_sorted():
    assert {name: getattr(marketsim, name) for name in marketsim.__all__}.keys() == set(marketsim.__all__)
    assert marketsim.__all__ == sorted(marketsim.__all__, key=lambda name: (not name.isupper(), name.islower(), name))
    assert set(marketsim.__all__) < set(dir(marketsim))
    with pytest.raises(AttributeError, match="no attribute 'backtset'"):
        marketsim.backtset  # noqa: B018


@pytest.mark.parametrize("name", marketsim.__all__)
def test_every_public_name_is_explained(name):
    public = getattr(marketsim, name)
    if inspect.isfunction(public):
        for section in ("Parameters", "Returns", "Raises", "Examples"):
            assert f"\n{section}\n{'-' * len(section)}\n" in inspect.getdoc(public), section
    elif inspect.isclass(public):
        assert ">>>" in inspect.getdoc(public) or issubclass(public, Exception)
        for attribute, member in vars(public).items():
            if not attribute.startswith("_") and (callable(member) or isinstance(member, property)):
                assert inspect.getdoc(member), f"{name}.{attribute}"


def printed_tables(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> dict[str, list[tuple[str, ...]]]:
    """The rows of the command's tables, by the first word of their title."""
    found: dict[str, list[tuple[str, ...]]] = {}
    monkeypatch.setattr(
        output, "table", lambda title, headers, rows, words=1: found.update({title.split()[0]: [*rows]})
    )
    monkeypatch.setattr(sys, "argv", ["marketsim", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    return found


def test_the_summary_is_the_command_s_table(monkeypatch):
    summary = marketsim.backtest("ETHUSD", sims=70).summary
    tables = printed_tables(monkeypatch, "backtest", "ETHUSD", "--sims", "70", "--full")

    def signed(number: float) -> str:
        return "-" if np.isnan(number) else f"{number:+.1f}"

    def span(low: float, high: float) -> str:
        return signed(low) if low == high or np.isnan(low) else f"{signed(low)} .. {signed(high)}"

    def percent(share: float) -> str:
        return "-" if np.isnan(share) else f"{100 * share:.0f}"

    def ratio(number: float, low: float, high: float) -> tuple[str, str]:
        return ("-", "-") if np.isnan(low) else (f"{number:.2f}", f"{low:+.2f} .. {high:+.2f}")

    def whole(number: float) -> str:
        return "-" if np.isnan(number) else f"{number:,.0f}"

    rows = [row for row in summary.itertuples() if row.orders]
    assert {row.Index for row in rows} == {row[0] for row in tables["Profit"]}
    assert tables["Profit"] == [
        (
            row.Index,
            signed(row.in_sample_bps),
            signed(row.mean_bps),
            span(row.low_bps, row.high_bps),
            whole(row.smallest_edge_bps),
            whole(row.bars_for_10_bps),
        )
        for row in rows
    ]
    assert [row[1:] for row in tables["Sum"]] == [
        (signed(100 * row.headline), span(100 * row.provable, 100 * row.touch)) for row in rows
    ]
    shares = [
        (percent(row.fill_rate), percent(row.win_rate), str(row.ambiguous), percent(row.probability)) for row in rows
    ]
    asides = ["-" if np.isnan(row.stood_aside) else f"{row.stood_aside:.0f}" for row in rows]
    assert [row[1] for row in tables["Trades"]] == asides
    assert [row[2:] for row in tables["Trades"]] == [
        (str(row.trades), *cells) for row, cells in zip(rows, shares, strict=True)
    ]
    assert [row[1:] for row in tables["Risk,"]] == [
        (
            *ratio(row.sharpe, row.sharpe_low, row.sharpe_high),
            *ratio(row.sortino, row.sortino_low, row.sortino_high),
            f"{100 * row.max_drawdown:.1f}",
        )
        for row in rows
    ]


def test_to_dict_is_the_command_s_document():
    arguments = ("NVDA", "--sims", "5", "--window", "10", "--fill", "touch", "--json")
    document = json.loads(command("backtest", *arguments))
    assert marketsim.backtest("NVDA", **SHORT, fill="touch").to_dict() == document
    assert marketsim.backtest_many(["NVDA"], **SHORT, fill="touch").to_dict() == document
    document = json.loads(command("forecast", "NVDA", "--json"))
    shown = marketsim.forecast("NVDA").to_dict()
    for row in (document, shown):
        (symbol,) = row["symbols"]
        symbol.pop("made"), symbol.pop("reused")
    assert shown == document


def test_the_tables_of_a_result_belong_together():
    result = marketsim.backtest("NVDA", **SHORT)
    assert result.equity.iloc[-1].to_dict() == pytest.approx(result.summary.headline.to_dict())
    assert len(result.equity) == 5
    per_bar = result.simulations.groupby("strategy")["expected"].sum()
    assert per_bar.to_dict() == pytest.approx(result.summary.headline[per_bar.index].to_dict())
    assert result.simulations.evaluated.max() == result.equity.index[-1]
    assert str(result.equity.index.tz) == "UTC"
    assert list(result.plan.index) == ["entry-exit", "always-on"]
    assert result.verdict in repr(result)


def test_bars_in_memory_give_what_their_symbol_gives():
    bars = marketsim.load_bars("NVDA")
    named, given = marketsim.backtest("NVDA", **SHORT), marketsim.backtest(bars, **SHORT)
    pd.testing.assert_frame_equal(given.summary, named.summary)
    frame = marketsim.Bars.from_frame(bars.to_frame(), symbol="NVDA")
    pd.testing.assert_frame_equal(marketsim.backtest(frame, **SHORT).summary, named.summary)
    assert marketsim.forecast(bars).prices.equals(marketsim.forecast("NVDA").prices)
    older = marketsim.backtest(bars, end="2020-01-31", **SHORT)
    assert older.simulations.evaluated.max() == pd.Timestamp("2020-01-31", tz="UTC")


def test_a_file_is_read_by_its_name_its_column_or_the_symbol_given(tmp_path):
    bars = random_bars(30)
    path = tmp_path / "eth-usd.csv"
    bars.to_frame().to_csv(path)
    assert marketsim.read_bars(path).symbol == "ETHUSD"
    two = pd.concat([bars.to_frame().assign(symbol=name) for name in ("AAA", "BBB")])
    two.to_csv(tmp_path / "two.csv")
    assert len(marketsim.read_bars(tmp_path / "two.csv", "BBB")) == 30
    found = marketsim.read_bars(tmp_path / "two.csv")
    assert isinstance(found, dict)
    assert {symbol: len(bars) for symbol, bars in found.items()} == {"AAA": 30, "BBB": 30}


NOT_BELOW_MAIN = """
import json, marketsim
found = marketsim.backtest_many(["ETHUSD", "NOSUCH", "NVDA"], workers=2, **{!r})
print(json.dumps(found.to_dict()))
"""


def test_many_symbols_fail_one_by_one_and_are_the_same_in_two_processes(tmp_path):
    here = marketsim.backtest_many(["ETHUSD", "NOSUCH", "NVDA"], **SHORT)
    assert list(here) == ["ETHUSD", "NVDA"]
    assert isinstance(here.failures["NOSUCH"], marketsim.DataError)
    with pytest.raises(marketsim.DataError, match="NOSUCH"):
        here["NOSUCH"]
    with pytest.raises(KeyError, match="did you mean 'NVDA'"):
        here["NVDX"]
    assert here.summary.loc["NVDA"].equals(here["NVDA"].summary)
    script = tmp_path / "not_below_main.py"
    script.write_text(NOT_BELOW_MAIN.format(SHORT))
    there = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert (json.loads(there.stdout), there.stderr) == (here.to_dict(), "")


def test_models_are_compared_by_name_and_in_memory():
    compared = marketsim.compare_models(["ETHUSD", "NVDA"], ["har", "last-bar"], **SHORT)
    assert list(compared.forecasts.index) == [(s, m) for s in ("ETHUSD", "NVDA") for m in ("har", "last-bar")]
    assert len(compared.profits) == 8
    assert compared.profits["low_bps"].dtype == float
    alone = marketsim.backtest("NVDA", model="last-bar", **SHORT).summary
    profits = compared.profits.loc[("NVDA", "last-bar")].set_index("strategy")
    assert profits.mean_bps.to_dict() == pytest.approx(alone.mean_bps[profits.index].to_dict())


def test_forecasts_are_scored_as_the_command_scores_them():
    scored = marketsim.score_forecasts("NVDA", ["har", "last-bar"], count=20)
    arguments = ("NVDA", "--models", "har,last-bar", "--bars", "20", "--cache", "off", "--json")
    mine = scored.to_dict()
    document = json.loads(command("score-forecasts", *arguments))
    for each in (document, mine):
        for row in each["symbols"][0]["models"]:
            row.pop("made"), row.pop("reused")
    assert mine == document
    assert list(scored.scores.index) == [
        ("NVDA", model, price) for model in ("har", "last-bar") for price in ("open", "high", "low", "close")
    ]
    high = document["symbols"][0]["models"][1]["high"]
    assert scored.scores.pinball_bps["NVDA", "last-bar", "high"] == high["pinball_bps"]
    assert scored.skills.skill["NVDA", "last-bar", "high", "har"] == high["skills"][0]["skill"]
    assert ("NVDA", "har", "together", "last-bar") in scored.skills.index
    assert scored.pit.loc["NVDA", "last-bar", "high"].tolist() == high["pit"]
    assert scored.failures == {}
    assert repr(marketsim.score_forecasts("NVDA", "last-bar", count=10)) == "<ForecastScores last-bar>"
    failed = marketsim.score_forecasts(["NOPE", "NVDA"], ["last-bar", "kronos"], weights="none", count=10).failures
    assert failed.keys() == {("NOPE", ""), ("NVDA", "kronos")}


@pytest.mark.usefixtures("no_processes")
def test_an_audit_finds_what_the_command_finds():
    class Peeking:
        trained_until = None

        def forecast(self, series, origins):
            after = series.ohlcv[np.minimum(origins + 1, len(series) - 1), :4]
            moves = after / series.ohlcv[origins, 3, None] - 1
            return moves[..., None] + np.linspace(-0.01, 0.01, 9)

    bars, plain = random_bars(80), {"strategy": "entry-exit", "fill": "provable"}
    audited = marketsim.audit(bars, model=Peeking(), sims=6, window=5, origins=1, **plain)
    assert not audited.passed and "defect" in repr(audited)
    assert not audited.checks.passed["TEST", "each origin alone"]
    assert audited.checks["first.channel"]["TEST", "future cut"] in ("open", "high", "low", "close")
    assert (audited.profits.as_run_bps > audited.profits.alone_bps).all()
    honest = marketsim.audit([bars], model="last-bar", sims=26, window=6, origins=1, **plain)
    assert honest.passed and honest.plausibility.bars["TEST"] == 31
    assert repr(honest) == "<AuditResult last-bar on TEST: passed>"
    close = np.append(bars.close[1:], bars.close[-1])
    knowing = pd.DataFrame({"origin": bars.names(), "high": 1.01 * close, "low": 0.99 * close, "close": 1.001 * close})
    given = marketsim.audit(bars, forecasts=knowing, sims=3, window=3, origins=1, **plain)
    assert given.passed and repr(given) == "<AuditResult DataFrame on TEST: passed, implausible>"
    assert convert(honest.to_dict(), AuditDocument).passed
    with pytest.raises(marketsim.DataError, match="no bars of NOPE"):
        marketsim.audit("NOPE")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: marketsim.audit("ETHUSD", origins=0), "audit(origins=...): got 0, must be 1 or more"),
        (lambda: marketsim.audit("ETHUSD", origins="3"), "audit(origins=...): got '3', must be a whole number"),
        (lambda: marketsim.forecast("ETHUSD", horizon=1.5), "forecast(horizon=...): got 1.5, must be a whole number"),
        (lambda: marketsim.score_forecasts("ETHUSD", []), "score_forecasts() needs a model"),
        (lambda: marketsim.audit(random_bars(99), workers=2), "need symbols and a model by name"),
        (lambda: marketsim.score_forecasts("ETHUSD", ["har", "har"]), "score_forecasts(): 'har' is the name of two"),
        (lambda: marketsim.backtest("ETHUSD", simz=5), "backtest() has no setting 'simz'; did you mean 'sims'?"),
        (lambda: marketsim.backtest("ETHUSD", sims=0), "backtest(sims=...): got 0, must be 1 or more"),
        (lambda: marketsim.backtest("ETHUSD", model="hat"), "did you mean 'har'?"),
        (lambda: marketsim.backtest("ETHUSD", cache_url="mysql://me:secret@host"), "backtest(cache_url=...)"),
        (lambda: marketsim.forecast("ETHUSD", fill="touch"), "forecast() has no setting 'fill'"),
        (lambda: marketsim.forecast("ETHUSD", horizon=2), "model 'har' forecasts one bar ahead"),
        (lambda: marketsim.backtest(pd.DataFrame()), "not DataFrame; marketsim.Bars.from_frame(frame, symbol=...)"),
        (lambda: marketsim.backtest(random_bars(99), data="x.csv"), "goes with the name of a symbol"),
        (lambda: marketsim.backtest_many([]), "backtest_many() needs a symbol"),
        (lambda: marketsim.backtest_many([random_bars(99)], workers=2), "need symbols and a model by name"),
        (lambda: marketsim.compare_models("ETHUSD", ["har", "har"]), "'har' is the name of two models"),
    ],
)
def test_a_call_that_cannot_be_meant_is_one_clear_error(call, words):
    with pytest.raises(marketsim.UsageError) as caught:
        call()
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


def test_settings_are_keywords_in_the_signature_and_come_from_the_environment_too(monkeypatch):
    parameters = inspect.signature(marketsim.backtest).parameters
    assert {*KEYS, "bars"} == set(parameters)
    assert all(parameters[key].kind is inspect.Parameter.KEYWORD_ONLY for key in KEYS)
    monkeypatch.setenv("MARKETSIM_SIMS", "3")
    assert len(marketsim.backtest("ETHUSD", window=10, sims=None).equity) == 3
    assert len(marketsim.backtest("ETHUSD", window=np.int64(10), sims=4, bounds=(-0.01, 0.01)).equity) == 4


def test_a_notebook_shows_tables_and_no_markup_of_others():
    bars = random_bars(40)
    html = marketsim.backtest(bars, **SHORT)._repr_html_()
    assert html.count("<table") == 2
    assert "buy-and-hold" in html
    many = marketsim.backtest_many(["ETHUSD", "<b>"], **SHORT)._repr_html_()
    assert "<b>" not in many
    assert "<table" in marketsim.forecast("ETHUSD")._repr_html_()
    assert "<table" in marketsim.score_forecasts("ETHUSD", ["last-bar"], count=10)._repr_html_()
    assert "<table" in marketsim.compare_models("ETHUSD", ["last-bar"], **SHORT)._repr_html_()


def test_nothing_heavy_is_imported_before_it_is_needed():
    program = """
import sys, marketsim
marketsim.DataError
assert "numpy" not in sys.modules
result = marketsim.backtest("ETHUSD", sims=3, window=5)
result.verdict, result.to_dict()
print(sorted({"pandas", "scipy", "torch", "rich", "typer"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
