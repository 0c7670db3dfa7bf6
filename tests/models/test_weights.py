from pathlib import Path

import pytest

from marketsim.errors import UsageError
from marketsim.models.weights import hub_cache, is_cached, locate

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub cache that holds one commit of some/model, and no way to any other."""
    for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    place = tmp_path / "home" / "hub" / "models--some--model"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT)
    snapshot = place / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").write_bytes(b"weights")
    return snapshot


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_a_snapshot_is_found_and_named_by_its_commit(hub, revision):
    found = locate("some/model", revision=revision)
    assert (found.folder, found.digest) == (hub, f"some/model@{COMMIT}")
    assert locate("other/model", "some/model", revision) == found


def test_what_is_absent_names_repository_cache_and_option(hub):
    for repository, revision in (("other/model", None), ("some/model", "tuned")):
        with pytest.raises(UsageError) as caught:
            locate(repository, revision=revision)
        for words in (repository, str(hub_cache()), "HF_HUB_OFFLINE", "--weights"):
            assert words in str(caught.value)
    (hub / "model.safetensors").rename(hub / "model.pt")
    with pytest.raises(UsageError, match="some/model"):
        locate("some/model")


def test_a_failed_download_is_one_line_with_its_reason(hub, monkeypatch):
    hub_library = pytest.importorskip("huggingface_hub", reason="no model extra is installed")

    def fail(*_, **__):
        raise ConnectionError("no route\nto host")

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(hub_library, "snapshot_download", fail)
    with pytest.raises(UsageError, match=r"could not be fetched \(ConnectionError: no route\): .*--weights") as caught:
        locate("other/model")
    assert "\n" not in str(caught.value)


def test_what_is_downloaded_is_named_by_its_commit(hub, monkeypatch):
    hub_library = pytest.importorskip("huggingface_hub", reason="no model extra is installed")
    asked = {}

    def fetch(repository, **options):
        asked.update(options, repository=repository)
        return str(hub)

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(hub_library, "snapshot_download", fetch)
    assert locate("other/model", revision="v2").digest == f"other/model@{COMMIT}"
    assert (asked["repository"], asked["revision"]) == ("other/model", "v2")
    assert set(asked["allow_patterns"]) == {"*.safetensors", "*.json"}


def test_a_folder_is_known_by_its_bytes(hub, tmp_path):
    folder = tmp_path / "own"
    (folder / "part").mkdir(parents=True)
    (folder / "part" / "model.safetensors").write_bytes(b"weights")
    (folder / "config.json").write_text("{}")
    found = locate("some/model", str(folder))
    assert found.folder == folder
    copy = folder.rename(tmp_path / "moved")
    assert locate("some/model", str(copy)).digest == found.digest
    (copy / "part" / "model.safetensors").write_bytes(b"Weights")
    assert locate("some/model", str(copy)).digest != found.digest


def test_a_folder_without_weights_and_a_name_that_is_none(hub, tmp_path):
    with pytest.raises(UsageError, match="no safetensors file"):
        locate("some/model", str(tmp_path / "home" / "hub" / "models--some--model" / "refs"))
    with pytest.raises(UsageError, match=r"--weights /no/such/folder: neither a folder nor a repository"):
        locate("some/model", "/no/such/folder")


def test_the_hub_cache_follows_the_hubs_own_variables(monkeypatch):
    for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert hub_cache() == Path.home() / ".cache" / "huggingface" / "hub"
    monkeypatch.setenv("HF_HOME", "/home")
    assert hub_cache() == Path("/home/hub")
    monkeypatch.setenv("HF_HUB_CACHE", "/cache")
    assert hub_cache() == Path("/cache")


def test_without_a_home_the_hub_cache_is_named_in_one_line(monkeypatch):
    for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", unknown)
    assert not is_cached("org/name")
    with pytest.raises(
        UsageError, match=r"not in ~/\.cache/huggingface/hub, and the user's home directory is not known"
    ):
        locate("org/name")
