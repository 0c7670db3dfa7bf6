"""Where the weights of a model are: a folder, the model hub's local cache, or the hub itself."""

from __future__ import annotations

import os
import re
from pathlib import Path

from msgspec import Struct

from marketsim.digests import of_files
from marketsim.errors import UsageError

FILES = ("*.safetensors", "*.json")  # nothing that could hold a pickle
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


class Weights(Struct, frozen=True):
    """A folder of safetensors and JSON files, and what identifies their contents."""

    folder: Path
    digest: str  # repository and commit, or a hash of the files of a folder of one's own


def locate(repository: str, weights: str | None = None, revision: str | None = None) -> Weights:
    """The folder `weights`, or the `revision` (None: main) of `weights` or else `repository` on the model hub.

    The hub's own cache is read without its library, so that a cached run stays quick; what is not there is downloaded,
    unless `HF_HUB_OFFLINE` is set. UsageError names the repository, the cache that was searched, and --weights.
    """
    if weights is not None and Path(weights).is_dir():
        folder = Path(weights)
        if not (files := sorted(path for kind in FILES for path in folder.rglob(kind) if path.is_file())):
            raise UsageError(f"--weights {weights}: no safetensors file in this folder")
        return Weights(folder, of_files(folder, files))
    if weights is not None:
        if not REPOSITORY.fullmatch(weights):
            raise UsageError(f"--weights {weights}: neither a folder nor a repository such as {repository}")
        repository = weights
    cache = hub_cache()
    found = _cached(cache, repository, revision or "main") or _downloaded(cache, repository, revision)
    return Weights(found, f"{repository}@{found.name}")


def is_cached(repository: str, revision: str | None = None) -> bool:
    """Whether the hub's local cache has weights of the `repository`."""
    return _cached(hub_cache(), repository, revision or "main") is not None


def hub_cache() -> Path:
    """Where the model hub's library keeps its downloads."""
    if place := os.environ.get("HF_HUB_CACHE"):
        return _expanded(place)
    if home := os.environ.get("HF_HOME"):
        return _expanded(home) / "hub"
    return _expanded(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface" / "hub"


def _expanded(place: str) -> Path:
    """`place` with the user's home directory in place of "~"; as it is where nothing says which directory that is."""
    try:
        return Path(place).expanduser()
    except RuntimeError:
        return Path(place)


def _cached(cache: Path, repository: str, revision: str) -> Path | None:
    """The snapshot of `revision` (branch, tag or commit) in the cache's layout, where it holds weights."""
    place = cache / f"models--{repository.replace('/', '--')}"
    try:
        commit = (place / "refs" / revision).read_text().strip()
    except OSError:
        commit = revision
    snapshot = place / "snapshots" / commit
    return snapshot if any(snapshot.rglob("*.safetensors")) else None


def _downloaded(cache: Path, repository: str, revision: str | None) -> Path:
    where = f"the weights {repository} are not in {cache}"
    remedy = "name a folder that holds them with --weights, or set HF_HOME to where they are"
    if cache.parts[0].startswith("~"):
        raise UsageError(f"{where}, and the user's home directory is not known: {remedy}")
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise UsageError(f"{where}, and HF_HUB_OFFLINE forbids downloading them: {remedy}")
    try:
        from huggingface_hub import snapshot_download

        found = snapshot_download(repository, revision=revision, cache_dir=cache, allow_patterns=list(FILES))
    except Exception as error:  # of the library or of any of the ones it stands on
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(f"{where} and could not be fetched ({type(error).__name__}: {reason}): {remedy}") from error
    return Path(found)
