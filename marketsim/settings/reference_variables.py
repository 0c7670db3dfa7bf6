"""The reference system's variables: their meaning here, and which are ignored.

A setting's own variable wins over them. None of them stops a command: one without a meaning here is named in a note.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from marketsim.settings.validators import VALIDATORS

READ_ELSEWHERE = ("REFERENCE_RULE", "COMPILED")  # by marketsim.reference, by the exact fit


class Variable(Struct, frozen=True):
    """A variable that sets `key`; of `model` alone, where it names one."""

    key: str
    words: Callable[[str], str | None]  # what the setting's own variable would hold; None: nothing is asked for
    model: str | None = None


def _flag(text: str) -> bool:
    """Raises ValueError with what would be right."""
    flag = VALIDATORS["fast"]
    return bool(flag.check(flag.text(text)))


def _as_words(text: str) -> str:
    """What the setting's own variable would hold."""
    return text


def _forced(model: str) -> Callable[[str], str | None]:
    return lambda text: model if _flag(text) else None


HONORED = {  # a later one wins over an earlier one
    "NUM_SIMULATIONS": Variable("sims", _as_words),
    "BACKTEST_SIMULATIONS": Variable("sims", _as_words),
    "FAST_SIMULATE": Variable("fast", _as_words),
    "USE_DIRECT_OPTIMIZER": Variable("optimizer", lambda text: "direct" if _flag(text) else "differential-evolution"),
    "FORCE_KRONOS": Variable("model", _forced("kronos")),
    "FORCE_TOTO": Variable("model", _forced("toto")),
    "KRONOS_SAMPLE_COUNT": Variable("samples", _as_words, "kronos"),
    "TOTO_DEVICE": Variable("device", lambda text: text.partition(":")[0], "toto"),
    "TOTO_COMPILE": Variable("compile", _as_words, "toto"),
}
WITHOUT_MEANING = (
    "ALLOW_CPU_FALLBACK",
    "ALLOW_MOCK_ANALYTICS",
    "DATA_ROOT",
    "FALLBACK_INFERENCE_LATENCY",
    "FAST_MODE",
    "FAST_OPTIMIZATION",
    "FAST_OPTIMIZE",
    "FAST_SIMULATE_BF16",
    "FAST_SIMULATE_COMPILE",
    "FORECAST_LOOKAHEAD",
    "HOURLY_DATA_ROOT",
    "MAX_HORIZON",
    "MAX_MAXDIFFS",
    "PARALLEL_ANALYSIS",
    "PARALLEL_WORKERS",
    "RELAX_SPREAD",
    "SHARPE_CUTOFF",
    "SIMPLE_MODE",
    "SKIP_CLOSED_EQUITY",
    "SKIP_REAL_IMPORT",
    "SWEEP_POINTS",
    "SWEEP_RANGE",
    "ULTRA_FAST",
    "USE_MOCK_ANALYTICS",
    "USE_TORCH_GRID",
    "WARMUP_MODELS",
)
FAMILIES_WITHOUT_MEANING = (  # beginnings of names
    "CACHE_DISK",
    "CACHE_PREDICTIONS",
    "DISABLE_",
    "DRAWDOWN_",
    "ENABLE_",
    "FORCE_",
    "KELLY_",
    "KRONOS_",
    "NEURAL_",
    "PROBE_",
    "SIM_ANALYSIS_",
    "SYMBOL_",
    "TORCH_GRID_",
    "TOTO_",
    "TREND_",
)


def means_nothing(name: str) -> bool:
    """Whether the reference system reads the variable (`name` without its prefix) and it can set nothing here."""
    return name in WITHOUT_MEANING or (name not in HONORED and name.startswith(FAMILIES_WITHOUT_MEANING))
