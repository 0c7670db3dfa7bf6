"""The tables beside the pictures of forecasts and fills."""

from __future__ import annotations

from marketsim.results.charts import Charts, ForecastQuality
from marketsim.results.figures import percent, price, skill
from marketsim.results.text_tables import TextTable
from marketsim.results.wording import number_of


def coverage(quality: ForecastQuality) -> TextTable:
    """How often bars were where they were forecast, and how wide that was."""
    rows = [
        (
            channel.channel,
            percent(channel.coverage),
            f"{percent(channel.coverage_low)} .. {percent(channel.coverage_high)}",
            f"{channel.width_bps:,.0f}",
            f"{channel.loss_bps:.1f}",
        )
        for channel in quality.channels
    ]
    headers = ("Price", "Inside the\n80 % band, %", "95 % interval", "Width of the\nband, bps", "Pinball\nloss, bps")
    title = f"{number_of(quality.bars, 'bar')} from {quality.first} to {quality.last}, windows included"
    return TextTable(title, headers, rows)


def skills(quality: ForecastQuality) -> TextTable | None:
    """The loss relative to the baselines'; None without baselines."""
    names = [row.against for row in quality.channels[0].skills]
    if not names:
        return None
    rows = [
        (channel.channel, *(skill(found.saved, found.verdict) for found in channel.skills))
        for channel in quality.channels
    ]
    return TextTable("Reduction of each baseline's loss, and whether it is more than chance", ("Price", *names), rows)


def misses(quality: ForecastQuality, tick: float) -> TextTable:
    """The forecasts that were farthest off."""
    rows = [
        (
            miss.time,
            miss.channel,
            f"{price(miss.low, tick)} .. {price(miss.high, tick)}",
            price(miss.actual, tick),
            f"{miss.loss_bps:.0f}",
        )
        for miss in quality.misses
    ]
    return TextTable("The worst misses", ("Bar", "Price", "80 % band", "Actual", "Loss, bps"), rows, words=2)


def fills(charts: Charts) -> TextTable:
    """How the fills of each strategy were determined."""
    rows = [(row.strategy, *(f"{count:,}" for count in (row.certain, row.settled, row.left))) for row in charts.fills]
    headers = ("Strategy", "Certain by\nthe bar", "Settled by\nfiner bars", "By\nprobability")
    return TextTable("Bars with a trade, by how their fills were determined", headers, rows)
