"""`marketsim calibration`: the probabilities of fills, checked by finer bars."""

from __future__ import annotations

import json


def test_the_command_shows_tenths_and_a_score(cli):
    ended = cli("calibration", "AAPL", "--fine", "1h")
    assert ended.code == 0
    text = " ".join(ended.out.split())
    assert "Fine 1h: 329 of 329 bars" in text
    assert "Brier score 0.153, against 0.233 of a constant" in text
    document = json.loads(cli("calibration", "AAPL", "--fine", "1h", "--json").out)
    assert document["schema"] == "marketsim.calibration/1"
    assert len(document["calibrated"]["tenths"]) == 10
    ended = cli("calibration", "AAPL")
    assert (ended.code, "--fine" in ended.err) == (2, True)
