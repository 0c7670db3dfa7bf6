from __future__ import annotations

import pytest

from marketsim.backtesting.simulation import POLICIES
from marketsim.execution.strategies import STRATEGIES
from marketsim.settings import choices
from marketsim.settings.groups import Group, WalkSettings
from marketsim.settings.settings import KEYS, MEANS, Settings, keys_of, shown
from marketsim.settings.validators import VALIDATORS


def test_a_key_names_a_setting_whatever_its_group():
    settings = Settings.of(sims=5, model="last-bar", fill="touch", cache_dir="there")
    assert (settings.walk.sims, settings.model, settings.rules.fill) == (5, "last-bar", "touch")
    assert settings.cache_place.cache_dir == "there"
    changed = settings.replace(window=9, seed=1)
    assert (changed.walk, changed.seed) == (WalkSettings(sims=5, window=9), 1)
    assert changed.replace(window=60, seed=42) == settings
    assert Settings.of(**settings.values()) == settings


def test_an_unknown_key_is_refused():
    with pytest.raises(TypeError, match="no setting is called simz"):
        Settings.of(simz=5)


def test_no_key_stands_in_two_groups():
    parts = [getattr(Settings(), each) for each in Settings.__struct_fields__]
    groups = [part for part in parts if isinstance(part, Group)]
    assert sum(len(keys_of(type(group))) for group in groups) + len(parts) - len(groups) == len(KEYS)
    assert set(VALIDATORS) == set(KEYS)
    assert set(MEANS) < set(KEYS)


def test_the_choices_are_what_the_code_gives_a_meaning_to():
    assert tuple(STRATEGIES) == choices.STRATEGIES
    assert tuple(POLICIES) == choices.CLOSE_AT_EOD


@pytest.mark.parametrize(("fast", "sims", "simulations"), [(False, 70, 70), (True, 70, 35), (True, 5, 5)])
def test_fast_caps_the_simulations(fast, sims, simulations):
    assert Settings.of(fast=fast, sims=sims).walk.simulations == simulations


def test_settings_are_shown_without_a_password():
    settings = Settings.of(cache_url="postgresql://me:s3cret@host/db")
    assert shown(settings)["cache_url"] == "postgresql://me:***@host/db"
    assert "s3" not in repr(settings)
