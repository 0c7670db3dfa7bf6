"""Settings that are wrong: named, with what would be right."""

from __future__ import annotations

import pytest

from marketsim.errors import UsageError
from marketsim.settings.resolution import resolve
from tests.settings.test_resolution import read


@pytest.mark.parametrize(
    ("key", "words", "hint"),
    [
        ("sims", "0", "1 or more"),
        ("sims", "1.5", "whole number"),
        ("sims", "99999999999999999999", "or less"),
        ("window", "-3", "1 or more"),
        ("seed", "-1", "0 or more"),
        ("model", "hat", "did you mean 'har'"),
        ("model", "har:small", "'har' has no variants"),
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
