from __future__ import annotations

from pathlib import Path

import pytest

from marketsim import registry
from marketsim.errors import UsageError
from marketsim.execution.strategies import STRATEGIES
from marketsim.settings.resolution import resolve
from marketsim.settings.settings import KEYS, Settings
from marketsim.settings.settings import shown as shown_settings

CONFIGS = Path(__file__).parents[2] / "configs"


def read(text: str, tmp_path: Path) -> Settings:
    path = tmp_path / "own.toml"
    path.write_text(text)
    return resolve({}, str(path), {}).settings


def test_default_toml_holds_every_key_at_its_default():
    found = resolve({}, str(CONFIGS / "default.toml"), {})
    settings, origins = found.settings, found.origins
    assert settings == Settings()
    assert set(origins.values()) == {str(CONFIGS / "default.toml")}


@pytest.mark.parametrize("path", sorted({*CONFIGS.rglob("*.toml")} - {CONFIGS / "default.toml"}), ids=lambda p: p.stem)
def test_the_other_configs_load_and_change_something(path):
    assert resolve({}, str(path), {}).settings != Settings()


def test_every_strategy_can_be_chosen():
    for name in (*STRATEGIES, "all"):
        assert resolve({"strategy": name}, None, {}).settings.rules.strategy == name


def test_command_line_beats_environment_beats_file_beats_default(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text("sims = 1\nwindow = 2\nseed = 3\n")
    environ = {"MARKETSIM_SIMS": "10", "MARKETSIM_WINDOW": "20", "HOME": "/"}
    found = resolve({"sims": "100"}, str(path), environ)
    settings, origins = found.settings, found.origins
    assert (settings.walk.sims, settings.walk.window, settings.seed, settings.rules.fill) == (100, 20, 3, "expected")
    assert [origins[key] for key in ("sims", "window", "seed", "fill")] == [
        "--sims",
        "MARKETSIM_WINDOW",
        str(path),
        "default",
    ]


def test_every_key_has_a_variable():
    for key in KEYS:
        default = Settings().values()[key]
        words = {"bounds": "-0.03,0.03", "fee_bps": "auto", "model_option": ""}.get(
            key, str(default).lower() if default is not None else ""
        )
        found = resolve({}, None, {f"MARKETSIM_{key.upper()}": words})
        assert found.settings == Settings()
        assert found.origins[key] == (f"MARKETSIM_{key.upper()}" if words else "default")


@pytest.mark.parametrize(
    ("words", "bounds"),
    [("0.03", (-0.03, 0.03)), ("0.01,0.02", (0.01, 0.02)), ("-0.02,0", (-0.02, 0.0)), ("1", (-1.0, 1.0))],
)
def test_bounds_are_one_number_or_two(words, bounds, tmp_path):
    assert resolve({"bounds": words}, None, {}).settings.rules.bounds == bounds
    assert read(f"bounds = [{words}]" if "," in words else f"bounds = {words}", tmp_path).rules.bounds == bounds


def test_fees_may_be_given_or_left_to_the_asset(tmp_path):
    assert resolve({"fee_bps": "0"}, None, {}).settings.costs.fee_bps == 0.0
    assert read("fee_bps = 7", tmp_path).costs.fee_bps == 7.0
    assert resolve({"fee_bps": "auto"}, None, {"MARKETSIM_FEE_BPS": "3"}).settings.costs.fee_bps is None


def test_what_a_model_may_choose_can_be_given_or_left_to_it(tmp_path):
    settings = read("samples = 16\ntop_p = 0.9\ncontext = 'auto'\ncompile = true", tmp_path)
    network = settings.network
    assert (network.samples, network.top_p, network.context, network.compile) == (16, 0.9, None, True)
    assert resolve({"samples": "auto"}, None, {"MARKETSIM_SAMPLES": "3"}).settings.network.samples is None


def test_variants_are_known_by_name(monkeypatch):
    monkeypatch.setitem(registry.VARIANTS, "har", ("small", "large"))
    assert resolve({"model": "har:large"}, None, {}).settings.model == "har:large"
    with pytest.raises(UsageError, match="one of small, large; did you mean 'small'"):
        resolve({"model": "har:smal"}, None, {})


def test_toml_dates_are_dates(tmp_path):
    settings = read("start = 2019-01-31\nend = '2020-01-31'", tmp_path)
    assert (settings.bars.start, settings.bars.end) == ("2019-01-31", "2020-01-31")


@pytest.mark.parametrize("yes", ["1", "true", "YES", "On"])
@pytest.mark.parametrize("no", ["0", "False", "no", "OFF"])
def test_switches_are_read_in_any_case(yes, no):
    settings = resolve({}, None, {"MARKETSIM_FAST": yes, "MARKETSIM_COMPILE": no}).settings
    assert (settings.walk.fast, settings.network.compile) == (True, False)


def test_every_setting_is_documented_in_default_toml():
    lines = (CONFIGS / "default.toml").read_text().splitlines()
    for key in KEYS:
        assert any(line.startswith(f"{key} =") and "# " in line for line in lines), key


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://host/db", "postgresql://host/db"),
        ("postgres://me@host:5432/db", "postgres://me@host:5432/db"),
        ("postgresql://me:s3cret@host/db", "postgresql://me:***@host/db"),
        ("postgresql://:s3cret@host/db?sslmode=require", "postgresql://:***@host/db"),
        ("postgresql://me:s3%40cret%2F@[::1]:5432,other:1/db", "postgresql://me:***@[::1]:5432,other:1/db"),
        ("postgresql://me@%2Fvar%2Frun/db?password=s3cret", "postgresql://me@%2Fvar%2Frun/db"),
        ("postgresql:///db?user=me&password=s3cret", "postgresql:///db"),
    ],
)
def test_a_database_is_shown_without_its_password(url, shown):
    settings = resolve({"cache_url": url}, None, {}).settings
    assert settings.cache_place.cache_url == url
    assert shown_settings(settings)["cache_url"] == shown
    assert "s3" not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:s3cret@host/db",
        "me:s3cret@host/db",
        "postgresql://me:s3@cret@host/db",
        "postgresql://me:s3/cret@host/db",
        "postgresql://me:s3?cret@host/db",
        "postgresql://me:s3#cret@host/db",
        "postgresql://me:s3%cret@host/db",
        "postgresql://me:s3%00cret@host/db",
        "postgresql://me:s3cret",
        "postgresql://me:s3 cret@host/db",
        "host=h password=s3cret",
    ],
)
@pytest.mark.parametrize("place", ["option", "variable", "file"])
def test_a_wrong_database_is_an_error_that_does_not_quote_it(url, place, tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(f"cache_url = '{url}'")
    given = {
        "option": ({"cache_url": url}, None, {}),
        "variable": ({}, None, {"MARKETSIM_CACHE_URL": url}),
        "file": ({}, str(path), {}),
    }[place]
    with pytest.raises(UsageError, match="must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE") as caught:
        resolve(*given)
    assert not any(part in str(caught.value) for part in ("s3", "cret"))
