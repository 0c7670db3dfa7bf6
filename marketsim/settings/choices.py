"""Names of choices that code elsewhere refers to, each spelled only here."""

from __future__ import annotations

BASIS_POINTS = 10_000  # in a whole

ENTRY_EXIT, ALWAYS_ON = STRATEGIES = ("entry-exit", "always-on")
EVERY_STRATEGY = "all"
PROVABLE, EXPECTED, TOUCH = FILLS = ("provable", "expected", "touch")  # what they credit never falls in this order
_, AT_CLOSE, _ = CLOSE_AT_EOD = ("auto", "always", "never")
HOLDING = "buy-and-hold"  # the baseline that strategies are measured against
AUTO, CRYPTO, STOCK = ASSETS = ("auto", "crypto", "stock")
SAMPLE = "sample"  # the source of the bars in the package
STORE = "store"  # the source that is fetched into
DROP, KEEP = PARTIAL_BARS = ("drop", "keep")
