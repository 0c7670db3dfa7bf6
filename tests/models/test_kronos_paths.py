"""Paths of `kronos`, bars beyond the next one: equal to the vendor's way of copying the context for each of them."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from marketsim.forecasting.forecasts import CLOSE, HIGH, HIGHEST, LEVELS, LOW, LOWEST, OPEN
from marketsim.models.kronos import Kronos, calendar, draws, standardize
from marketsim.models.options import Options, Sampling
from tests.candles import random_ohlcv

torch = pytest.importorskip("torch")
vendor = pytest.importorskip("kronos_finance._vendor.kronos_model", reason="needs the extra 'kronos'")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from marketsim.models import kronos_attention  # noqa: E402
from marketsim.models.kronos_attention import Memory, rotate, turns  # noqa: E402
from marketsim.models.kronos_network import Networks, open_networks  # noqa: E402
from tests.models.tiny_kronos import build  # noqa: E402

L, N, S, K = 48, 4, 16, 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("kronos")
    build(path)
    return path


@pytest.fixture(scope="module")
def networks(folder):
    return open_networks(folder / "model", folder / "tokenizer", torch.device("cpu"), "float32", False)


def make(folder, **options):
    return Kronos("small", Options(**{"weights": str(folder), "context": L, "samples": S, "device": "cpu"} | options))


def given(length, ahead=K):
    """Contexts `[N, L, 5]` and times `[N, L + K]`, whose calendar changes from bar to bar."""
    bars = random_ohlcv(length + N)
    minutes = np.arange(length + ahead) * np.timedelta64(61, "m")
    times = np.stack([np.datetime64(f"2020-02-{i + 1:02}T12:30", "s") + minutes for i in range(N)])
    return np.stack([bars[i : i + length] for i in range(N)]), times


@pytest.fixture(scope="module")
def contexts():
    return given(L)[0]


@pytest.fixture(scope="module")
def times():
    return given(L)[1]


@pytest.fixture(scope="module")
def forced():
    """Coarse and fine tokens `[N, S, K]` that every sample is made to draw."""
    return torch.from_numpy(np.random.default_rng(0).integers(0, 1024, (2, N, S, K)))


def with_paths(context, forced, i, k):
    """The tokens of one context and the first k bars of the path of its i-th sample, as the vendor is handed them."""
    return [torch.cat([known, drawn[:, i, :k]], 1) for known, drawn in zip(context, forced, strict=True)]


def test_logits_and_bars_of_every_step_of_a_path_equal_the_vendors(networks, contexts, times, forced):
    bars, when = torch.from_numpy(standardize(contexts, 5.0)[0]), torch.from_numpy(calendar(times))
    with torch.inference_mode():
        context = networks.encode(bars)
        hidden, blocks = networks.read(context, when[:, :L], S, K)
        last, memory, decoder = hidden[:, -1:], networks.remember(hidden, S, K), networks.decoder(context, S, K)
        for k in range(K):
            drawn = forced[0, ..., k], forced[1, ..., k]
            coarse = networks.coarse_logits(last).expand(N, S, -1)
            fine = networks.fine_logits(last, memory, drawn[0])
            decoded = networks.decode(decoder, drawn)
            for i in range(S):
                logits, features = networks.model.decode_s1(*with_paths(context, forced, i, k), when[:, : L + k])
                second = networks.model.decode_s2(features, drawn[0][:, i : i + 1])[:, -1]
                whole = networks.tokenizer.decode(with_paths(context, forced, i, k + 1), half=True)[:, -1]
                for mine, theirs in ((coarse, logits[:, -1]), (fine, second), (decoded, whole)):
                    torch.testing.assert_close(mine[:, i], theirs, atol=1e-5, rtol=1e-5)
            last = networks.follow(blocks, memory, drawn, when[:, L + k])
    assert (coarse[:, 0] - coarse[:, 1]).abs().max() > 1e-3  # by now each path has logits of its own


class Counted(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.calls = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.calls[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def test_a_further_bar_costs_the_same_and_no_tensor_is_made_for_it_by_the_host(networks, contexts, times):
    bars, when = torch.from_numpy(standardize(contexts, 5.0)[0]), torch.from_numpy(calendar(times))
    uniforms, scale = torch.rand(N, K, 2, S), torch.ones(N, 2, 4)
    calls = []
    with torch.inference_mode():
        for ahead in (K - 2, K - 1, K):
            for counted in (Counted(), Counted()):  # the first time what all contexts share is made
                with counted:
                    networks.at_once(Sampling(1.0, 0, 1.0), bars, when[:, : L + ahead - 1], uniforms[:, :ahead], scale)
            calls.append(counted.calls)
    totals = [made.total() for made in calls]
    assert totals[2] - totals[1] == totals[1] - totals[0] > 0
    assert not {"arange", "lift_fresh", "full", "_local_scalar_dense"} & (calls[2] - calls[1]).keys()


def test_own_bars_are_read_behind_a_mask_or_one_by_one(monkeypatch):
    """Both ways to what a sample finds in the context and its own bars, and in those of no other sample."""
    random = torch.Generator().manual_seed(0)
    context, query, own = (torch.randn(2, 3, n, 8, generator=random) for n in (5, 4, 12))
    found = []
    for hidden in (100, 0):
        monkeypatch.setattr(kronos_attention, "HIDDEN", hidden)
        memory = Memory(context, 2 * context, samples=4, bars=3)
        for bar in own.split(4, 2)[:2]:
            memory.add(bar, 2 * bar)
        found.append(memory.attend(query))
    torch.testing.assert_close(found[0], found[1])
    keys = torch.cat([context, own[:, :, [1, 5]]], 2)
    alone = torch.nn.functional.scaled_dot_product_attention(query[:, :, [1]], keys, 2 * keys)
    torch.testing.assert_close(found[0][:, :, [1]], alone)


@pytest.mark.parametrize("length", [L, 512 - K])
def test_greedy_path_equals_the_vendors_predictor(folder, networks, length):
    contexts, times = given(length)
    predictor = vendor.KronosPredictor(networks.model, networks.tokenizer, device="cpu")
    names = ["open", "high", "low", "close", "volume"]
    frames = [pd.DataFrame(context, columns=names) for context in contexts]
    known, following = [pd.Series(row[:length]) for row in times], [pd.Series(row[length:]) for row in times]
    found = predictor.predict_batch(frames, known, following, K, top_k=1, sample_count=1, verbose=False)
    theirs = np.stack([frame.to_numpy()[:, :4] for frame in found]) / contexts[:, -1:, 3, None] - 1
    model = make(folder, top_k=1, context=length, samples=2)
    assert model.horizon == 512 - length
    mine = model.paths(contexts, times)
    np.testing.assert_allclose(mine[:, :, :4], np.repeat(theirs[..., None], len(LEVELS), -1), atol=1e-5)
    for row, extreme in ((HIGHEST, np.maximum), (LOWEST, np.minimum)):
        sofar = extreme.accumulate(extreme.reduce(theirs, axis=2), axis=1)
        np.testing.assert_allclose(mine[:, :, row, 0], sofar, atol=1e-5)
    assert np.ptp(theirs, 1).min() > 1e-4  # the bars of a path differ


def test_quantiles_are_those_of_the_vendors_joint_distribution_of_paths(networks, contexts, times):
    bars, when = torch.from_numpy(standardize(contexts, 5.0)[0])[:1], torch.from_numpy(calendar(times))[:1]
    kept, count, ahead = 3, 4096, 2
    with torch.inference_mode():
        paths = [([each[0] for each in networks.tokenizer.encode(bars, half=True)], 1.0)]
        for k in range(ahead):
            longer = []
            for tokens, chance in paths:
                logits, features = networks.model.decode_s1(*(each[None] for each in tokens), when[:, : L + k])
                for coarse, first in likely(logits[0, -1], kept):
                    for fine, second in likely(networks.model.decode_s2(features, coarse[None, None])[0, -1], kept):
                        drawn = (torch.cat([each, new[None]]) for each, new in zip(tokens, (coarse, fine), strict=True))
                        longer.append((list(drawn), chance * first * second))
            paths = longer
        atoms = [
            networks.tokenizer.decode([each[None] for each in tokens], half=True)[0, L:, :4] for tokens, _ in paths
        ]
        uniforms = torch.from_numpy(draws(0, count, ahead))[None]
        plain = torch.tensor([1.0, 0.0]).repeat_interleave(4).reshape(1, 2, 4)
        found = networks.at_once(Sampling(1.0, kept, 1.0), bars, when[:, : L + 1], uniforms, plain)
    atoms, chances = torch.stack(atoms), torch.tensor([chance for _, chance in paths])[:, None, None]
    assert len(atoms) == kept**4
    extremes = torch.stack([atoms.flatten(1).amax(1), atoms.flatten(1).amin(1)], 1)
    for quantiles, values in ((found[0][0, 1], atoms[:, 1]), (found[1][0, 1], extremes)):
        assert ((chances * (values[..., None] <= quantiles + 1e-5)).sum(0) > torch.tensor(LEVELS) - 0.03).all()
        assert ((chances * (values[..., None] < quantiles - 1e-5)).sum(0) < torch.tensor(LEVELS) + 0.03).all()


def likely(logits, kept):
    values, tokens = logits.topk(kept)
    return list(zip(tokens, values.softmax(-1).tolist(), strict=True))


def test_the_context_is_read_once_and_each_bar_of_a_path_alone(folder, networks, contexts, times):
    seen = Counter()

    def watch(module, arguments, _):
        seen[module.__class__.__name__, tuple(arguments[0].shape)] += 1

    model, tokenizer = networks.model, networks.tokenizer
    blocks = [*model.transformer, *tokenizer.encoder, *tokenizer.decoder[:-1]]
    forwards = [*model.transformer, *tokenizer.decoder]
    hooks = [each.register_forward_hook(watch) for each in (*blocks, *(layer.ffn for layer in forwards))]
    make(folder).paths(contexts[:1], times[:1])
    for hook in hooks:
        hook.remove()
    wide, deep, drawn = model.d_model, len(model.transformer), len(tokenizer.decoder)
    assert seen["TransformerBlock", (1, L, wide)] == len(blocks)
    assert seen["FeedForward", (1, S, wide)] == drawn * K + deep * (K - 1)
    assert {shape for _, shape in seen} == {(1, L, wide), (1, S, wide)}


def test_a_bar_is_the_same_to_the_bit_whatever_follows_it_and_whoever_is_beside_it(folder, contexts, times):
    model = make(folder)
    expected = model.paths(contexts, times)
    assert expected.shape == (N, K, 6, len(LEVELS))
    assert (np.diff(expected, axis=-1) >= 0).all()
    np.testing.assert_array_equal(model.forecast(contexts, times[:, : L + 1]), expected[:, 0, :4])
    for ahead in range(1, K):
        np.testing.assert_array_equal(model.paths(contexts, times[:, : L + ahead]), expected[:, :ahead])
    order = np.array([2, 0])
    np.testing.assert_array_equal(model.paths(contexts[order], times[order]), expected[order])
    assert (np.diff(expected, axis=1) != 0).any((0, 2, 3)).all()  # no bar repeats the one before


def test_extremes_are_of_all_bars_so_far_and_of_all_their_prices(folder, contexts, times):
    moves = make(folder).paths(contexts, times)
    assert (np.diff(moves[:, :, HIGHEST], axis=1) >= 0).all()
    assert (np.diff(moves[:, :, LOWEST], axis=1) <= 0).all()
    for row in (OPEN, HIGH, LOW, CLOSE):
        assert (moves[:, :, HIGHEST] >= np.maximum.accumulate(moves[:, :, row], 1) - 1e-6).all()
        assert (moves[:, :, LOWEST] <= np.minimum.accumulate(moves[:, :, row], 1) + 1e-6).all()
    assert (moves[:, -1, HIGHEST] > moves[:, :, HIGH].max(1) + 1e-4).any()  # the extreme of a path is no marginal's


def test_uniforms_of_a_bar_are_stratified_and_their_own():
    uniforms = draws(7, 100, 4)
    np.testing.assert_array_equal(uniforms[:2], draws(7, 100, 2))
    for later in uniforms[1:].reshape(-1, 100):
        np.testing.assert_array_equal(np.sort(np.floor(later * 100)), np.arange(100))
    ranks = np.corrcoef(np.delete(uniforms.reshape(-1, 100), 0, 0)) - np.eye(7)
    assert np.abs(ranks).max() < 0.4  # no row follows another, nor the rising first one
    assert np.abs(np.corrcoef(uniforms.reshape(-1, 100))[0, 1:]).max() < 0.4


def test_the_calendar_of_the_bars_before_a_bar_matters_to_it_and_its_own_does_not(folder, contexts, times):
    model = make(folder)
    expected = model.paths(contexts, times)
    moved = times.copy()
    moved[:, L + 1] += np.timedelta64(100, "D")
    changed = (model.paths(contexts, moved) != expected).any((0, 2, 3))
    assert changed.tolist() == [False, False, True, True, True]


def test_a_place_beyond_256_is_exact_in_bfloat16(networks):
    attention = networks.model.transformer[0].self_attn
    x = torch.randn((1, 4, 1, 8), generator=torch.Generator().manual_seed(0)).bfloat16()
    for place in (0, 301, 511):
        at = torch.tensor([place])
        torch.testing.assert_close(
            rotate(x, turns(attention, at)).float(), rotate(x.float(), turns(attention, at)), atol=0.05, rtol=0
        )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("options", [{}, {"compile": True}])
def test_gpu_agrees_with_the_cpu(folder, contexts, times, options):
    expected = make(folder, top_k=1).paths(contexts, times)
    np.testing.assert_allclose(
        make(folder, top_k=1, device="cuda", **options).paths(contexts, times), expected, atol=1e-4
    )


def test_bfloat16_goes_the_same_way(networks, contexts, times, forced):
    half = Networks(networks.model, networks.tokenizer, torch.device("cpu"), "bfloat16", False)
    bars, when = torch.from_numpy(standardize(contexts, 5.0)[0]), torch.from_numpy(calendar(times))
    found = []
    with torch.inference_mode():
        for each in (networks, half):
            hidden, blocks = each.read(each.encode(bars), when[:, :L], S, 2)
            memory = each.remember(hidden, S, 2)
            for k in range(2):
                last = each.follow(blocks, memory, (forced[0, ..., k], forced[1, ..., k]), when[:, L + k])
            found.append(last)
    assert 1e-4 < (found[0] - found[1]).abs().max() < 0.2
