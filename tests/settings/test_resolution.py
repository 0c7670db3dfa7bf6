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


@pytest.mark.parametrize(
    ("key", "words", "hint"),
    [
        ("sims", "0", "1 or more"),
        ("sims", "1.5", "whole number"),
        ("sims", "99999999999999999999", "or less"),
        ("window", "-3", "1 or more"),
        ("seed", "-1", "0 or more"),
        ("model", "hat", "did you mean 'har'"),
        ("model", "har:small", "the variant of 'har' must be none"),
        ("samples", "0", "1 or more"),
        ("samples", "many", "whole number"),
        ("temperature", "0", "above 0"),
        ("top_p", "1.5", "above 0 and at most 1"),
        ("context", "-1", "1 or more"),
        ("device", "gpu", "auto, cpu, cuda, mps"),
        ("optimizer", "exakt", "did you mean 'exact'"),
        ("strategy", "", "entry-exit, always-on, all"),
        ("fill", "certain", "provable, expected, touch"),
        ("bounds", "0.03,-0.03", "below"),
        ("bounds", "-0.03", "below"),
        ("bounds", "0", "below"),
        ("bounds", "-2,1", "within"),
        ("bounds", "1,2,3", "LOW,HIGH"),
        ("bounds", "nan", "one number"),
        ("fee_bps", "-1", "basis points"),
        ("fee_bps", "cheap", "number"),
        ("slippage_bps", "inf", "number"),
        ("trim", "0.5", "above 0 and below 0.5"),
        ("trim", "0", "above 0 and below 0.5"),
        ("start", "2020-02-30", "ISO date"),
        ("cache", "of", "did you mean 'off'"),
        ("strategy", "maxdiff", "which is called 'entry-exit' here"),
        ("strategy", "MaxDiff-always-on", "which is called 'always-on' here"),
        ("data", "", "must be a file or a folder"),
        ("forecasts", "", "must be a file; without the option"),
        ("fine", "", "no finer bars are used"),
        ("weights", "", "the model's own"),
        ("data", "a\0b", "NUL"),
        ("model", "a\0b.py:Mine", "NUL"),
    ],
)
def test_a_wrong_option_is_named_with_what_would_be_right(key, words, hint):
    with pytest.raises(UsageError, match=hint) as caught:
        resolve({key: words}, None, {})
    assert str(caught.value).startswith(f"--{key.replace('_', '-')}: got ")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("sims = '70'", "sims: got '70', must be a whole number"),
        ("sims = true", "whole number"),
        ("fast = 1", "true or false"),
        ("fill = 3", "expected, touch"),
        ("bounds = [0.03]", "LOW,HIGH"),
        ("bounds = '0.03'", "LOW,HIGH"),
        ("data = 5", "text"),
        ("fee_bps = nan", "number"),
        ("start = '31 January'", "ISO date"),
        ("simz = 70", "unknown key 'simz'; did you mean 'sims'"),
        ("close-at-eod = 'auto'", "did you mean 'close_at_eod'"),
        ("[backtest]\nsims = 70", "unknown key 'backtest'"),
        ("sims = ", "not a TOML file"),
        ("data = 'a\\u0000b'".replace("'", '"'), "must not contain a NUL"),
        (f"fee_bps = {'9' * 400}", "must be a number"),
        (f"sims = {'9' * 400}", "9..., must be 9223372036854775807 or less"),
        (f"sims = 0x{'f' * 5000}", "or less"),
        (f"sims = {'9' * 5000}", "a number has too many digits"),
        (f"bounds = {'[' * 2000}{']' * 2000}", "nested too deep"),
    ],
)
def test_a_wrong_file_is_named_with_what_would_be_right(text, hint, tmp_path):
    with pytest.raises(UsageError) as caught:
        read(text, tmp_path)
    assert hint in str(caught.value)
    assert str(tmp_path / "own.toml") in str(caught.value)


def test_a_file_in_another_encoding_is_named_without_a_codec(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text("sims = 3", encoding="utf-16")
    with pytest.raises(UsageError, match=r"own\.toml: not a TOML file: its text is not UTF-8$"):
        resolve({}, str(path), {})


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    assert read("\ufeffsims = 7", tmp_path).walk.sims == 7


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (
            ({"start": "2020-02-01", "end": "2020-01-31"}, {}),
            "--start: the first day 2020-02-01 lies after the last day",
        ),
        (({"start": "2020-02-01"}, {"MARKETSIM_END": "2020-01-31"}), "2020-01-31 (MARKETSIM_END)"),
    ],
)
def test_a_first_day_after_the_last_is_refused(given, hint):
    command_line, environ = given
    with pytest.raises(UsageError) as caught:
        resolve(command_line, None, environ)
    assert hint in str(caught.value)
    for start in ("2020-02-01", "2020-02-01T10:00"):
        assert resolve({"start": start, "end": "2020-02-01"}, None, {}).settings.bars.end == "2020-02-01"


@pytest.mark.parametrize(
    "key", ["data", "cache_dir", "scheduler", "weights", "model", "fill", "start", "bounds", "sims"]
)
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret@host/db",
        "postgres://me:s3 c/r@et@host",
        "tcp://me:s3cret@host:1",
        "host=h password=s3cret",
    ],
)
def test_a_password_under_another_key_is_refused_and_never_quoted(key, url, tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(f"{key} = '{url}'")
    for given in (({key: url}, None, {}), ({}, None, {f"MARKETSIM_{key.upper()}": url}), ({}, str(path), {})):
        with pytest.raises(UsageError) as caught:
            resolve(*given)
        assert not any(part in str(caught.value) for part in ("s3", "cret"))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "binary.toml", tmp_path / "missing.toml", tmp_path):
        with pytest.raises(UsageError, match="--config"):
            resolve({}, str(path), {})


@pytest.mark.parametrize(
    ("name", "hint"),
    [("MARKETSIM_SIM", "MARKETSIM_SIMS"), ("MARKETSIM_FAST_SIMULAT", "MARKETSIM_FAST_SIMULATE")],
)
def test_an_unknown_variable_gets_the_nearest_one(name, hint):
    with pytest.raises(UsageError, match=f"unknown variable {name}; did you mean '{hint}'"):
        resolve({}, None, {name: "1"})


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
