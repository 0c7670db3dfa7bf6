"""Tokens that `kronos` draws from logits: as the vendor would, and never what cannot be."""

import numpy as np
import pytest

from marketsim.models.kronos import stratified
from marketsim.models.options import Sampling

torch = pytest.importorskip("torch")
vendor = pytest.importorskip("kronos_finance._vendor.kronos_model", reason="needs the extra 'kronos'")

from marketsim.models.kronos_network import draw  # noqa: E402

PLAIN = Sampling(1.0, 0, 1.0)


def vendors_chances(logits, temperature, top_k, top_p):
    kept = vendor.kronos.top_k_top_p_filtering(logits / temperature, top_k=top_k, top_p=top_p)
    return (logits / temperature if kept is None else kept).softmax(-1).numpy()


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(1.0, 0, 1.0), (0.3, 0, 1.0), (2.0, 7, 1.0), (1.0, 0, 0.7), (0.5, 0, 0.05)]
)
def test_draws_have_the_vendors_distribution(temperature, top_k, top_p):
    logits = 2 * torch.randn((3, 64), generator=torch.Generator().manual_seed(0))
    count = 4096
    uniforms = torch.from_numpy(np.stack([stratified(seed, count)[0] for seed in range(3)]))
    tokens = draw(logits, uniforms, Sampling(temperature, top_k, top_p)).numpy()
    shares = np.stack([np.bincount(row, minlength=64) for row in tokens]) / count
    np.testing.assert_allclose(shares, vendors_chances(logits, temperature, top_k, top_p), atol=1.01 / count)


def test_top_k_and_top_p_hold_together():
    logits = torch.log(torch.tensor([0.4, 0.3, 0.2, 0.1]))
    uniforms = torch.linspace(0, 1, 1001)
    assert set(draw(logits, uniforms, Sampling(1.0, 3, 1.0)).tolist()) == {0, 1, 2}
    assert set(draw(logits, uniforms, Sampling(1.0, 3, 0.5)).tolist()) == {0, 1}
    assert set(draw(logits, uniforms, Sampling(1.0, 1, 0.99)).tolist()) == {0}


def test_no_draw_falls_off_the_end_or_on_what_cannot_be():
    logits = torch.tensor([-torch.inf, 0.0, 0.1, 0.2, -torch.inf, -200.0])
    assert set(draw(logits, torch.tensor([0.0, 0.5, 1.0]), PLAIN).tolist()) == {1, 2, 3}
