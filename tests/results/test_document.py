"""Documents and files: rows add up, verdicts say what the numbers say, files are whole and equal."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from marketsim.backtesting import pipeline
from marketsim.errors import Failure, value_of
from marketsim.profiling import Clock
from marketsim.results.document import backtest_document, equity_rows, simulation_rows, symbol_document
from marketsim.results.encoding import to_json
from marketsim.results.metrics import max_drawdown
from marketsim.results.result import Result, SymbolRun
from marketsim.results.schema import FailedSymbol
from marketsim.results.significance import mean_interval
from marketsim.settings.choices import FILLS
from marketsim.settings.settings import Settings

SETTINGS = Settings.of(sims=20, window=20, strategy="all", cache="off")


@pytest.fixture(scope="module")
def runs() -> list[SymbolRun]:
    return pipeline.run(["NVDA", "ETHUSD", "NOPE"], SETTINGS, Clock())


@pytest.fixture(scope="module")
def result(runs: list[SymbolRun]) -> Result:
    return value_of(runs[0].outcome)


def test_the_rows_of_the_document_add_up_from_the_simulations(runs: list[SymbolRun]) -> None:
    for run in runs[:2]:
        result = value_of(run.outcome)
        simulations = list(simulation_rows(result))
        for row in symbol_document(result).rows:
            mine = [each for each in simulations if each.strategy == row.name]
            if row.kind == "baseline":
                assert not mine and row.in_sample_bps is None and row.stood_aside is None
                continue
            assert row.provable == pytest.approx(sum(each.provable for each in mine))
            assert row.expected == pytest.approx(sum(each.expected for each in mine))
            assert row.touch == pytest.approx(sum(each.touch for each in mine))
            returns = np.array([each.expected for each in reversed(mine)])
            assert row.headline == row.expected
            likely = [each.probability for each in mine if each.probability is not None]
            assert row.probability == (pytest.approx(np.mean(likely)) if likely else None)
            assert all(each.ambiguous == (each.probability is not None) for each in mine)
            assert row.mean_bps == pytest.approx(1e4 * returns.mean())
            if row.trades:
                interval = mean_interval(1e4 * returns, SETTINGS.seed)
                ends = (None, None) if interval is None else pytest.approx((interval.low, interval.high))
                assert (row.low_bps, row.high_bps) == ends
            assert row.in_sample_bps == pytest.approx(
                1e4 * np.mean([0 if each.stood_aside else each.in_sample for each in mine]) / 20
            )
            assert row.stood_aside == sum(each.stood_aside for each in mine)
            assert row.orders == sum(each.orders for each in mine)
            assert row.trades == sum(each.trades for each in mine)
            assert row.ambiguous == sum(each.ambiguous for each in mine)


def test_equity_is_the_running_sum_of_every_row(result: Result) -> None:
    last = {row.name: row for row in equity_rows(result)}
    for row in symbol_document(result).rows:
        sums = last[row.name]
        assert [sums.provable, sums.expected, sums.touch] == pytest.approx([row.provable, row.expected, row.touch])


def test_buy_and_hold_is_the_change_of_price_less_costs(result: Result) -> None:
    close = result.bars.close[-21:]
    (row,) = (row for row in symbol_document(result).rows if row.name == "buy-and-hold")
    growth = close[-1] / close[0]
    bought, sold = 1.0005 * 1.0005, 0.9995 * 0.9995  # fee and slippage on market orders
    assert row.provable == row.expected == row.touch == pytest.approx(growth * sold - bought)
    assert (row.trades, row.ambiguous) == (1, 0)
    assert row.win_rate == float(row.provable > 0)


def test_forecast_close_trades_when_its_side_changes() -> None:
    from marketsim.execution.baselines import forecast_close
    from marketsim.execution.profit_terms import Costs

    close = np.array([100.0, 110.0, 99.0, 99.0, 108.9])
    moves = np.array([0.01, 0.02, -0.01, 0.01])
    flat = forecast_close(close, moves, False, Costs(0.001, 0.0))
    assert flat.trades[::-1].tolist() == [1, 0, 0, 1] and flat.wins[::-1].tolist() == [0, 0, 0, 1]
    expected = [0.1 - 0.001, -0.1 - 0.001 * 0.9, 0.0, 0.1 - 0.001 - 0.001 * 1.1]
    assert flat.profits["touch"][::-1] == pytest.approx(expected)
    short = forecast_close(close, moves, True, Costs(0.001, 0.0))
    assert short.trades[::-1].tolist() == [1, 0, 1, 1]
    assert short.profits["provable"][::-1][2] == pytest.approx(-0.001 - 0.001)


def test_a_failed_symbol_is_a_row_with_its_reason(runs: list[SymbolRun]) -> None:
    assert isinstance(runs[2].outcome, Failure)
    failed = backtest_document(runs, SETTINGS).symbols[2]
    assert isinstance(failed, FailedSymbol)
    assert failed.exit_code == 3 and "NOPE" in failed.error


def test_documents_are_json_without_nan_and_name_all_they_rest_on(runs: list[SymbolRun]) -> None:
    text = to_json(backtest_document(runs, SETTINGS))
    document = json.loads(text)
    assert document["schema"] == "marketsim.backtest/2"
    assert document["settings"]["seed"] == 42 and "seconds" not in text
    symbol = document["symbols"][0]
    assert set(symbol["libraries"]) == {"python", "numpy"}
    assert len(symbol["bars"]["fingerprint"]) == len(symbol["model"]["fingerprint"]) == 64
    assert symbol["costs"] == {"fee_bps": 5.0, "slippage_bps": 5.0}
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"profit": float("nan")})


def test_a_document_comes_back_from_its_text_as_it_was(runs: list[SymbolRun]) -> None:
    document = backtest_document(runs, SETTINGS)
    assert msgspec.json.decode(to_json(document), type=type(document)) == document


def test_few_simulations_have_no_interval() -> None:
    (run,) = pipeline.run(["NVDA"], SETTINGS.replace(sims=9), Clock())
    assert symbol_document(value_of(run.outcome)).rows[0].low_bps is None


@pytest.mark.parametrize("fill", FILLS)
def test_the_headline_is_that_of_the_fill_policy_and_the_rest_that_of_the_one_that_decides(fill: str) -> None:
    settings = SETTINGS.replace(fill=fill, strategy="always-on", close_at_eod="never", min_t=1)
    (run,) = pipeline.run(["BTCUSD"], settings, Clock())
    result = value_of(run.outcome)
    returns = result.strategies[0].profits[fill][::-1]
    others = [result.strategies[0].profits[other][::-1] for other in FILLS if other != fill]
    assert all((returns != other).any() for other in others)
    document = symbol_document(result)
    row, tested = document.rows[0], document.evidence.strategies[0]
    assert row.headline == pytest.approx(returns.sum())
    assert document.evidence.fill == ("expected" if fill == "touch" else fill)
    returns = result.strategies[0].profits[document.evidence.fill][::-1]
    interval = mean_interval(1e4 * returns, settings.seed)
    assert interval is not None
    assert (row.mean_bps, row.low_bps, row.high_bps) == (tested.mean_bps, tested.low_bps, tested.high_bps)
    assert [row.mean_bps, row.low_bps, row.high_bps] == pytest.approx(
        [1e4 * returns.mean(), interval.low, interval.high]
    )
    assert row.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(365))
    assert row.max_drawdown == max_drawdown(returns)


def test_unfitted_follows_a_fixed_closing_policy() -> None:
    tracks = []
    for policy in ("always", "never"):
        settings = SETTINGS.replace(sims=70, close_at_eod=policy, strategy="always-on")
        (run,) = pipeline.run(["ETHUSD"], settings, Clock())
        tracks.append(value_of(run.outcome).baselines[0])
    assert tracks[0].name == "unfitted"
    assert not tracks[0].ambiguous.any()
    assert (tracks[0].profits["touch"] != tracks[1].profits["touch"]).any()


def test_results_do_not_name_the_cache(runs: list[SymbolRun], tmp_path: Path) -> None:
    documents = [
        backtest_document(runs, SETTINGS.replace(cache=mode, cache_dir=str(tmp_path))) for mode in ("off", "refresh")
    ]
    assert documents[0] == documents[1]
