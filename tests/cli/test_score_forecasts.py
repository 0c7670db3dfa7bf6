import json

from marketsim.cli.score_forecasts import _histogram
from tests.cli.test_startup import loaded

QUICK = ("--bars", "40")


def test_tables_say_how_good_and_whether_it_is_chance(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = cli("score-forecasts", "ETHUSD", "--models", "har,last-bar", "--models", "blend:har,last-bar", *QUICK)
    assert (done.code, done.err) == (0, "")
    for words in ("Forecasts scored on 40 bars", "blend:har,last-bar", "CRPS", "PIT", "chance", "better", "Resolution"):
        assert words in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_json_is_one_document_and_a_missing_symbol_a_row(cli):
    done = cli("score-forecasts", "ETHUSD", "NOPE", "--models", "har", *QUICK, "--json")
    document = json.loads(done.out)
    assert (done.code, document["schema"]) == (4, "marketsim.score-forecasts/1")
    assert [row["status"] for row in document["symbols"]] == ["ok", "failed"]
    assert document["settings"]["seed"] == 42


def test_when_nothing_succeeds_the_reason_is_given(cli):
    done = cli("score-forecasts", "NOPE", "--models", "har", *QUICK)
    assert (done.out, done.code, done.err.count("\n")) == ("", 3, 1)
    assert cli("score-forecasts", "ETHUSD", "--models", "hat").code == 2


def test_a_model_that_is_not_installed_is_a_line_of_its_own(cli, monkeypatch):
    monkeypatch.setattr("marketsim.models.fracast.Fracast.installed", lambda *_: False)
    done = cli("score-forecasts", "ETHUSD", "--models", "har,fracast", *QUICK)
    assert done.code == 4
    assert "fracast: model 'fracast' needs the extra 'fracast'" in " ".join(done.out.split())


def test_bars_of_the_histogram_are_half_as_high_where_shares_are_right():
    assert _histogram([0.1] * 10) == "▄" * 10
    assert _histogram([0.0, 0.3, 0.2, 0.05]) == "▁▅▃▁"


def test_scores_need_no_torch(tmp_path):
    words = ["score-forecasts", "ETHUSD", "--cache-dir", str(tmp_path), *QUICK, "--json"]
    for _ in range(2):
        assert loaded(*words) == (0, {"numpy", "scipy"})
    assert loaded("score-forecasts", "--help") == (0, set())


def test_a_file_of_har_s_own_forecasts_scores_as_har_does(cli, tmp_path):
    file = str(tmp_path / "har.csv")
    assert cli("forecast", "ETHUSD", "--history", "--output", file, "--sims", "30", "--window", "20").code == 0
    done = cli("score-forecasts", "ETHUSD", "--forecasts", file, "--models", "last-bar", *QUICK, "--json")
    assert done.code == 0
    mine, last = json.loads(done.out)["symbols"][0]["models"]
    assert (mine["model"], last["model"]) == (file, "last-bar")
    assert [each["verdict"] for each in mine["together"] if each["against"] == "har"] == ["same"]
    assert mine["exposure"]["unknown"] == 40
    missing = cli("score-forecasts", "ETHUSD", "--forecasts", file, "--models", "last-bar", "--bars", "60")
    assert missing.code == 4
    assert "10 of 60" in " ".join(missing.out.split())


PEEKING = """
import numpy as np

class Peeking:
    trained_until = None

    def forecast(self, series, origins):
        after = np.minimum(origins + 1, len(series) - 1)
        moves = series.ohlcv[after, :4] / series.ohlcv[origins, 3, None] - 1
        return moves[..., None] + np.linspace(-0.02, 0.02, 9)
"""


def test_a_model_that_looks_ahead_has_no_scores(cli, tmp_path):
    (tmp_path / "peeking.py").write_text(PEEKING)
    model = f"{tmp_path / 'peeking.py'}:Peeking"
    done = cli("score-forecasts", "ETHUSD", "--models", f"har,{model}", *QUICK, "--json")
    har, mine = json.loads(done.out)["symbols"][0]["models"]
    assert (done.code, har["status"], mine["status"]) == (5, "ok", "failed")
    assert cli("score-forecasts", "ETHUSD", "--models", model, *QUICK).code == 5
