"""The tables beside the pictures of forecasts and fills, in the words of the terminal's."""

from __future__ import annotations

from marketsim.results.calibration_schema import CalibratedSymbol, TenthRow
from marketsim.results.charts import Charts, ForecastQuality
from marketsim.results.figures import percent, price, skill
from marketsim.results.text_tables import TextTable
from marketsim.results.wording import number_of


def coverage(quality: ForecastQuality) -> TextTable:
    """How often bars were where they were forecast, and how wide that was."""
    rows = [
        (
            each.channel,
            percent(each.coverage),
            f"{percent(each.coverage_low)} .. {percent(each.coverage_high)}",
            f"{each.width_bps:,.0f}",
            f"{each.loss_bps:.1f}",
        )
        for each in quality.channels
    ]
    headers = ("Price", "Inside the\n80 % band, %", "95 % interval", "Width of the\nband, bps", "Pinball\nloss, bps")
    title = f"{number_of(quality.bars, 'bar')} from {quality.first} to {quality.last}, those of the windows included"
    return TextTable(title, headers, rows)


def skills(quality: ForecastQuality) -> TextTable | None:
    """The loss beside those of the baselines; None where there is none to compare with."""
    names = [each.against for each in quality.channels[0].skills]
    if not names:
        return None
    rows = [(each.channel, *(skill(found.saved, found.verdict) for found in each.skills)) for each in quality.channels]
    return TextTable("Loss saved of each baseline's, and whether it is more than chance", ("Price", *names), rows)


def misses(quality: ForecastQuality, tick: float) -> TextTable:
    """The forecasts that were farthest off."""
    rows = [
        (
            each.time,
            each.channel,
            f"{price(each.low, tick)} .. {price(each.high, tick)}",
            price(each.actual, tick),
            f"{each.loss_bps:.0f}",
        )
        for each in quality.misses
    ]
    return TextTable("The worst misses", ("Bar", "Price", "80 % band", "It was", "Loss, bps"), rows, words=2)


def fills(charts: Charts) -> TextTable:
    """How the fills of each strategy came to be known."""
    rows = [
        (each.strategy, *(f"{count:,}" for count in (each.certain, each.settled, each.left))) for each in charts.fills
    ]
    headers = ("Strategy", "Certain by\nthe bar", "Settled by\nfiner bars", "By\nprobability")
    return TextTable("Bars with a trade, by how their fills are known", headers, rows)


def reliability(found: CalibratedSymbol) -> TextTable:
    """What the probability of fills claims, and what happened."""
    rows = [_tenth(tenth) for tenth in found.tenths if tenth.cases]
    headers = ("Probability", "Cases", "Claimed\n%", "Filled\n%", "95 % interval\n%")
    return TextTable("Take-profits in doubt, by their probability", headers, rows)


def _tenth(tenth: TenthRow) -> tuple[str, ...]:
    interval = "-" if tenth.low is None or tenth.high is None else f"{100 * tenth.low:.0f} .. {100 * tenth.high:.0f}"
    return (
        f"{tenth.above:.1f} to {tenth.above + 0.1:.1f}",
        f"{tenth.cases:,}",
        percent(tenth.claimed),
        percent(tenth.happened),
        interval,
    )
