"""Users' models by name: `path/to/file.py:Class` or `package.module:Class`, with options `key=value`."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
import tomllib
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from marketsim.digests import of_files
from marketsim.errors import MarketsimError, UsageError
from marketsim.models.own import OwnContextModel, OwnHistoryModel, adapted, check_own, described, own_code
from marketsim.models.source_digest import digest_sources
from marketsim.registry import nearest

Value = bool | int | float | str | list[Any]


def open_own_model(spec: str, options: Sequence[str]) -> OwnHistoryModel | OwnContextModel:
    """The model that `spec` names, made with the `options`.

    Raises
    ------
    UsageError
        There is no such file, module or class, it cannot be imported, or it does not take these options.
    MarketsimError
        A file that it imports was edited after this process had loaded it.
    """
    place, _, name = spec.rpartition(":")
    loaded_before = frozenset(sys.modules)
    values = dict(_option(option) for option in options)
    with own_code():
        module = _from_file(spec, Path(place)) if place.endswith(".py") else _from_module(spec, place)
        model = _made(spec, module, name, values)
    source = digest_sources(module, loaded_before)
    if source is None:
        raise UsageError(
            f"--model {spec}: its source cannot be found, without which its forecasts cannot be told apart"
        )
    if source.edited is not None:
        raise MarketsimError(f"{source.edited} was edited after this process had loaded it: start the process again")
    stated = getattr(model, "parameters", {})
    chosen: dict[str, float | int | str] = {}
    for key, value in values.items():
        chosen[f"option {key}"] = value if isinstance(value, (bool, int, float, str)) else repr(value)
        if isinstance(value, str) and (path := Path(value)).exists():
            if not (path.is_file() or path.is_dir()):
                raise UsageError(f"--model-option {key}={value}: a pipe or a device, whose contents have no digest")
            chosen[f"contents of {key}"] = _contents(path)
    return adapted(model, {**described(source), **dict(stated), **chosen}, identified=True)


def _from_file(spec: str, path: Path) -> ModuleType:
    """The module of a file, executed as a script's would be: what lies beside it can be imported."""
    if path.exists() and not path.is_file():
        raise UsageError(f"--model {spec}: {path} is not a file")
    try:
        content = path.read_bytes()
    except OSError as error:
        how = "`marketsim models new FILE` writes a model to start from"
        raise UsageError(f"--model {spec}: {path}: {error.strerror or error}; {how}") from None
    place = path.resolve()
    digest = hashlib.blake2b(content + bytes(place), digest_size=8).hexdigest()
    name = f"marketsim_own_model_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    made = importlib.util.spec_from_file_location(name, place)
    assert made is not None and made.loader is not None
    module = importlib.util.module_from_spec(made)
    if (folder := str(place.parent)) not in sys.path:
        sys.path.insert(0, folder)
    sys.modules[name] = module
    try:
        exec(compile(content, str(place), "exec"), module.__dict__)  # the bytes that were digested
    except Exception as error:
        del sys.modules[name]
        raise _unusable(spec, error) from error
    return module


def _from_module(spec: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            how = "a module is looked for where Python looks (PYTHONPATH), a file is named with .py"
            raise UsageError(f"--model {spec}: there is no module '{error.name}'; {how}") from None
        raise _unusable(spec, error) from error
    except Exception as error:
        raise _unusable(spec, error) from error


def _made(spec: str, module: ModuleType, name: str, values: dict[str, Value]) -> Any:
    """The object that a name in the module is, or that a class there makes."""
    found = getattr(module, name, None)
    if found is None:
        members = {key: value for key, value in vars(module).items() if not inspect.ismodule(value)}
        classes = [key for key, value in members.items() if callable(getattr(value, "forecast", None))]
        what = f"there is {', '.join(classes)}" if classes else "nothing there has a method `forecast`"
        raise UsageError(f"--model {spec}: no '{name}' in it; {what}{nearest(name, classes)}")
    if not inspect.isclass(found):
        if values:
            raise UsageError(f"--model-option: '{name}' of {spec} is an object already and takes no options")
        check_own(found)
        return found
    try:
        inspect.signature(found).bind(**values)
    except TypeError as error:
        known = ", ".join(inspect.signature(found).parameters) or "none"
        raise UsageError(f"--model-option: {name} has other options: {error}; there are: {known}") from None
    try:
        model = found(**values)
    except MarketsimError:
        raise
    except Exception as error:
        raise _unusable(spec, error) from error
    check_own(model)
    return model


def _option(text: str) -> tuple[str, Value]:
    """Key and value of an option; a value that is no TOML is text as it stands."""
    key, _, words = text.partition("=")
    try:
        value = tomllib.loads(f"value = {words}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        value = words
    return key, value if isinstance(value, (bool, int, float, str, list)) else words


def _contents(path: Path) -> str:
    """A digest of a file, or of all files of a folder."""
    return of_files(path, sorted(entry for entry in path.rglob("*") if entry.is_file()) if path.is_dir() else [path])


def _unusable(spec: str, error: Exception) -> UsageError:
    """The exception of the user's code, in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    if isinstance(error, SyntaxError):
        place = f"{Path(error.filename or '').name}, line {error.lineno}"
    words = error.msg if isinstance(error, SyntaxError) else error
    return UsageError(f"--model {spec}: {type(error).__name__}: {words} ({place})")
