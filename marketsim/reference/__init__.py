"""The reference system's functions under their own names, for existing code.

Its rule is simpler than the command line's: `touch` fills, entries at the level itself, one fee a bar or a leg, and
moves instead of prices. Where it searched for multipliers, these functions solve.
"""

from marketsim.reference.bounds import BOUNDS
from marketsim.reference.fees import RULES, TRADING_FEE
from marketsim.reference.maxdiff import (
    AlwaysOnOptimizationResult,
    EntryExitOptimizationResult,
    optimize_maxdiff_always_on,
    optimize_maxdiff_entry_exit,
)
from marketsim.reference.multipliers import (
    optimize_always_on_multipliers,
    optimize_batch_always_on,
    optimize_batch_entry_exit,
    optimize_entry_exit_multipliers,
)
from marketsim.reference.profits import entry_exit_profit
from marketsim.reference.searches import (
    optimize_entry_exit_multipliers_with_callback,
    optimize_single_parameter,
    run_bounded_optimizer,
)

__all__ = [
    "BOUNDS",
    "RULES",
    "TRADING_FEE",
    "AlwaysOnOptimizationResult",
    "EntryExitOptimizationResult",
    "entry_exit_profit",
    "optimize_always_on_multipliers",
    "optimize_batch_always_on",
    "optimize_batch_entry_exit",
    "optimize_entry_exit_multipliers",
    "optimize_entry_exit_multipliers_with_callback",
    "optimize_maxdiff_always_on",
    "optimize_maxdiff_entry_exit",
    "optimize_single_parameter",
    "run_bounded_optimizer",
]
