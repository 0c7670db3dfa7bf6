"""Sealed plans replayed: the same to the last bit on the same bars, or the first difference by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from marketsim.data import open_source
from marketsim.journal.entry import Sealed
from marketsim.journal.journal import Journal
from marketsim.journal.replay import Replayed, replay
from marketsim.settings.settings import Settings
from tests.journal.evenings import plans_now

NOW = "2020-08-01T00:30"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of two series in files of their own."""
    place = tmp_path_factory.mktemp("evening")
    (place / "bars").mkdir()
    for symbol in ("ETHUSD", "GOOG"):
        bars = open_source("sample").load(symbol).between(None, "2020-09-30").to_frame()
        bars.rename_axis("date").to_csv(place / "bars" / f"{symbol}.csv")
    return Settings.of(
        data=str(place / "bars"),
        journal=str(place / "journal"),
        cache_dir=str(place / "cache"),
        end="2020-07-31",
        now=NOW,
        sims=12,
        window=20,
        min_t=0.0,
    )


@pytest.fixture(scope="module")
def sealed(settings: Settings) -> list[Sealed]:
    plans = plans_now(["GOOG", "ETHUSD"], settings)
    return Journal(settings.journal_place.journal).append(plans, NOW).sealed


def again(sealed: list[Sealed], settings: Settings) -> dict[str, Replayed]:
    return {each.symbol: each for each in replay(sealed, settings)}


def revise(settings: Settings, symbol: str, day: str, factor: float, volumes: float = 1.0) -> str:
    """Multiply the prices and the volume of a day; the file as it was."""
    path = Path(settings.bars.data or "") / f"{symbol}.csv"
    text = path.read_text()
    lines = text.splitlines()
    (row,) = [i for i, line in enumerate(lines) if line.startswith(day)]
    stamp, *prices, volume = lines[row].split(",")
    lines[row] = ",".join([stamp, *(repr(float(price) * factor) for price in prices), repr(float(volume) * volumes)])
    path.write_text("\n".join(lines) + "\n")
    return text


def test_plans_are_the_same_on_bars_that_went_on(sealed: list[Sealed], settings: Settings) -> None:
    found = again(sealed, settings)
    assert {symbol: each.status for symbol, each in found.items()} == {"GOOG": "same", "ETHUSD": "same"}
    assert all(each.revised is None and not each.differences for each in found.values())
    alone = again(sealed[:1], settings)
    assert alone["GOOG"].status == "same"  # its companion is run again for its sake


def test_revised_bars_are_named_first_and_told_where(sealed: list[Sealed], settings: Settings) -> None:
    before = revise(settings, "GOOG", "2020-07-28", 1.02)
    try:
        found = again(sealed, settings)
    finally:
        (Path(settings.bars.data or "") / "GOOG.csv").write_text(before)
    goog = found["GOOG"]
    assert goog.status == "differs"
    assert [each.what for each in goog.differences][:2] == ["bars revised", "forecast"]
    assert goog.revised is not None and goog.revised.startswith("2 of ") and "none before 2020-07-28" in goog.revised
    assert found["ETHUSD"].revised is None


def test_a_revision_that_changes_no_plan_is_told_all_the_same(settings: Settings, tmp_path: Path) -> None:
    plans = plans_now(["GOOG"], settings.replace(model="last-bar"))
    (sealed,) = Journal(str(tmp_path)).append(plans, NOW).sealed
    before = revise(settings, "GOOG", "2018-01-05", 1.01)  # older than all that the model looks at
    try:
        (goog,) = replay([sealed], settings)
    finally:
        (Path(settings.bars.data or "") / "GOOG.csv").write_text(before)
    assert (goog.status, goog.differences) == ("same", [])
    assert goog.revised is not None


def test_other_code_and_settings_are_named_where_the_plan_is_another(sealed: list[Sealed], settings: Settings) -> None:
    (first, _) = sealed
    plan = replace(first.plan, settings={**first.plan.settings, "half_life": 5.0}, code="0" * 64)
    changed = Sealed(replace(first.entry, plan=plan), first.hash)
    (found,) = replay([changed], settings)
    assert found.status == "differs"
    assert found.differences[0].what == "code" and found.differences[0].left == "0" * 64
    assert found.differences[1].what in ("plan", "answer")
    untouched = Sealed(replace(first.entry, plan=replace(first.plan, code="0" * 64)), first.hash)
    assert [each.status for each in replay([untouched], settings)] == ["same"]


@pytest.mark.parametrize(
    ("setting", "why"),
    [({"data": "/nowhere"}, "/nowhere"), ({"colour": "red"}, "this version has no setting colour")],
)
def test_what_cannot_be_run_again_says_why(
    setting: dict[str, str], why: str, sealed: list[Sealed], settings: Settings
) -> None:
    (first, _) = sealed
    entry = replace(first.entry, plan=replace(first.plan, settings={**first.plan.settings, **setting}))
    (found,) = replay([Sealed(entry, first.hash)], settings)
    assert found.status == "failed" and why in (found.error or "")


def test_the_command_shows_them_and_its_exit_code_says_whether_all_are_the_same(
    sealed: list[Sealed], settings: Settings, cli
) -> None:
    words = ("journal", "replay", "--journal", str(settings.journal_place.journal))
    ended = cli(*words)
    assert (ended.code, ended.err) == (0, "")
    assert "The same today, to the last digit: 2 of 2 plans." in ended.out
    before = revise(settings, "ETHUSD", "2020-07-30", 1.05)
    try:
        differs = cli(*words, "ethusd")
        document = json.loads(cli(*words, "--json").out)
    finally:
        (Path(settings.bars.data or "") / "ETHUSD.csv").write_text(before)
    assert differs.code == 5
    assert "bars revised" in " ".join(differs.out.split())
    assert [each["status"] for each in document["entries"]] == ["same", "differs"]
