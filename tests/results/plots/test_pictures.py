"""The pictures of a symbol: what they show is what was run, which there are, and that they are reproducible."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim.backtesting import parallel
from marketsim.errors import MarketsimError, value_of
from marketsim.profiling import Clock
from marketsim.results.plots import calibration, pictures
from marketsim.results.plots.figures import figure, save
from marketsim.results.plots.symbol_pictures import SymbolPictures
from marketsim.settings.settings import Settings

pytest.importorskip("matplotlib", reason="needs the extra 'plots'")

PLACES = 9


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What a run with longs, shorts and take-profits in doubt keeps of its symbol."""
    cache = str(tmp_path_factory.mktemp("cache"))
    settings = Settings().replace(sims=25, window=20, min_t=0.0, close_at_eod="never", cache_dir=cache)
    (finished,) = parallel.stream(["NVDA"], settings, Clock(), rows=True, places=PLACES)
    return value_of(finished.outcome)


@pytest.fixture(scope="module")
def symbol(files):
    return SymbolPictures.of(files.document, files.simulations, files.equity, files.charts)


@pytest.fixture
def names(monkeypatch, tmp_path):
    """A function of a symbol that gives the names of its files, which are not rendered."""
    monkeypatch.setattr(pictures, "save", lambda drawn, path: path.touch())

    def written(symbol: SymbolPictures) -> set[str]:
        paths = pictures.draw(symbol, tmp_path)
        assert sorted(paths) == sorted(tmp_path.iterdir())
        return {path.name for path in paths}

    return written


def expected(symbol: str, *strategies: str) -> set[str]:
    shown = [f"{each}-{name}" for each in strategies for name in ("equity", "trades", "objective")]
    return {f"{symbol}-{name}{suffix}" for name in [*shown, "calibration"] for suffix in (".png", ".svg")}


def test_profits_end_where_the_document_does(files, symbol):
    rows = {row.name: row for row in files.document.rows}
    assert symbol.holding[-1] == pytest.approx(rows["buy-and-hold"].headline, abs=1e-6)
    for each in symbol.strategies:
        row = rows[each.name]
        ends = (each.headline[-1], each.worst[-1], each.best[-1], each.unfitted[-1])
        wanted = (row.headline, row.provable, row.touch, rows[f"{each.name} unfitted"].headline)
        assert ends == pytest.approx(wanted, abs=1e-6)
        assert each.in_doubt.sum() == row.ambiguous


def test_trades_that_are_certain_earn_what_was_booked(files, symbol):
    fee, slippage = files.document.costs.fee_bps / 1e4, files.document.costs.slippage_bps / 1e4
    before = np.concatenate([[np.nan], symbol.bars[:-1, 3]])
    seen = set()
    for strategy in symbol.strategies:
        earned = np.zeros(len(before))
        for leg in strategy.legs:
            sign = 1 if leg.side == "long" else -1
            at_close = np.isclose(leg.exits, symbol.bars[leg.bars, 3])
            out = leg.exits * (1 - sign * (fee + at_close * slippage * (1 - sign * fee)))
            earned[leg.bars] += sign * (out - leg.entries * (1 + sign * fee)) / before[leg.bars]
            seen |= {(leg.side, bool(each)) for each in at_close}
        certain = ~strategy.in_doubt
        certain[0] = False  # its stake, the close before it, is not among the bars
        booked = np.diff(strategy.headline, prepend=0.0)
        np.testing.assert_allclose(earned[certain], booked[certain], atol=1e-4)  # prices are in ticks
    assert len(seen) >= 3


def test_the_surface_is_highest_where_the_plan_is(symbol):
    places = np.linspace(*symbol.bounds, PLACES)
    for strategy in symbol.strategies:
        plan = strategy.fits[-1]
        allowed = places[None] - places[:, None] >= plan.floor
        assert strategy.surface[allowed].max() <= plan.profit_bps + 1
        assert strategy.surface.shape == (PLACES, PLACES)


def test_strategies_that_traded_have_pictures_in_two_formats(symbol, names):
    assert names(symbol) == expected("NVDA", "entry-exit", "always-on")


def test_those_that_did_not_are_left_out_unless_none_did(symbol, names):
    traded, idle = symbol.strategies[0], replace(symbol.strategies[1], legs=())
    assert names(replace(symbol, symbol="BRK.B", strategies=(traded, idle))) == expected("BRK.B", "entry-exit")


def test_where_nothing_was_traded_that_is_shown(symbol, names):
    idle = replace(symbol, strategies=(replace(symbol.strategies[1], legs=()),))
    assert names(idle) == expected("NVDA", "always-on")


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_numbers_make_the_same_bytes_whatever_a_model_is_called(symbol, tmp_path, suffix):
    for name in ("first", "again"):
        with figure(4.0, 3.0) as drawn:
            calibration.draw(drawn, replace(symbol, model="$\\frac{1}{<script>&"))
            save(drawn, tmp_path / f"{name}{suffix}")
    first, again = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("first", "again"))
    assert first == again
    assert first.startswith(b"\x89PNG") if suffix == ".png" else ElementTree.fromstring(first).tag.endswith("svg")


def test_a_disk_that_takes_no_picture_is_told(symbol, tmp_path):
    with pytest.raises(MarketsimError, match=r"--plots .*: cannot write there: No such file or directory"):
        pictures.draw(replace(symbol, strategies=()), tmp_path / "nowhere")
