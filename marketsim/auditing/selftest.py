"""The audit's self-test: ten planted leaks must be caught, and their clean twins must pass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec import Struct

from marketsim.auditing.chain import Chain
from marketsim.auditing.leaks import LEAKS, KeyWithoutCalendar, Twin
from marketsim.auditing.symbol_audit import SymbolAudit, audit_symbol
from marketsim.backtesting.pipeline import Tools, open_optimizer, walk_over
from marketsim.data.bars import Bars, make_bars
from marketsim.data.calendars.calendar import open_calendar
from marketsim.data.memory import MemorySource
from marketsim.forecasting.keys import keys_of
from marketsim.settings.settings import Settings

BARS = 140
SPLIT = 125  # the bar on which one share becomes ten
CUTS = 3
SETTINGS = Settings.of(sims=24, window=8, strategy="entry-exit", fill="provable", min_t=0.0, cache="off")

Progress = Callable[[str, int, int], None]


class LeakTried(Struct, frozen=True):
    """A leak and its twin, audited."""

    kind: type[Twin]
    leak: SymbolAudit
    twin: SymbolAudit

    @property
    def passed(self) -> bool:
        """Whether the leak was caught and its twin passed."""
        return self.twin.passed and not self.leak.passed


def selftest(seed: int, progress: Progress = lambda what, done, total: None) -> list[LeakTried]:
    """Audit every leak and every twin on random bars."""
    tried = []
    for i, kind in enumerate(LEAKS):
        progress("leaks", i, len(LEAKS))
        tried.append(LeakTried(kind, audit_twin(kind(leaks=True), seed), audit_twin(kind(leaks=False), seed)))
    return tried


def audit_twin(twin: Twin, seed: int) -> SymbolAudit:
    """The audit of a leak or of a clean twin."""
    bars, beside = random_bars("LEAK", seed), random_bars("OTHER", seed + 1)
    tools = Tools(MemorySource([bars, beside]), twin, open_optimizer("exact", "cpu"), None)
    chain = Chain(tools, SETTINGS, twin.keys if isinstance(twin, KeyWithoutCalendar) else keys_of)
    return audit_symbol(chain, bars, walk_over(bars, SETTINGS.walk, twin), beside, CUTS, seed)


def random_bars(symbol: str, seed: int) -> Bars:
    """A random walk of sessions, with a split, and with volumes of which half are missing."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.005, (BARS, 8))
    path = 100 * np.exp(np.cumsum(steps.ravel()).reshape(BARS, 8))
    path[SPLIT:] /= 10
    volume = np.where(rng.random(BARS) < 0.5, np.nan, rng.lognormal(5, 1, BARS))
    volume[0] = 100.0
    ohlcv = np.stack([path[:, 0], path.max(1), path.min(1), path[:, -1], volume], 1)
    days = open_calendar("XNYS").sessions(np.datetime64("2020-01-02"), np.datetime64("2021-01-02"))[:BARS]
    return make_bars(symbol, "random", days.astype("datetime64[s]"), ohlcv, crypto=False)
