"""Where settings come from: command line > MARKETSIM_* environment > --config TOML > default. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from marketsim.errors import UsageError
from marketsim.registry import nearest
from marketsim.settings.checks import FLAGS
from marketsim.settings.database_url import has_password
from marketsim.settings.named_files import read_text
from marketsim.settings.reference_variables import HONORED, READ_ELSEWHERE, Variable, means_nothing
from marketsim.settings.settings import KEYS, Settings
from marketsim.settings.validators import VALIDATORS

ENVIRONMENT_PREFIX = "MARKETSIM_"
LONGEST_QUOTE = 80  # characters
UNSAID = {  # options whose empty text, as an unset variable leaves it, would be another run without a word
    "data": "a file or a folder; without the option the sample is used",
    "forecasts": "a file; without the option the model forecasts",
    "fine": "a file or a folder; without the option no finer bars are used",
    "weights": "a file or a folder; without the option the model's own weights are used",
}

Words = str | bool | list[str]  # of an option on a command line: a value, a switch, or one that was repeated


class Resolution(Struct, frozen=True):
    """What the settings come to."""

    settings: Settings
    origins: Mapping[str, str]  # for each key the place that set it: an option, a variable, a file, or "default"
    notes: tuple[str, ...] = ()  # one-line remarks for stderr


class _Found(Struct, frozen=True):
    """A value of a setting, and the place that set it."""

    value: Any
    place: str


def resolve(command_line: Mapping[str, Words], config_file: str | None, environ: Mapping[str, str]) -> Resolution:
    """The settings of a run, each from the place that has most to say about it.

    `command_line` holds the words of the options that were given, by key. UsageError names the place of a
    value that is wrong, and the nearest known name for a key or a variable that is unknown.
    """
    found = {key: _Found(value, "default") for key, value in Settings().values().items()}
    if config_file is not None:
        found |= dict(_file(config_file))
    own, switches = _environment(environ)
    ignored = [name for name in switches if means_nothing(name) and not _is_off(switches[name])]
    given = {key: _option(key, value) for key, value in command_line.items()}
    for name, variable in HONORED.items():
        if name in switches:
            model = (given.get("model") or own.get("model") or found["model"]).value
            if variable.model in (None, model.partition(":")[0]):
                found |= _switched(variable, switches[name], ENVIRONMENT_PREFIX + name)
            else:
                ignored.append(name)
    found |= own | given
    _check_order(found["start"], found["end"])
    settings = Settings.of(**{key: choice.value for key, choice in found.items()})
    check_together(settings)
    return Resolution(settings, {key: choice.place for key, choice in found.items()}, _notes(ignored))


def check_together(settings: Settings) -> None:
    """UsageError for settings of which one takes the place of the other."""
    if settings.given.forecasts is None:
        if settings.given.missing != Settings().given.missing:
            raise UsageError(f"--missing {settings.given.missing}: is for --forecasts FILE, which is not given")
    elif settings.model != Settings().model:
        raise UsageError(f"--forecasts takes the place of a model: leave out --model {settings.model}")


def _file(path: str) -> Iterator[tuple[str, _Found]]:
    import tomllib

    try:
        table = tomllib.loads(read_text(path))
    except UnicodeDecodeError:
        raise UsageError(f"--config {path}: not a TOML file: its text is not UTF-8") from None
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror or error}") from None
    except RecursionError:
        raise UsageError(f"--config {path}: not a TOML file of settings: brackets are nested too deep") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"--config {path}: not a TOML file: {error}") from None
    except ValueError:
        raise UsageError(f"--config {path}: not a TOML file of settings: a number has too many digits") from None
    for key, value in table.items():
        if key not in VALIDATORS:
            raise UsageError(f"{path}: unknown key '{key}'{nearest(key, KEYS)}; `marketsim config` lists the keys")
        yield key, _Found(check(key, value, f"{path}: {key}"), path)


def _environment(environ: Mapping[str, str]) -> tuple[dict[str, _Found], dict[str, str]]:
    """What `MARKETSIM_*` variables set, by key; and the words of those of the reference system, by name."""
    own: dict[str, _Found] = {}
    switches: dict[str, str] = {}
    for name in sorted(name for name in environ if name.startswith(ENVIRONMENT_PREFIX)):
        suffix, text = name.removeprefix(ENVIRONMENT_PREFIX), environ[name]
        if suffix in HONORED or means_nothing(suffix):
            switches |= {suffix: text} if text else {}
        elif suffix == suffix.upper() and suffix.lower() in VALIDATORS:
            own |= {suffix.lower(): _Found(_words(suffix.lower(), text, name), name)} if text else {}
        elif suffix not in READ_ELSEWHERE:
            known = [ENVIRONMENT_PREFIX + key.upper() for key in (*KEYS, *HONORED)]
            raise UsageError(f"unknown variable {name}{nearest(name, known)}")
    return own, switches


def _switched(variable: Variable, text: str, name: str) -> dict[str, _Found]:
    """What a variable of the reference system sets."""
    try:
        words = variable.words(text)
    except ValueError as error:
        raise UsageError(f"{name}: got {_shown(text)}, {error}") from None
    return {} if words is None else {variable.key: _Found(_words(variable.key, words, name), name)}


def _is_off(text: str) -> bool:
    return FLAGS.get(text.lower()) is False


def _notes(ignored: Sequence[str]) -> tuple[str, ...]:
    if not ignored:
        return ()
    names = ", ".join(ENVIRONMENT_PREFIX + name for name in ignored)
    return (f"variables of the reference system without effect here: {names}",)


def _option(key: str, value: Words) -> _Found:
    """What an option gives to the setting `key`."""
    option = "--" + key.replace("_", "-")
    if key in UNSAID and value == "":
        raise UsageError(f"{option}: got '', must be {UNSAID[key]}")
    if isinstance(value, str):
        return _Found(_words(key, value, option), option)
    return _Found(check(key, value, option), option)


def _check_order(start: _Found, end: _Found) -> None:
    if start.value is None or end.value is None:
        return
    if start.value > end.value and not start.value.startswith(end.value):  # a last day ends with the day
        last = f"the last day {end.value} ({end.place})"
        raise UsageError(f"{start.place}: the first day {start.value} lies after {last}")


def _words(key: str, text: str, place: str) -> Any:
    """The value that the words of an option or a variable give to the setting `key`."""
    try:
        value = VALIDATORS[key].text(text)
    except ValueError:
        value = text  # the check says what would be right
    return check(key, value, place)


def check(key: str, value: Any, place: str) -> Any:
    """The setting that a TOML value is; UsageError names the `place` where the value is wrong."""
    try:
        return VALIDATORS[key].check(value)
    except ValueError as error:
        text = _shown(value)
        got = "" if VALIDATORS[key].secret or has_password(text) else f"got {text}, "
        raise UsageError(f"{place}: {got}{error}") from None


def _shown(value: Any) -> str:
    """A value as an error quotes it: its beginning, where it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of too many digits, or lists in lists
        return "what is too long to show"
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}..."
