"""Default costs of a trade."""

from __future__ import annotations

from marketsim.settings.groups import CostSettings

FEE_BPS = {True: 15.0, False: 5.0}  # per side, by whether the asset is crypto


def fee_bps(crypto: bool, costs: CostSettings) -> float:
    """The fee a side, in basis points."""
    return FEE_BPS[crypto] if costs.fee_bps is None else costs.fee_bps
