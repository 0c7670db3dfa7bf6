"""`kronos` on a tiny checkpoint of the real architecture: equal to the vendor's own predictor, and to itself."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from marketsim.data.bars import make_bars
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.forecasts import LEVELS
from marketsim.forecasting.keys import fingerprint
from marketsim.models import kronos
from marketsim.models.kronos import Kronos, calendar, digest, draws, standardize, stratified
from marketsim.models.options import Options, Sampling
from marketsim.profiling import Clock
from marketsim.settings.resolution import resolve
from tests.candles import random_ohlcv
from tests.opened import opened

torch = pytest.importorskip("torch")
vendor = pytest.importorskip("kronos_finance._vendor.kronos_model", reason="needs the extra 'kronos'")

from marketsim.models import kronos_network  # noqa: E402
from marketsim.models.kronos_network import open_networks  # noqa: E402
from tests.models.test_kronos_draws import vendors_chances  # noqa: E402
from tests.models.tiny_kronos import build  # noqa: E402

CONFIGS = Path(__file__).parents[2] / "configs" / "models"
L, N, S = 48, 5, 32
PLAIN = Sampling(1.0, 0, 1.0)
UNSCALED = torch.tensor([1.0, 0.0]).repeat_interleave(4).reshape(1, 2, 4).expand(N, 2, 4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("kronos")
    build(path)
    return path


@pytest.fixture(scope="module")
def networks(folder):
    return open_networks(folder / "model", folder / "tokenizer", torch.device("cpu"), "float32", False)


def make(folder, **options):
    options = {"weights": str(folder), "context": L, "samples": S, "device": "cpu"} | options
    return Kronos("small", Options(**options))


def stamps(first, count, step=1, unit="D"):
    return np.datetime64(first, "s") + np.arange(count) * np.timedelta64(step, unit)


@pytest.fixture(scope="module")
def contexts():
    bars = random_ohlcv(L + N)
    return np.stack([bars[i : i + L] for i in range(N)])


@pytest.fixture(scope="module")
def times():
    return np.stack([stamps(f"2020-02-{i + 1:02}T12:30", L + 1, 61, "m") for i in range(N)])


def inputs(contexts, times):
    return torch.from_numpy(standardize(contexts, 5.0)[0]), torch.from_numpy(calendar(times[:, :-1]))


def test_logits_of_both_stages_equal_the_vendors(networks, contexts, times):
    bars, when = inputs(contexts, times)
    coarse = torch.from_numpy(np.random.default_rng(0).integers(0, 1024, (N, S)))
    with torch.inference_mode():
        tokens = networks.tokenizer.encode(bars, half=True)
        logits, features = networks.model.decode_s1(*tokens, when.float())
        hidden, _ = networks.read(networks.encode(bars), when, S, 0)
        last = hidden[:, -1:]
        torch.testing.assert_close(networks.coarse_logits(last), logits[:, -1:], atol=1e-5, rtol=1e-5)
        fine = networks.fine_logits(last, networks.remember(hidden, S, 0), coarse)
        for i in range(S):
            one = networks.model.decode_s2(features, coarse[:, i : i + 1])[:, -1]
            torch.testing.assert_close(fine[:, i], one, atol=1e-5, rtol=1e-5)
    assert logits[:, -1].std() > 0.1  # they say something
    assert (fine[:, 0] - fine[:, 1]).abs().max() > 1e-3  # and the coarse token matters to the fine one


def test_decoded_bars_equal_the_vendors(networks, contexts, times):
    tokens = np.random.default_rng(1).integers(0, 1024, (2, N, S))
    coarse, fine = torch.from_numpy(tokens)
    with torch.inference_mode():
        before = networks.encode(inputs(contexts, times)[0])
        bars = networks.decode(networks.decoder(before, S, 1), (coarse, fine))
        for i in range(S):
            whole = [torch.cat([a, b[:, i : i + 1]], 1) for a, b in zip(before, (coarse, fine), strict=True)]
            theirs = networks.tokenizer.decode(whole, half=True)[:, -1]
            torch.testing.assert_close(bars[:, i], theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("volume", [True, False])
def test_greedy_forecast_equals_the_vendors_predictor(folder, networks, contexts, times, volume):
    predictor = vendor.KronosPredictor(networks.model, networks.tokenizer, device="cpu", clip=2)
    names = ["open", "high", "low", "close", "volume"][: 5 if volume else 4]
    frames = [pd.DataFrame(context[:, : len(names)], columns=names) for context in contexts]
    known, following = [pd.Series(row[:-1]) for row in times], [pd.Series(row[-1:]) for row in times]
    found = predictor.predict_batch(frames, known, following, 1, top_k=1, sample_count=1, verbose=False)
    theirs = np.stack([frame.to_numpy()[0, :4] for frame in found]) / contexts[:, -1, 3, None] - 1
    given = contexts.copy()
    if not volume:
        given[..., 4] = np.nan
    mine = make(folder, top_k=1, clip=2.0).forecast(given, times)
    np.testing.assert_allclose(mine, np.repeat(theirs[..., None], len(LEVELS), -1), atol=1e-5)
    assert np.ptp(theirs, 0).min() > 1e-3


def test_quantiles_are_those_of_the_vendors_joint_distribution(networks, contexts, times):
    bars, when = (array[:1] for array in inputs(contexts, times))
    kept, count = 8, 2048
    with torch.inference_mode():
        context = networks.tokenizer.encode(bars, half=True)
        logits, features = networks.model.decode_s1(*context, when)
        first = torch.from_numpy(vendors_chances(logits[:, -1], 1.0, kept, 1.0))
        atoms, chances = [], []
        for coarse in first.nonzero()[:, 1]:
            logits = networks.model.decode_s2(features, coarse[None, None])[:, -1]
            second = torch.from_numpy(vendors_chances(logits, 1.0, kept, 1.0))
            for fine in second.nonzero()[:, 1]:
                whole = [torch.cat([a, b[None, None]], 1) for a, b in zip(context, (coarse, fine), strict=True)]
                atoms.append(networks.tokenizer.decode(whole, half=True)[0, -1, :4])
                chances.append(first[0, coarse] * second[0, fine])
        uniforms = torch.from_numpy(stratified(0, count))[None, None]
        quantiles = networks.at_once(Sampling(1.0, kept, 1.0), bars, when, uniforms, UNSCALED[:1])[0][0, 0]
    atoms, chances = torch.stack(atoms)[..., None], torch.stack(chances)[:, None, None]
    assert len(atoms) == kept**2
    levels = torch.tensor(LEVELS)
    assert ((chances * (atoms <= quantiles + 1e-5)).sum(0) > levels - 0.03).all()
    assert ((chances * (atoms < quantiles - 1e-5)).sum(0) < levels + 0.03).all()


def test_uniforms_are_stratified_and_their_own():
    systematic, hypercube = stratified(5, 100)
    np.testing.assert_array_equal(np.floor(systematic * 100), np.arange(100))
    np.testing.assert_array_equal(np.sort(np.floor(hypercube * 100)), np.arange(100))
    assert np.ptp(systematic * 100 % 1) < 1e-3
    assert np.ptp(hypercube * 100 % 1) > 0.5
    np.testing.assert_array_equal(stratified(5, 100), [systematic, hypercube])
    assert (stratified(6, 100) != stratified(5, 100)).any(1).all()
    bars, when = np.ones((3, 6), np.float32), np.ones((3, 5), np.int64)
    seeds = {digest(bars, when, 1), digest(bars, when, 2), digest(2 * bars, when, 1), digest(bars, 2 * when, 1)}
    assert len(seeds) == 4
    assert digest(0 * bars, when, 1) == digest(-0.0 * bars + 1e-7, when, 1)


def test_row_is_the_same_to_the_bit_with_other_mates_in_another_order_and_loaded_again(folder, contexts, times):
    model = make(folder)
    expected = model.forecast(contexts, times)
    assert expected.shape == (N, 4, len(LEVELS))
    assert (np.diff(expected, axis=-1) >= 0).all()
    order = np.array([3, 1, 4])
    np.testing.assert_array_equal(model.forecast(contexts[order], times[order]), expected[order])
    open_networks.cache_clear()
    state = torch.random.get_rng_state()
    np.testing.assert_array_equal(make(folder).forecast(contexts[2:3], times[2:3]), expected[2:3])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_batches_as_on_a_gpu_differ_by_rounding_alone(networks, contexts, times):
    bars, when = inputs(contexts, times)
    uniforms = torch.from_numpy(np.stack([draws(seed, S, 3) for seed in range(N)]))
    given = bars, torch.cat([when, when[:, :2]], 1), uniforms, UNSCALED
    with torch.inference_mode():
        together = networks.at_once(PLAIN, *given)
        alone = [networks.at_once(PLAIN, *(each[i : i + 1] for each in given)) for i in range(N)]
    for whole, parts in zip(together, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(whole, torch.cat(parts), atol=1e-5, rtol=0)


@pytest.mark.parametrize("scale", [1e-6, 1e6, 1e-200, 1e200])
def test_units_of_prices_and_volume_do_not_matter(folder, contexts, times, scale):
    model = make(folder)
    expected = model.forecast(contexts, times)
    for columns in (slice(4), slice(4, 5)):
        scaled = contexts.copy()
        scaled[..., columns] *= scale
        np.testing.assert_allclose(model.forecast(scaled, times), expected, atol=1e-6)


def test_a_context_that_lacks_a_volume_is_read_without_any(folder, contexts, times):
    model = make(folder)
    partly, wholly, nothing = contexts.copy(), contexts.copy(), contexts.copy()
    partly[:, 7, 4] = wholly[..., 4] = np.nan
    nothing[..., 4] = 0
    expected = model.forecast(wholly, times)
    np.testing.assert_array_equal(model.forecast(partly, times), expected)
    np.testing.assert_array_equal(model.forecast(nothing, times), expected)
    assert (model.forecast(contexts, times) != expected).any()


def test_volume_and_calendar_matter_but_not_the_stamp_of_the_next_bar(folder, contexts, times):
    model = make(folder, top_k=1)  # greedy, so that other seeds change nothing
    expected = model.forecast(contexts, times)
    later = times.copy()
    later[:, -1] += 10_000
    np.testing.assert_array_equal(model.forecast(contexts, later), expected)
    changed = (model.forecast(contexts, times + np.timedelta64(step, "D")) for step in range(1, 30))
    assert any((moves != expected).any() for moves in changed)


def test_flat_short_and_wild_contexts_give_finite_moves_that_can_happen(folder, times):
    model = make(folder)
    flat = np.tile([7.0, 7.0, 7.0, 7.0, 0.0], (N, L, 1))
    np.testing.assert_allclose(model.forecast(flat, times), 0, atol=1e-6)
    bars = random_ohlcv(L)
    assert np.isfinite(model.forecast(bars[None, :2], times[:1, :3])).all()
    bars[:, :4] *= np.where(np.arange(L) % 7 == 0, 1e12, 1.0)[:, None]
    wild = model.forecast(bars[None], times[:1])
    assert np.isfinite(wild).all()
    assert (wild > -1).all()


def test_calendar_equals_the_vendors():
    times = np.concatenate([stamps("1969-12-28", 900, 1000, "m"), stamps("2023-12-30", 900, 1000, "m")])
    np.testing.assert_array_equal(calendar(times), vendor.kronos.calc_time_stamps(pd.Series(times)))


def test_a_stocks_hours_are_told_by_the_exchanges_clocks(folder, monkeypatch):
    stamps = [f"2024-01-{day:02}T{hour}:30" for day in range(8, 12) for hour in (14, 15, 16)]
    prices = random_ohlcv(len(stamps))
    hours = {}
    for symbol in ("NVDA", "ETHUSD"):
        with monkeypatch.context() as patched:
            patched.setattr(kronos, "calendar", lambda times, symbol=symbol: hours.setdefault(symbol, calendar(times)))
            bars = make_bars(symbol, "test", np.array(stamps, "datetime64[s]"), prices)
            make_forecasts(make(folder, context=9), bars, np.array([len(bars) - 1]), None, Clock())
    assert hours["NVDA"][0, :, 1].tolist() == [9, 10, 11] * 3
    assert hours["ETHUSD"][0, :, 1].tolist() == [14, 15, 16] * 3


def test_seed_samples_and_clip_change_the_forecast_and_every_choice_the_fingerprint(folder, contexts, times):
    plain = make(folder)
    choices = [{"seed": 1}, {"samples": S + 1}, {"clip": 0.5}, {"temperature": 0.2}, {"top_p": 0.3}, {"top_k": 2}]
    others = [make(folder, **choice) for choice in choices]
    expected = plain.forecast(contexts, times)
    for other in others:
        assert (other.forecast(contexts, times) != expected).any()
    others += [make(folder, context=L - 1), make(folder, dtype="bfloat16"), plain]
    assert len({fingerprint(model) for model in others}) == len(others)
    assert fingerprint(make(folder, device="auto")) == fingerprint(plain)


def test_configs_open_it_and_the_plain_one_says_its_defaults(folder):
    found = {}
    for name in ("kronos", "kronos-ethusd"):
        settings = resolve({"weights": str(folder)}, str(CONFIGS / f"{name}.toml"), {}).settings
        found[name] = opened(settings)
    plain = Kronos("small", Options(weights=str(folder)))
    assert found["kronos"].parameters == plain.parameters
    assert found["kronos-ethusd"].parameters == plain.parameters | {
        "context": 192,
        "samples": 224,
        "temperature": 0.3,
        "top_k": 32,
        "clip": 1.8,
    }


def test_bfloat16_leaves_the_tokenizer_alone(folder, networks, contexts, times):
    half = kronos_network.Networks(networks.model, networks.tokenizer, torch.device("cpu"), "bfloat16", False)
    bars, when = inputs(contexts, times)
    with torch.inference_mode():
        tokens = networks.encode(bars)
        (exact, _), (rough, _) = networks.read(tokens, when, S, 0), half.read(half.encode(bars), when, S, 0)
    assert all(torch.equal(*pair) for pair in zip(half.encode(bars), tokens, strict=True))
    assert rough.dtype == torch.float32
    assert 1e-4 < (exact - rough).abs().max() < 0.2


def test_memory_error_comes_out_as_such(folder, contexts, times, monkeypatch):
    def refuse(*_):
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(kronos_network, "draw", refuse)
    with pytest.raises(MemoryError):
        make(folder).forecast(contexts, times)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("options", [{}, {"dtype": "bfloat16"}, {"compile": True}])
def test_gpu_agrees_with_the_cpu(folder, contexts, times, options):
    expected = make(folder, top_k=1).forecast(contexts, times)
    model = make(folder, top_k=1, device="cuda", **options)
    assert model.batch > kronos.BATCH
    np.testing.assert_allclose(model.forecast(contexts, times), expected, atol=0.05 if options.get("dtype") else 1e-4)
