"""`marketsim forecast`: the newest forecast, as a table and as a document."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest

from marketsim import registry
from marketsim.backtesting import pipeline
from marketsim.data.walk_forward import JUDGED
from marketsim.errors import value_of
from marketsim.forecasting.forecasts import LEVELS
from marketsim.profiling import Clock
from marketsim.settings.settings import Settings
from tests.candles import random_bars
from tests.cli.test_startup import loaded
from tests.test_readme import write_bars

QUICK = ("--sims", "5", "--window", "8")
CHANNELS = ("open", "high", "low", "close")
NAMES = (*CHANNELS, "highest", "lowest")


def document(cli, *arguments: str) -> dict:
    ended = cli("forecast", *arguments, "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def moves(bar: dict) -> np.ndarray:
    return np.array([bar[name]["moves"] for name in CHANNELS])


def shown(row: dict) -> str:
    """A row of a table whose prices need no more than two digits after the point."""
    return " ".join([*(f"{row['prices'][i]:,.2f}" for i in (0, 4, 8)), f"{100 * row['moves'][4]:+.2f}"])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Options of a small Kronos with random weights."""
    if importlib.util.find_spec("kronos_finance") is None:
        pytest.skip("the extra 'kronos' is not installed")
    from tests.models.tiny_kronos import build

    folder = tmp_path_factory.mktemp("kronos")
    build(folder)
    words = "--model kronos --device cpu --context 40 --samples 64 --weights"
    return *words.split(), str(folder)


@pytest.mark.parametrize("model", ["har", "auto", "blend:har,last-bar"])
def test_it_is_the_forecast_that_the_next_bar_plan_of_a_backtest_rests_on(model, cli):
    settings = Settings.of(model=model, sims=5, window=8, cache="off")
    (run,) = pipeline.run(["ETHUSD"], settings, Clock())
    found = document(cli, "ETHUSD", *QUICK, "--model", model, "--cache", "off")
    (symbol,) = found["symbols"]
    (bar,) = symbol["forecast"]
    forecasts = value_of(run.outcome).forecasts
    np.testing.assert_array_equal(moves(bar), forecasts.moves[-1])
    assert symbol["model"]["name"] == forecasts.model.name
    assert (symbol["after"], bar["bar"], symbol["close"]) == ("2020-12-08", "2020-12-09", 595.03)


def test_the_document_holds_every_quantile_of_every_channel(cli):
    found = document(cli, "ETHUSD", "NVDA")
    assert (found["schema"], found["horizon"], tuple(found["levels"])) == ("marketsim.forecast/1", 1, LEVELS)
    assert found["settings"]["model"] == "har"
    assert [symbol["symbol"] for symbol in found["symbols"]] == ["ETHUSD", "NVDA"]
    for symbol in found["symbols"]:
        (bar,) = symbol["forecast"]
        for name in NAMES:
            assert len(bar[name]["prices"]) == len(LEVELS)
            np.testing.assert_allclose(bar[name]["prices"], symbol["close"] * (1 + np.array(bar[name]["moves"])))
        assert bar["highest"] == bar["high"]
        assert bar["lowest"] == bar["low"]
        assert len(symbol["bars"]["fingerprint"]) == len(symbol["model"]["fingerprint"]) == 64
        assert symbol["model"]["exposure"] == {"clean": 1, "contaminated": 0, "unknown": 0}


@pytest.mark.parametrize("columns", ["80", "50"])
def test_the_table_shows_bar_quantiles_and_median_move(columns, cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    ended = cli("forecast", "eth/usd")
    assert (ended.code, ended.err) == (0, "")
    assert max(map(len, ended.out.splitlines())) <= int(columns)
    text = " ".join(ended.out.split())
    assert "har 3, fits on past bars only After 2020-12-08, close 595.03; forecast made now" in text
    (bar,) = document(cli, "ETHUSD")["symbols"][0]["forecast"]
    for name in CHANNELS:
        assert f"{name.capitalize()} {shown(bar[name])}" in text
    assert text.index("Forecast of 2020-12-09") < text.index("10 % 50 % 90 %")


def test_after_a_backtest_nothing_is_made(cli):
    for model in ("har", "auto", "blend:har,last-bar"):
        cli("backtest", "ETHUSD", *QUICK, "--model", model)
        (symbol,) = document(cli, "ETHUSD", *QUICK, "--model", model)["symbols"]
        assert symbol["made"] == 0
        assert symbol["reused"] > 0
    assert "; forecast read from the cache" in cli("forecast", "ETHUSD", *QUICK).out


def test_what_auto_picked_is_said_and_no_walk_is_forecast_for_it(cli):
    ended = cli("forecast", "ETHUSD", *QUICK, "--model", "auto")
    (picked,) = (line for line in ended.err.splitlines() if "auto picked" in line)
    name = picked.split("'")[1]
    assert f"Model  {name} " in ended.out
    assert ", picked by auto\n" in ended.out
    (symbol,) = document(cli, "ETHUSD", *QUICK, "--model", "auto")["symbols"]
    assert symbol["reused"] == JUDGED * len(registry.USUAL_MEMBERS) + 1


def test_it_forecasts_what_comes_after_the_last_bar_that_is_left(cli):
    (symbol,) = document(cli, "ETHUSD", "--end", "2020-11-30")["symbols"]
    assert (symbol["after"], symbol["forecast"][0]["bar"]) == ("2020-11-30", "2020-12-01")
    (symbol,) = document(cli, "NVDA", "--end", "2024-03-15")["symbols"]  # a Friday
    assert symbol["forecast"][0]["bar"] == "2024-03-18"


def test_settings_come_from_a_file_too(cli, tmp_path):
    (tmp_path / "mine.toml").write_text('model = "last-bar"\nend = "2020-11-30"\n')
    found = document(cli, "ETHUSD", "--config", str(tmp_path / "mine.toml"))
    assert found["symbols"][0]["model"]["name"] == "last-bar"
    assert found["symbols"][0]["after"] == "2020-11-30"


def test_bars_of_ones_own_and_too_few_of_them(cli, tmp_path):
    for count, name in ((1, "ONE"), (200, "SOME")):
        write_bars(random_bars(count), tmp_path / f"{name}.csv")
    own = ("--data", str(tmp_path))
    ended = cli("forecast", "ONE", "SOME", *own)
    assert (ended.code, ended.err) == (4, "marketsim: 1 of 2 symbols failed\n")
    assert "ONE failed: ONE: model 'har' needs 2 bars, not 1" in ended.out
    assert "Forecast of" in ended.out
    ended = cli("forecast", "ONE", "SOME", *own, "--json")
    assert [symbol["status"] for symbol in json.loads(ended.out)["symbols"]] == ["failed", "ok"]
    for model in ("har", "auto"):
        ended = cli("forecast", "ONE", *own, "--model", model)
        assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)
    ended = cli("forecast", "SOME", *own, "--model", "auto", "--sims", "300")
    assert ended.code == 3
    assert "lower --sims" in ended.err


def test_every_symbol_that_fails_says_why(cli):
    ended = cli("forecast", "XXX", "ETHUDS")
    assert (ended.code, ended.out) == (3, "")
    first, second = ended.err.splitlines()
    assert first.startswith("marketsim: no bars of XXX")
    assert "did you mean 'ETHUSD'" in second
    assert "Traceback" in cli("forecast", "XXX", "--debug").err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ("ETHUSD --horizon 0", "--horizon"),
        ("ETHUSD --horizon two", "--horizon"),
        ("ETHUSD --horizon 2", "model 'har' forecasts one bar ahead; those that can do more: kronos"),
        ("ETHUSD --horizon 2 --model auto", "model 'auto' forecasts one bar ahead"),
        ("ETHUSD --horizon 2 --model fracast", "model 'fracast' forecasts one bar ahead"),
        ("", "SYMBOL"),
        ("ETHUSD --model hat", "'har'"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_2(arguments, hint, cli):
    ended = cli("forecast", *arguments.split())
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert hint in ended.err


def test_several_bars_ahead_are_tables_and_a_document(tiny, cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    ended = cli("forecast", "NVDA", "BTCUSD", *tiny, "--horizon", "4")
    assert (ended.code, ended.err) == (0, "")
    assert max(map(len, ended.out.splitlines())) <= 80
    found = document(cli, "NVDA", "BTCUSD", *tiny, "--horizon", "4")
    assert found["horizon"] == 4
    text = " ".join(ended.out.split())
    for symbol in found["symbols"]:
        bars = symbol["forecast"]
        assert (symbol["made"], symbol["reused"]) == (0, 1)
        assert symbol["model"]["exposure"]["unknown"] == len(bars) == 4
        for extreme, channel, words, way in (
            ("highest", "high", "Highest high", 1),
            ("lowest", "low", "Lowest low", -1),
        ):
            reached, own = (np.array([bar[name]["moves"] for bar in bars]) for name in (extreme, channel))
            assert (way * np.diff(reached, axis=0) >= 0).all()
            assert (way * (reached - own) >= 0).all()
            assert f"{words} {shown(bars[-1][extreme])}" in text
        for bar in bars:
            assert f"{bar['bar']} Open {shown(bar['open'])} High {shown(bar['high'])}" in text
    assert [bar["bar"] for bar in found["symbols"][0]["forecast"]] == [  # after a Friday and before a holiday
        "2025-02-18",
        "2025-02-19",
        "2025-02-20",
        "2025-02-21",
    ]
    assert "it may have seen them" in text


def test_a_shorter_path_after_a_longer_one_needs_no_torch(tiny, cli, tmp_path):
    kept = ("--cache-dir", str(tmp_path))
    longer = document(cli, "ETHUSD", *tiny, *kept, "--horizon", "3")
    shorter = document(cli, "ETHUSD", *tiny, *kept, "--horizon", "2")
    assert longer["symbols"][0]["forecast"][:2] == shorter["symbols"][0]["forecast"]
    assert loaded("forecast", "ETHUSD", *tiny, *kept, "--horizon", "2", "--json") == (0, {"numpy"})
    assert loaded("forecast", "ETHUSD", *tiny, *kept) == (0, {"numpy", "rich.table"})


def test_too_far_ahead_is_one_line(tiny, cli):
    ended = cli("forecast", "ETHUSD", *tiny, "--horizon", "473")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "at most 472 bars after a context of 40: lower --horizon or --context" in ended.err


def test_a_bar_that_the_model_was_trained_on_is_said_to_prove_nothing(tiny, cli, tmp_path, monkeypatch):
    from marketsim.models.kronos import Kronos

    opened = Kronos.__init__

    def open_(self, *arguments):
        opened(self, *arguments)
        self.trained_until = "2020-12-10"

    monkeypatch.setattr(Kronos, "__init__", open_)
    found = document(cli, "ETHUSD", *tiny, "--horizon", "3")
    (symbol,) = found["symbols"]
    assert [bar["exposure"] for bar in symbol["forecast"]] == ["contaminated", "contaminated", "clean"]
    assert "into the model's training data" in symbol["warning"]
    assert symbol["warning"] in " ".join(cli("forecast", "ETHUSD", *tiny, "--horizon", "3").out.split())
