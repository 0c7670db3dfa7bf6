"""A mixture of Student-t distributions, batched, its quantiles and trimmed means, on whatever device its tensors are.

torch has no Student-t distribution function, hence this one.
"""

from __future__ import annotations

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
        return (self._below(x) * self.weights[..., None, :]).sum(-1)

    def quantiles(self, levels: tuple[float, ...]) -> Tensor:
        """Quantiles `[..., Q]` at `levels`, rising, by bisection; computed in float64 where the device has it.

        They lie between the least and the largest of the components' own, and those within what two degrees of
        freedom have: `loc + scale * (2p - 1) / sqrt(2p (1 - p))` and `loc`.
        """
        exact = self._exact()
        p = exact.loc.new_tensor(levels)
        widest = (2 * p - 1) / torch.sqrt(2 * p * (1 - p))
        loc, scale = exact.loc[..., None, :], exact.scale[..., None, :]
        low = (loc + scale * widest[:, None].clamp(max=0)).amin(-1)
        high = (loc + scale * widest[:, None].clamp(min=0)).amax(-1)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            below = exact.cdf(middle) < p
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return (low + high) / 2

    def trimmed_mean(self, trim: float) -> Tensor:
        """The mean `[...]` of the quantile function between `trim` and `1 - trim`, 0 < trim < 1/2.

        With u and c of `cdf`, what a component adds to the mean up to x, and the whole from quantile a to quantile b:

            M(x) = loc * F(t) - scale * c * sqrt(df) / (df - 1) * cos(u)^(df - 1)
            m    = (sum(w * (M(b) - M(a))) + a * (F(a) - trim) - b * (F(b) - 1 + trim)) / (1 - 2 trim)

        The terms after the sum vanish at exact quantiles; with them an error of a or b enters squared only.
        """
        exact = self._exact()
        ends = exact.quantiles((trim, 1 - trim))
        below = exact._below(ends)
        u, power = exact._angle(ends)
        df, loc, scale, weights = (
            parameter[..., None, :] for parameter in (exact.df, exact.loc, exact.scale, exact.weights)
        )
        tail = scale * _constant(power) * df.sqrt() / power * u.cos() ** power
        mean = ((loc * below - tail) * weights).sum(-1)
        excess = ends * ((below * weights).sum(-1) - ends.new_tensor([trim, 1 - trim]))
        return (mean - excess).diff(dim=-1)[..., 0] / (1 - 2 * trim)

    def _below(self, x: Tensor) -> Tensor:
        """Each component's probability `[..., Q, K]` of a value up to `x` `[..., Q]`."""
        points, node_weights = np.polynomial.legendre.leggauss(NODES)
        node, node_weight = (x.new_tensor(values) for values in ((points + 1) / 2, node_weights / 2))
        u, power = self._angle(x)
        density = (power[..., None] * (u[..., None] * node).cos_().log_()).exp_() @ node_weight
        return 0.5 + _constant(power) * u * density

    def _angle(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`u` `[..., Q, K]` of `cdf`, no further than the density reaches, and `df - 1` `[..., 1, K]`."""
        power = self.df[..., None, :] - 1
        reach = torch.acos(torch.exp(-REACH / power))
        t = (x[..., None] - self.loc[..., None, :]) / self.scale[..., None, :]
        return torch.atan(t / self.df[..., None, :].sqrt()).clamp(-reach, reach), power

    def _exact(self) -> StudentMixture:
        """The same in float64, where the device has it."""
        double = torch.float32 if self.loc.device.type == "mps" else torch.float64
        return StudentMixture(*(parameter.to(double) for parameter in self))


def _constant(power: Tensor) -> Tensor:
    """`c` of `StudentMixture.cdf`, for `df - 1`."""
    return torch.exp(torch.lgamma((power + 2) / 2) - torch.lgamma((power + 1) / 2)) / math.sqrt(math.pi)
