import json

QUICK = ("--sims", "10", "--window", "8")


def test_tables_name_models_losses_and_alpha(cli):
    done = cli("compare-models", "ETHUSD", "--models", "har,last-bar", "--models", "blend:har,last-bar", *QUICK)
    assert done.code == 0
    for words in (
        "har",
        "last-bar",
        "blend:har,last-bar",
        "Pinball loss",
        "80 % band",
        "Alpha: profit over a benchmark's",
        "buy-and-hold",
        "har unfitted",
    ):
        assert words in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_json_is_one_document(cli):
    done = cli("compare-models", "ETHUSD", "NOPE", "--models", "har", *QUICK, "--json")
    document = json.loads(done.out)
    assert (done.code, document["schema"]) == (4, "marketsim.compare-models/4")
    assert [row["status"] for symbol in document["symbols"] for row in symbol["models"]] == ["ok", "failed"]


def test_when_nothing_succeeds_the_first_reason_is_given(cli):
    done = cli("compare-models", "NOPE", "--models", "har", *QUICK)
    assert (done.out, done.err.count("\n")) == ("", 1)
    assert done.code == 3
    assert "NOPE" in done.err


def test_models_must_be_known(cli):
    done = cli("compare-models", "ETHUSD", "--models", "har,hat")
    assert done.code == 2
    assert "did you mean 'har'" in done.err
