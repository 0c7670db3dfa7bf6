"""A batched mixture of Student-t distributions, with quantiles and trimmed means, on its tensors' device.

torch has no Student-t distribution function, hence this one.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

NODES = 16  # of a Gauss-Legendre rule: errors of the distribution function stay below 2e-7, most of them below 1e-9
REACH = 21.0  # the density is e^-21 of its peak where the integral is cut off
HALVINGS = 32  # of the bracket: what is left of it is below the noise of float32 parameters


class StudentMixture(NamedTuple):
    """K components each in any number of distributions, `[..., K]`; degrees of freedom of at least 2."""

    weights: Tensor  # [..., K], sum 1
    df: Tensor  # [..., K] degrees of freedom
    loc: Tensor  # [..., K]
    scale: Tensor  # [..., K] above 0

    def cdf(self, x: Tensor) -> Tensor:
        """The probability `[..., Q]` of a value up to `x` `[..., Q]`, both of the parameters' dtype.

        For one component, with `u = atan(t / sqrt(df))` at `t = (x - loc) / scale`, the density is a power of
        a cosine on a bounded interval, which a fixed rule of Gauss and Legendre integrates:

            F(t) = 1/2 + c * integral over v in (0, u) of  cos(v)^(df - 1) dv
            c    = Gamma((df + 1) / 2) / (Gamma(df / 2) * sqrt(pi))
        """
        return _Integral.of(self).cdf(x)

    def quantiles(self, levels: tuple[float, ...]) -> Tensor:
        """Quantiles `[..., Q]` at `levels`, rising, by bisection; computed in float64 where the device has it.

        They lie between the least and the largest of the components' own, and those within what two degrees of
        freedom have: `loc + scale * (2p - 1) / sqrt(2p (1 - p))` and `loc`.
        """
        exact = self._exact()
        p = _sent(tuple(levels), exact.loc.dtype, exact.loc.device)
        return _Integral.of(exact).quantiles(p)

    def trimmed_mean(self, trim: float) -> Tensor:
        """The mean `[...]` of the quantile function between `trim` and `1 - trim`, 0 < trim < 1/2.

        With u and c of `cdf`, what a component adds to the mean up to x, and the whole from quantile a to quantile b:

            M(x) = loc * F(t) - scale * c * sqrt(df) / (df - 1) * cos(u)^(df - 1)
            m    = (sum(w * (M(b) - M(a))) + a * (F(a) - trim) - b * (F(b) - 1 + trim)) / (1 - 2 trim)

        The terms after the sum vanish at exact quantiles; with them an error of a or b enters squared only.
        """
        exact = self._exact()
        integral = _Integral.of(exact)
        at = _sent((trim, 1 - trim), exact.loc.dtype, exact.loc.device)
        ends = integral.quantiles(at)
        below, u, power = integral.below(ends), integral.angle(ends), integral.power
        df, loc, scale, weights = (
            parameter[..., None, :] for parameter in (exact.df, exact.loc, exact.scale, exact.weights)
        )
        tail = scale * integral.constant * df.sqrt() / power * u.cos() ** power
        mean = ((loc * below - tail) * weights).sum(-1)
        excess = ends * ((below * weights).sum(-1) - at)
        return (mean - excess).diff(dim=-1)[..., 0] / (1 - 2 * trim)

    def _exact(self) -> StudentMixture:
        """The same in float64, where the device has it."""
        double = torch.float32 if self.loc.device.type == "mps" else torch.float64
        return StudentMixture(*(parameter.to(double) for parameter in self))


class _Integral(NamedTuple):
    """What the distribution function of a mixture needs at any value, made once; all `[..., 1, K]`."""

    weights: Tensor
    loc: Tensor
    scale: Tensor
    root: Tensor  # of the degrees of freedom
    power: Tensor  # of the cosine: one less than they are
    reach: Tensor  # the angle up to which there is any density
    constant: Tensor  # c of `cdf`
    nodes: Tensor  # [NODES] of the rule, between 0 and 1
    node_weights: Tensor  # [NODES]

    @classmethod
    def of(cls, mixture: StudentMixture) -> _Integral:
        weights, df, loc, scale = (parameter[..., None, :] for parameter in mixture)
        power = df - 1
        reach = torch.acos(torch.exp(-REACH / power))
        constant = torch.exp(torch.lgamma((power + 2) / 2) - torch.lgamma((power + 1) / 2)) / math.sqrt(math.pi)
        points, of_points = np.polynomial.legendre.leggauss(NODES)
        nodes, node_weights = (
            _sent(tuple(numbers.tolist()), loc.dtype, loc.device) for numbers in ((points + 1) / 2, of_points / 2)
        )
        return cls(weights, loc, scale, df.sqrt(), power, reach, constant, nodes, node_weights)

    def angle(self, x: Tensor) -> Tensor:
        """`u` `[..., Q, K]` of `cdf` at `x` `[..., Q]`, no further than the density reaches."""
        t = (x[..., None] - self.loc) / self.scale
        return torch.atan(t / self.root).clamp(-self.reach, self.reach)

    def below(self, x: Tensor) -> Tensor:
        """Each component's probability `[..., Q, K]` of a value up to `x` `[..., Q]`."""
        u = self.angle(x)
        density = (self.power[..., None] * (u[..., None] * self.nodes).cos_().log_()).exp_() @ self.node_weights
        return 0.5 + self.constant * u * density

    def cdf(self, x: Tensor) -> Tensor:
        """That of the mixture, `[..., Q]`."""
        return (self.below(x) * self.weights).sum(-1)

    def quantiles(self, p: Tensor) -> Tensor:
        """Quantiles `[..., Q]` at levels `p` `[Q]`."""
        widest = ((2 * p - 1) / torch.sqrt(2 * p * (1 - p)))[:, None]
        low = (self.loc + self.scale * widest.clamp(max=0)).amin(-1)
        high = (self.loc + self.scale * widest.clamp(min=0)).amax(-1)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            below = self.cdf(middle) < p
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return (low + high) / 2


@functools.lru_cache(maxsize=16)
def _sent(numbers: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Numbers on the device, sent there once a process."""
    with torch.inference_mode(False):  # whoever else takes it
        return torch.tensor(numbers, dtype=dtype, device=device)
