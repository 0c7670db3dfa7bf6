"""The variables of the reference system: what they set here, and that none of them stops a command."""

from __future__ import annotations

import pytest

from marketsim.errors import UsageError
from marketsim.settings.reference_variables import FAMILIES_WITHOUT_MEANING, HONORED, WITHOUT_MEANING
from marketsim.settings.resolution import resolve
from marketsim.settings.settings import KEYS, Settings


def values(**variables: str) -> dict[str, object]:
    """What differs from the defaults."""
    found = resolve({}, None, {f"MARKETSIM_{name}": text for name, text in variables.items()})
    defaults = Settings().values()
    return {key: value for key, value in found.settings.values().items() if value != defaults[key]}


@pytest.mark.parametrize(
    ("variables", "changed"),
    [
        ({}, {}),
        ({"USE_DIRECT_OPTIMIZER": "1"}, {"optimizer": "direct"}),
        ({"USE_DIRECT_OPTIMIZER": "0"}, {"optimizer": "differential-evolution"}),
        ({"USE_DIRECT_OPTIMIZER": ""}, {}),
        ({"USE_DIRECT_OPTIMIZER": "1", "OPTIMIZER": "exact"}, {}),
        ({"FAST_SIMULATE": "On"}, {"fast": True}),
        ({"FAST_SIMULATE": "1", "FAST": "OFF"}, {}),
        ({"NUM_SIMULATIONS": "12"}, {"sims": 12}),
        ({"BACKTEST_SIMULATIONS": "12", "SIMS": "13"}, {"sims": 13}),
        ({"FORCE_KRONOS": "yes"}, {"model": "kronos"}),
        ({"FORCE_KRONOS": "no"}, {}),
        ({"FORCE_KRONOS": "1", "FORCE_TOTO": "TRUE"}, {"model": "toto"}),
        ({"FORCE_KRONOS": "1", "MODEL": "last-bar"}, {"model": "last-bar"}),
        ({"FORCE_KRONOS": "1", "KRONOS_SAMPLE_COUNT": "64"}, {"model": "kronos", "samples": 64}),
        ({"MODEL": "kronos:mini", "KRONOS_SAMPLE_COUNT": "64"}, {"model": "kronos:mini", "samples": 64}),
        ({"MODEL": "kronos", "KRONOS_SAMPLE_COUNT": "64", "SAMPLES": "8"}, {"model": "kronos", "samples": 8}),
        ({"KRONOS_SAMPLE_COUNT": "64"}, {}),
        ({"FORCE_TOTO": "1", "TOTO_DEVICE": "cuda:0"}, {"model": "toto", "device": "cuda"}),
        ({"FORCE_TOTO": "1", "TOTO_COMPILE": "1"}, {"model": "toto", "compile": True}),
        ({"TOTO_DEVICE": "cpu"}, {}),
    ],
)
def test_they_set_what_they_mean(variables, changed):
    assert values(**variables) == changed


def test_a_model_of_the_command_line_decides_which_of_them_mean_something():
    environ = {"MARKETSIM_KRONOS_SAMPLE_COUNT": "64", "MARKETSIM_FORCE_KRONOS": "1"}
    found = resolve({"model": "har"}, None, environ)
    assert (found.settings.model, found.settings.network.samples) == ("har", None)
    assert "MARKETSIM_KRONOS_SAMPLE_COUNT" in found.notes[0]
    assert resolve({}, None, environ).origins["samples"] == "MARKETSIM_KRONOS_SAMPLE_COUNT"


def test_what_has_no_effect_is_named_in_one_note():
    names = ["FAST_OPTIMIZE", "MAX_HORIZON", "KRONOS_SAMPLE_COUNT", "SYMBOL_SIDE_MAP"]
    (note,) = resolve({}, None, {f"MARKETSIM_{name}": "7" for name in names}).notes
    assert all(f"MARKETSIM_{name}" in note for name in names)
    assert resolve({}, None, {"MARKETSIM_FAST_OPTIMIZE": "0", "MARKETSIM_RELAX_SPREAD": "No"}).notes == ()
    assert resolve({}, None, {"MARKETSIM_REFERENCE_RULE": "2025-11-13"}).notes == ()
    assert resolve({}, None, {"MARKETSIM_COMPILED": "0"}).notes == ()  # another file reads it


@pytest.mark.parametrize("name", [*HONORED, *WITHOUT_MEANING, *FAMILIES_WITHOUT_MEANING])
def test_none_of_them_is_a_setting_s_own_variable(name):
    assert not [key for key in KEYS if key.upper() == name or (name.endswith("_") and key.upper().startswith(name))]


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("USE_DIRECT_OPTIMIZER", "maybe", "got 'maybe', must be true or false"),
        ("NUM_SIMULATIONS", "many", "got 'many', must be a whole number"),
        ("FORCE_TOTO", "2", "got '2', must be true or false"),
    ],
)
def test_a_wrong_value_is_named(name, text, hint):
    with pytest.raises(UsageError, match=f"MARKETSIM_{name}: {hint}"):
        resolve({}, None, {f"MARKETSIM_{name}": text})
