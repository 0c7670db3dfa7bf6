"""What --json prints keeps to the schemas in docs/schemas, which are those of the classes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import jsonschema
import pytest
import typer

from marketsim.auditing import selftest
from marketsim.cli.app import make_app
from marketsim.journal.journal import Journal
from tests.cli.test_commands import QUICK
from tests.journal.test_timestamps import open_timestamps
from tests.schemas import PLACE, texts

SEAL = "plan ETHUSD NVDA --sims 12 --window 5 --now 2020-12-09T00:30 --end 2020-12-08 --seal"
COMMANDS = {
    "backtest": "backtest ETHUSD NVDA NOPE --sims 12 --window 5",
    "fast": "fast ETHUSD --sims 2 --window 5",
    "plan": "plan ETHUSD NVDA NOPE --sims 12 --window 5 --capital 1e5 --now 2020-12-09T00:30 --end 2020-12-08",
    "forecast": "forecast ETHUSD NOPE",
    "forecast --history": "forecast ETHUSD NOPE --sims 2 --window 3 --history --output {place}/mine.csv",
    "fills": "fills ETHUSD --sims 3 --window 5",
    "score-forecasts": "score-forecasts ETHUSD NOPE --models har,last-bar --bars 12",
    "calibration": "calibration AAPL --fine 1h",
    "compare-models": "compare-models ETHUSD NOPE --models har,last-bar --sims 3 --window 5",
    "compare-optimizers": "compare-optimizers NVDA --optimizers exact,brute --sims 2 --window 5 --budget 50",
    "audit": "audit ETHUSD NOPE --sims 3 --window 5 --origins 1",
    "config": "config",
    "explain": "explain Sharpe",
    "models list": "models list",
    "models new": "models new {place}/mine.py",
    "data list": "data list",
    "data check": "data check ETHUSD NOPE",
    "data show": "data show ETHUSD",
    "data convert": "data convert ETHUSD --to {place}/converted",
    "data resample": "data resample AAPL --timeframe 1h --to {place}/days",
    "cache info": "cache info",
    "cache verify": "cache verify ETHUSD",
    "cache prune": "cache prune --older-than 1",
    "cache clear": "cache clear",
    "journal list": "journal list --journal {place}/journal",
    "journal show": "journal show 1 2 --journal {place}/journal",
    "journal verify": "journal verify --journal {place}/journal",
    "journal attach": "journal attach {place}/stamp --journal {place}/journal",
    "journal replay": "journal replay --journal {place}/journal",
    "journal export": "journal export --journal {place}/journal",
    "plan --seal": f"{SEAL} --journal {{place}}/another",
    "evening": "evening ETHUSD --sims 12 --window 5 --now 2020-12-09T00:30 --end 2020-12-08 --journal {place}/other",
    "score": "score --journal {place}/journal",
    "report": "report {place}/a",
    "runs list": "runs list {place}",
    "runs show": "runs show {place}/a",
    "runs compare": "runs compare {place}/a {place}/b",
}
ELSEWHERE = {  # why
    "profile": "takes long; tests/cli/test_profile.py checks its document",
    "data fetch": "needs a provider; tests/cli/test_fetch.py checks its document",
}


def leaves(command: typer.core.TyperGroup, path: str = "") -> Iterator[str]:
    """Every command with --json."""
    for name, sub in command.commands.items():
        here = f"{path} {name}".strip()
        if hasattr(sub, "commands"):
            yield from leaves(sub, here)
        elif any("--json" in parameter.opts for parameter in sub.params):
            yield here


def test_every_command_with_a_document_is_held_to_a_schema():
    commands = set(leaves(typer.main.get_command(make_app([], whole=True))))
    assert commands == {name.partition(" --")[0] for name in COMMANDS} | ELSEWHERE.keys()


def test_the_schemas_are_those_of_the_classes():
    written = {path.name: path.read_text() for path in PLACE.glob("*.json")}
    assert written == texts(), "scripts/schemas writes them anew"


@pytest.fixture
def place(cli, tmp_path):
    for name, more in (("a", ()), ("b", ("--fill", "touch"))):
        cli("backtest", "ETHUSD", *QUICK, *more, "--output", str(tmp_path / name))
    return tmp_path


@pytest.fixture
def sealed(cli, tmp_path):
    cli(*SEAL.split(), "--journal", str(tmp_path / "journal"))
    digest = bytes.fromhex(Journal(str(tmp_path / "journal")).entries()[0].hash)
    (tmp_path / "stamp").write_bytes(open_timestamps(digest))


@pytest.mark.usefixtures("no_processes")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_document_keeps_to_its_schema(command, cli, request, tmp_path):
    words = COMMANDS[command]
    if command.startswith(("runs", "report")):
        request.getfixturevalue("place")
    if command.startswith(("journal", "score")) and command != "score-forecasts":
        request.getfixturevalue("sealed")
    ended = cli(*words.format(place=tmp_path).split(), "--json")
    assert ended.code in (0, 4), ended.err
    document = json.loads(ended.out)
    schema = json.loads((PLACE / f"{document['schema'].removeprefix('marketsim.').replace('/', '-')}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(document | {"another": 1})


def test_the_selftest_of_the_audit_keeps_to_its_schema(cli, monkeypatch):
    monkeypatch.setattr(selftest, "LEAKS", selftest.LEAKS[:1])
    document = json.loads(cli("audit", "--selftest", "--json").out)
    jsonschema.validate(document, json.loads((PLACE / "audit.selftest-1.json").read_text()))


def test_the_timing_of_a_run_keeps_to_its_schema(place):
    document = json.loads((place / "a" / "timing.json").read_text())
    jsonschema.validate(document, json.loads((PLACE / "timing-1.json").read_text()))
