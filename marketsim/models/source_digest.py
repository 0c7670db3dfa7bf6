"""The code of a user's model: a digest of its source files, and the versions of the packages it imports.

An edited model is a new model, comments included: it is the source that counts.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.machinery
import importlib.metadata
import importlib.util
import inspect
import sys
import textwrap
import time
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

from msgspec import Struct

from marketsim.errors import UsageError
from marketsim.profiling import Clock

INSTALLED = {"site-packages", "dist-packages"}  # folders whose packages are told by their versions
OWN = "marketsim"  # whose own files import much of it late; those that a model imports at its top count
STANDARD = sys.stdlib_module_names - {"__main__"}
STARTED = time.time() - Clock.wall()  # of this process
_loaded: dict[str, bytes] = {}  # digests of the sources of modules as this process loaded them


class SourceDigest(Struct, frozen=True):
    """The identity of code."""

    digest: str  # of the file that defines it and of the files outside packages that this may import, at any remove
    packages: Mapping[str, str]  # versions of the packages that these files import at their top
    edited: Path | None  # a file that may have been edited after this process had loaded it


def digest_class(kind: type) -> SourceDigest | None:
    """The code of a class that is loaded; None where it stands in no file, or not in its module's."""
    module = sys.modules.get(kind.__module__)
    if module is None or not _stands_in_its_file(kind):
        return None
    return digest_sources(module, frozenset(sys.modules))


def _stands_in_its_file(kind: type) -> bool:
    """Whether its module's file defines it; from 3.13 on inspect reads whatever stands in its line there."""
    try:
        (found,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    except (OSError, TypeError, ValueError, SyntaxError):
        return False
    return isinstance(found, ast.ClassDef) and found.name == kind.__name__


def digest_sources(module: ModuleType, loaded_before: Collection[str]) -> SourceDigest | None:
    """The code of `module`; None where it has no file, as in an interactive session.

    `loaded_before` are the names of the modules that the process had loaded before this one. UsageError where a file
    beside the module's was not imported because another one of its name had been.
    """
    home = _path(module)
    files: dict[Path, bytes] = {}  # digests
    packages: dict[str, str] = {}
    edited = None
    pending = [_Source.of(module)]
    while pending:
        current = pending.pop()
        if current is None or current.path in files:
            continue
        path, source = current.path, current.path.read_bytes()
        files[path] = hashlib.blake2b(source, digest_size=20).digest()
        if current.name not in sys.modules:
            _loaded[current.name] = files[path]  # when a function imports it, later
        elif not _as_loaded(current.name, path, files[path], loaded_before):
            edited = path
        if path.suffix != ".py":
            continue
        for name in _imports(source, current.package):
            imported = sys.modules.get(name)
            if imported is None or (place := _path(imported)) is None:
                continue
            if path == home and not module.__package__:
                _refuse_namesake(path.parent, name, place)
            if INSTALLED.intersection(place.parts):
                root = name.partition(".")[0]
                packages[root] = _version(root)
            else:
                pending.append(_Source.of(imported))
        if current.name.partition(".")[0] != OWN:
            pending += map(_Source.find, _later_imports(source, current.package))
    if not files:
        return None
    whole = hashlib.blake2b(b"".join(sorted(files.values())), digest_size=20)
    return SourceDigest(whole.hexdigest(), dict(sorted(packages.items())), edited)


class _Source(Struct, frozen=True):
    """A file of code that is not of an installed package, or may be."""

    path: Path
    name: str  # of its module
    package: str  # that relative imports start from

    @classmethod
    def of(cls, module: ModuleType) -> _Source | None:
        """The file of a module that is loaded."""
        path = _path(module)
        return None if path is None else cls(path, module.__name__, module.__package__ or "")

    @classmethod
    def find(cls, name: str) -> _Source | None:
        """The file of a user's module that a function may import; nothing is imported to find it."""
        if name.partition(".")[0] in {OWN, *sys.stdlib_module_names}:
            return None
        where, spec = None, None
        for part in _parents(name):
            spec = importlib.machinery.PathFinder.find_spec(part, where)
            if spec is None:
                return None
            where = spec.submodule_search_locations
        path = Path(spec.origin).resolve() if spec is not None and spec.origin is not None else None
        if path is None or path.suffix != ".py" or INSTALLED.intersection(path.parts):
            return None
        return cls(path, name, name if where is not None else name.rpartition(".")[0])


def _path(module: ModuleType) -> Path | None:
    """The file of a module that is neither built in nor of the standard library."""
    file, root = getattr(module, "__file__", None), module.__name__.partition(".")[0]
    if file is None or root in STANDARD:
        return None
    path = _lasting(file) if root == OWN or any(folder in file for folder in INSTALLED) else Path(file).resolve()
    return path if path.suffix == ".py" or INSTALLED.intersection(path.parts) else None


@cache
def _lasting(file: str) -> Path:
    """The path of a file that stays where it is while this process lasts."""
    return Path(file).resolve()


def _as_loaded(module: str, path: Path, digest: bytes, loaded_before: Collection[str]) -> bool:
    """Whether the code that runs is that of the file as it is."""
    if module not in loaded_before or (module not in _loaded and path.stat().st_mtime < STARTED):
        _loaded[module] = digest
    return _loaded.get(module) == digest


@cache
def _imports(source: bytes, package: str) -> tuple[str, ...]:
    """The names of the modules that a source may import at its top, packages before what is in them."""
    pending: list[ast.AST] = list(ast.parse(source).body)
    found: list[str] = []
    while pending:
        node = pending.pop()
        found += _named(node, package)
        if isinstance(node, (ast.If, ast.Try, ast.With, ast.ExceptHandler)):
            pending.extend(ast.iter_child_nodes(node))
    return tuple(found)


@cache
def _later_imports(source: bytes, package: str) -> tuple[str, ...]:
    """The names of the modules that functions in a source may import when they run."""
    every = [name for node in ast.walk(ast.parse(source)) for name in _named(node, package)]
    return tuple(dict.fromkeys(name for name in every if name not in _imports(source, package)))


def _named(node: ast.AST, package: str) -> Iterator[str]:
    """The modules that a statement may import."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _parents(alias.name)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            base = importlib.util.resolve_name("." * node.level + base, package)
        yield from _parents(base)
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def _refuse_namesake(folder: Path, name: str, place: Path) -> None:
    beside = folder / f"{name}.py"
    if "." not in name and beside.exists() and beside.resolve() != place:
        raise UsageError(
            f"{beside} was not imported: another '{name}' had been loaded from {place}; rename one of them"
        )


@cache
def _version(package: str) -> str:
    """The version of an installed package that modules import by this name."""
    stated = getattr(sys.modules.get(package), "__version__", None)
    if isinstance(stated, str):
        return stated
    names = importlib.metadata.packages_distributions().get(package, [package])
    try:
        return importlib.metadata.version(names[0])
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
