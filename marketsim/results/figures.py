"""Numbers as text, the same in the terminal and on a page."""

from __future__ import annotations

from typing import Protocol


class Mean(Protocol):
    """A row with a mean profit in basis points a bar, its interval, and its power."""

    @property
    def mean_bps(self) -> float: ...  # noqa: D102

    @property
    def low_bps(self) -> float | None: ...  # noqa: D102

    @property
    def high_bps(self) -> float | None: ...  # noqa: D102

    @property
    def smallest_edge_bps(self) -> float | None: ...  # noqa: D102

    @property
    def bars_for_10_bps(self) -> int | None: ...  # noqa: D102


def mean(row: Mean) -> tuple[str, str, str, str]:
    """A mean profit, its interval, its smallest edge, and its bars for 10 bps."""
    return (
        signed(row.mean_bps),
        span(row.low_bps, row.high_bps),
        whole(row.smallest_edge_bps),
        whole(row.bars_for_10_bps),
    )


def signed(value: float | None) -> str:
    """A number with its sign, one digit after the point; `-` for None."""
    return "-" if value is None else f"{value:+.1f}"


def span(low: float | None, high: float | None) -> str:
    """From one number to another, or the one that both are."""
    return signed(low) if low == high else f"{signed(low)} .. {signed(high)}"


def percent(value: float | None) -> str:
    """A share in whole per cent; `-` for None."""
    return "-" if value is None else f"{100 * value:.0f}"


def whole(value: float | None) -> str:
    """A number without digits after the point; `-` for None."""
    return "-" if value is None else f"{value:,.0f}"


def number(value: float | None) -> str:
    """A number with two digits after the point; `-` for None."""
    return "-" if value is None else f"{value:.2f}"


def ratio(value: float | None, low: float | None, high: float | None) -> tuple[str, str]:
    """A ratio and its interval; neither where it has none."""
    return ("-", "-") if value is None or low is None else (number(value), f"{low:+.2f} .. {high:+.2f}")


def chance(p: float) -> str:
    """How often something happens by luck, in per cent."""
    return f"{100 * p:.1f} %" if p < 0.1 else f"{100 * p:.0f} %"


def skill(saved: float, verdict: str) -> str:
    """Which share of another's loss is saved, and what to think of it."""
    return "same" if verdict == "same" else f"{round(100 * saved, 1) or 0.0:+.1f} %\n{verdict}"  # no -0.0


def price(value: float, tick: float) -> str:
    """A price in as many digits as its steps need, without separators.

    >>> price(21341.5, 0.01)
    '21341.50'
    """
    return f"{value:.{decimals(tick)}f}"


def decimals(step: float) -> int:
    """Digits after the point that multiples of `step` need.

    >>> decimals(0.01), decimals(0.25), decimals(5), decimals(1e-05)
    (2, 2, 0, 5)
    """
    return len(f"{step:.10f}".rstrip("0").partition(".")[2])
