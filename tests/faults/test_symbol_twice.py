"""A symbol given twice, in whatever spelling, is run once."""

from __future__ import annotations

import marketsim

OPTIONS = {"sims": 2, "window": 5, "model": "last-bar", "strategy": "always-on", "cache": "off"}


def test_python_runs_it_once_as_the_command_does() -> None:
    once = marketsim.backtest("ETHUSD", **OPTIONS)
    many = marketsim.backtest_many(["ETHUSD", "ethusd", "ETH/USD"], **OPTIONS)
    assert list(many) == ["ETHUSD"]
    assert many["ETHUSD"].to_dict() == once.to_dict()
