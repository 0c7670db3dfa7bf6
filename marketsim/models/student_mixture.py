"""A mixture of Student-t distributions, batched, and the quantiles of it, on whatever device its tensors are.

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
        power = self.df[..., None, :] - 1  # [..., 1, K]
        points, node_weights = np.polynomial.legendre.leggauss(NODES)
        node, node_weight = (x.new_tensor(each) for each in ((points + 1) / 2, node_weights / 2))
        reach = torch.acos(torch.exp(-REACH / power))
        t = (x[..., None] - self.loc[..., None, :]) / self.scale[..., None, :]
        u = torch.atan(t / self.df[..., None, :].sqrt()).clamp(-reach, reach)
        density = (power[..., None] * (u[..., None] * node).cos_().log_()).exp_() @ node_weight
        c = torch.exp(torch.lgamma((power + 2) / 2) - torch.lgamma((power + 1) / 2)) / math.sqrt(math.pi)
        return ((0.5 + c * u * density) * self.weights[..., None, :]).sum(-1)

    def quantiles(self, levels: tuple[float, ...]) -> Tensor:
        """Quantiles `[..., Q]` at `levels`, rising, by bisection; computed in float64 where the device has it.

        They lie between the least and the largest of the components' own, and those within what two degrees of
        freedom have: `loc + scale * (2p - 1) / sqrt(2p (1 - p))` and `loc`.
        """
        double = torch.float32 if self.loc.device.type == "mps" else torch.float64
        exact = StudentMixture(*(each.to(double) for each in self))
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
