"""Toto 1.0 on a tiny checkpoint of its own architecture, against the vendor's forward pass and its samples."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.stats import mstats

from marketsim import registry
from marketsim.errors import MissingExtra, UsageError
from marketsim.forecasting.forecasts import LEVELS, MEDIAN
from marketsim.forecasting.keys import fingerprint
from marketsim.models.options import Options
from marketsim.models.toto import Toto
from marketsim.settings.resolution import resolve
from tests.candles import random_ohlcv
from tests.libraries import needed
from tests.opened import opened

needed("toto", extra="toto")
torch = pytest.importorskip("torch")
tiny_toto = pytest.importorskip("tests.models.tiny_toto")

CONTEXTS = np.stack([random_ohlcv(300, seed=seed)[-192:] for seed in range(3)])
TIMES = np.tile(np.datetime64("2020-01-01", "s") + np.arange(193) * np.timedelta64(1, "D"), (3, 1))
PATCH = 64
CONFIGS = Path(__file__).parents[2] / "configs" / "models"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("toto")
    tiny_toto.build(place)
    return place


def toto(folder: Path, **options: object) -> Toto:
    return Toto("base", Options(weights=str(folder), device="cpu", **options))


def forecast(model: Toto, contexts: np.ndarray = CONTEXTS) -> np.ndarray:
    return model.forecast(contexts, TIMES[: len(contexts), -contexts.shape[1] - 1 :])


@pytest.mark.parametrize("changes", [{}, {"spacewise_first": True}, {"spacewise_every_n_layers": -1}])
@pytest.mark.parametrize("padded", [0, 30])
def test_mixture_equals_the_vendors_forward_pass(tmp_path, changes, padded):
    from marketsim.models.toto_network import TotoNetwork

    tiny_toto.build(tmp_path, **changes)
    network = TotoNetwork(tmp_path)
    series = torch.randn(3, 4, 2 * PATCH, generator=torch.Generator().manual_seed(1)).cumsum(-1)
    observed = torch.ones_like(series, dtype=torch.bool)
    series[..., :padded], observed[..., :padded] = 0, False
    with torch.no_grad():
        mixture = network(series, observed)
        theirs = network.backbone(series, observed, torch.zeros_like(series), scaling_prefix_length=2 * PATCH)
    components = theirs.distribution.component_distribution
    first = slice(-PATCH, -PATCH + 1)  # the first step of the last patch
    loc, scale = theirs.loc[..., first], theirs.scale[..., first]
    for ours, vendors in (
        (mixture.weights, theirs.distribution.mixture_distribution.probs[:, :, -PATCH]),
        (mixture.df, components.df[:, :, -PATCH]),
        (mixture.loc, loc + scale * components.loc[:, :, -PATCH]),
        (mixture.scale, scale * components.scale[:, :, -PATCH]),
    ):
        torch.testing.assert_close(ours, vendors, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bars", [128, 40])
def test_quantiles_are_those_of_the_vendors_samples(folder, bars):
    from toto.data.util.dataset import MaskedTimeseries
    from toto.inference.forecaster import TotoForecaster

    from marketsim.models.toto_network import TotoNetwork

    contexts, draws = CONTEXTS[:1, -bars:], 256
    quantiles = forecast(toto(folder), contexts)[0]
    prices = torch.tensor(contexts[..., :4].swapaxes(1, 2))
    series = (100 * torch.log(prices / prices[:, 3:, -1:])).float()
    inputs = MaskedTimeseries(
        series=series,
        padding_mask=torch.ones_like(series, dtype=torch.bool),
        id_mask=torch.zeros_like(series),
        timestamp_seconds=torch.zeros_like(series, dtype=torch.int64),
        time_interval_seconds=torch.full(series.shape[:2], 86400),
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        drawn = TotoForecaster(TotoNetwork(folder).backbone).forecast(
            inputs, 1, num_samples=draws, samples_per_batch=draws // 4
        )
    moves = np.expm1(drawn.samples[0, :, 0].double().numpy() / 100)
    share = (moves[:, :, None] <= quantiles[:, None]).mean(1)
    error = np.sqrt(np.multiply(LEVELS, np.subtract(1, LEVELS)) / draws)
    assert (np.abs(share - LEVELS) < 4 * error).all()
    assert np.abs((share - LEVELS) / error).mean() < 2
    point = 100 * np.log1p(forecast(toto(folder, trim=0.2), contexts)[0, :, MEDIAN])
    values = drawn.samples[0, :, 0].double().numpy()
    error = mstats.winsorize(values, (0.2, 0.2), axis=1).std(1) / 0.6 / np.sqrt(draws)  # Tukey and McLaughlin 1963
    assert (np.abs(point - stats.trim_mean(values, 0.2, axis=1)) < 4 * error).all()


def test_a_trimmed_mean_stands_in_the_medians_place_and_is_passed_by_no_quantile(folder):
    from marketsim.models.student_mixture import StudentMixture
    from marketsim.models.toto_network import TotoNetwork

    class Skew(TotoNetwork):
        """Of which nothing matters but the distribution that it gives: most of it is far below the rest."""

        def forward(self, series, observed):
            parts = ([0.72, 0.28], [5.0, 5.0], [-1.0, 9.0], [0.1, 0.1])
            return StudentMixture(*(torch.tensor(each).expand(*series.shape[:2], 2) for each in parts))

    for network in (TotoNetwork, Skew):
        plain, trimmed = (
            network(folder, trim).quantiles(torch.ones(1, 4, PATCH).cumsum(-1)).detach() for trim in (None, 0.2)
        )
        assert (trimmed.diff(dim=-1) >= 0).all()
        assert (trimmed[..., MEDIAN] != plain[..., MEDIAN]).all()
        moved = (trimmed != plain)[0, 0].nonzero()[:, 0].tolist()
        if network is Skew:  # the quantiles of 0.6 and 0.7 are in the way
            mean = (0.52 * -1 + 0.08 * 9) / 0.6
            torch.testing.assert_close(trimmed[0, 0, 4:7], torch.full((3,), mean).double(), atol=0.1, rtol=0)
            assert moved == [4, 5, 6]
            assert (trimmed[..., 4:7] == trimmed[..., 4:5]).all()
        else:
            assert moved == [MEDIAN]


def test_the_example_of_the_reference_system_trims(folder):
    settings = resolve({"weights": str(folder)}, str(CONFIGS / "toto-ethusd.toml"), {}).settings
    model, plain = opened(settings), toto(folder)
    assert "trim" not in plain.parameters  # forecasts that were kept before there was a trim are found
    assert model.parameters == plain.parameters | {"trim": 0.2}
    assert fingerprint(model) != fingerprint(plain)
    ours, theirs = forecast(model), forecast(plain)
    assert (ours[..., MEDIAN] != theirs[..., MEDIAN]).all()
    np.testing.assert_array_equal(ours[..., [0, 8]], theirs[..., [0, 8]])


def test_contexts_are_cut_to_whole_patches(folder):
    model = toto(folder)
    np.testing.assert_array_equal(forecast(model, CONTEXTS[:, -150:]), forecast(model, CONTEXTS[:, -128:]))
    assert not np.array_equal(forecast(model, CONTEXTS[:, -128:]), forecast(model))


def test_representations_agree_where_there_is_nothing_to_tell_apart(folder):
    flat = np.full((1, PATCH, 5), 7.0)
    prices, moves = (forecast(toto(folder, representation=each), flat) for each in ("prices", "moves"))
    np.testing.assert_array_equal(prices, moves)
    other = forecast(toto(folder, representation="moves"))
    assert np.isfinite(other).all()
    assert not np.allclose(other, forecast(toto(folder)), atol=1e-4)


def test_bfloat16_is_near(folder):
    np.testing.assert_allclose(forecast(toto(folder, dtype="bfloat16")), forecast(toto(folder)), atol=0.02)


def test_no_room_on_the_device_is_a_memory_error(folder, monkeypatch):
    def refuse(*_: object) -> None:
        raise torch.OutOfMemoryError("no room")

    model = toto(folder)
    monkeypatch.setattr("marketsim.models.toto_network.TotoNetwork.quantiles", refuse)
    with pytest.raises(MemoryError):
        forecast(model)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 16}, "--samples: model 'toto' does not use it"),
        ({"top_p": 0.9}, "--top-p: model 'toto'"),
        ({"context": 100}, "multiples of 64 bars, such as 512, not 100"),
        ({"context": 32}, "multiples of 64 bars"),
    ],
)
def test_choices_that_it_cannot_use(folder, options, message):
    with pytest.raises(UsageError, match=message):
        toto(folder, **options)


def test_what_identifies_it(folder, tmp_path):
    tiny_toto.build(tmp_path, num_heads=4)
    one = toto(folder).parameters
    assert toto(folder, compile=True).parameters == one
    for other in (
        toto(tmp_path),
        toto(folder, context=256),
        toto(folder, representation="moves"),
        toto(folder, dtype="bfloat16"),
    ):
        assert other.parameters != one
    assert tuple(Toto.variants) == registry.VARIANTS["toto"]


def test_weights_of_another_kind_are_one_line(folder, tmp_path):
    weights, config = folder / "model.safetensors", json.loads((folder / "config.json").read_text())
    for place, change in (("other-size", {"embed_dim": 64}), ("no-size", {"patch_size": None})):
        (tmp_path / place).mkdir()
        (tmp_path / place / "model.safetensors").write_bytes(weights.read_bytes())
        (tmp_path / place / "config.json").write_text(json.dumps(config | change))
    (tmp_path / "other-head").mkdir()
    student = ["<class 'model.distribution.StudentTOutput'>"]
    tiny_toto.build(tmp_path / "other-head", output_distribution_classes=student, output_distribution_kwargs={})
    for place in tmp_path.iterdir():
        with pytest.raises(UsageError, match="does not hold weights of model 'toto'") as caught:
            forecast(toto(place))
        assert "\n" not in str(caught.value)


def test_no_pickle_is_read(folder, tmp_path):
    torch.save({}, tmp_path / "model.pt")
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    with pytest.raises(UsageError):
        forecast(toto(tmp_path))


def test_without_the_package_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "modules", {name: module for name, module in sys.modules.items() if name != "toto"})
    with pytest.raises(MissingExtra, match=r"pip install 'marketsim\[toto\]'"):
        toto(folder)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("options", [{}, {"dtype": "bfloat16"}, {"compile": True}])
def test_a_gpu_agrees(folder, options):
    model = Toto("base", Options(weights=str(folder), device="cuda", **options))
    np.testing.assert_allclose(forecast(model), forecast(toto(folder)), atol=0.02 if "dtype" in options else 1e-4)
    assert model.batch > 1
