"""A symbol given twice, in whatever spelling, is run once."""

from __future__ import annotations

import marketsim

OPTIONS = {"sims": 2, "window": 5, "model": "last-bar", "strategy": "always-on", "cache": "off"}


def test_python_runs_it_once_as_the_command_does() -> None:
    once = marketsim.backtest("ETHUSD", **OPTIONS)
    many = marketsim.backtest_many(["ETHUSD", "ethusd", "ETH/USD"], **OPTIONS)
    assert list(many) == ["ETHUSD"]
    assert many["ETHUSD"].to_dict() == once.to_dict()


def test_python_says_so_once_and_counts_as_tried_what_was_run() -> None:
    options = OPTIONS | {"sims": 30, "window": 10, "min_t": 0}
    many = marketsim.backtest_many(["ETHUSD", "ethusd", "NVDA", "ETH/USD"], **options)
    assert [note for note in many.notes if "given" in note] == [
        f"'{again}' is ETHUSD, which was given before: it is run once" for again in ("ethusd", "ETH/USD")
    ]
    document = many.to_dict()
    assert document["reality_check"]["tried"] == 2, "a strategy of two symbols"
    p = {each["symbol"]: each["evidence"]["strategies"][0]["p"] for each in document["symbols"]}
    best = min(p, key=lambda symbol: p[symbol])
    assert document["reality_check"] == {"tried": 2, "best": f"{best} always-on", "p": p[best]}
    assert p["NVDA"] != p["ETHUSD"]
    assert [each["evidence"]["tried"] for each in document["symbols"]] == [2, 2]
    alone = marketsim.backtest_many(["ETHUSD", "ethusd"], **options)
    assert alone["ETHUSD"].document["evidence"]["tried"] == 1
    assert alone["ETHUSD"].document == marketsim.backtest("ETHUSD", **options).document
