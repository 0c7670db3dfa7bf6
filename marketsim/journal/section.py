"""The journal's section of a page: promised and realised equity, calibration since sealing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS
from marketsim.forecasting.scores import places
from marketsim.journal import score_text
from marketsim.journal.booking import PastPlans
from marketsim.journal.record import Record
from marketsim.journal.score import Score
from marketsim.journal.score_document import ScoreDocument
from marketsim.results.figures import signed
from marketsim.results.html.journal_section import EquityPicture, JournalSection, SealedChannel, SealedForecasts
from marketsim.results.wording import number_of

WIDTH, HEIGHT = 600.0, 200.0

Floats = NDArray[np.float64]


def journal_section(score: Score, document: ScoreDocument) -> JournalSection | None:
    """What a page says of the plans that were scored; None where no bar has come yet."""
    if not document.strategies:
        return None
    rows = [*document.pooled, *document.strategies]
    return JournalSection(
        place=document.journal,
        head=document.head or "",
        tables=[score_text.means(rows), score_text.sums(rows), score_text.forecasts(document.forecasts)],
        pictures=[
            _equity(record, row.run)
            for record, row in zip(score.records, document.strategies, strict=True)
            if row.realized.orders
        ],
        forecasts=[_calibration(symbol, past) for symbol, past in score.past.items() if past.plans],
        remarks=list(score_text.remarks(document)),
    )


def _equity(record: Record, run: str) -> EquityPicture:
    promise, bars = record.promise, np.arange(len(record.plans) + 1)
    realized = np.append(0.0, np.cumsum(record.bps)) / 100
    promised = bars * promise.mean_bps / 100
    ends = [bars * end / 100 for end in (promise.low_bps, promise.high_bps) if end is not None]
    least, most = (float(pick([pick(line) for line in (realized, promised, *ends)])) for pick in (np.min, np.max))
    room = (most - least) or 1.0

    def points(line: Floats, across: Iterable[int] = ()) -> str:
        step = WIDTH / max(1, len(bars) - 1)
        at = list(across) or range(len(line))
        return " ".join(
            f"{i * step:.1f},{HEIGHT - HEIGHT * (x - least) / room:.1f}" for i, x in zip(at, line, strict=True)
        )

    band = "" if len(ends) < 2 else f"{points(ends[1])} {points(ends[0][::-1], range(len(bars) - 1, -1, -1))}"
    name = f"{record.symbol}, {record.strategy}{f' ({run})' if run else ''}"
    return EquityPicture(
        title=name,
        words=(
            f"Summed profit of {name} on {number_of(len(record.plans), 'sealed bar')}: it ends at "
            f"{signed(realized[-1])} %, and {signed(promised[-1])} % was promised."
        ),
        realized=points(realized),
        promised=points(promised),
        band=band,
        zero=round(HEIGHT + HEIGHT * least / room, 1),
        high=f"{signed(most)} %",
        low=f"{signed(least)} %",
    )


def _calibration(symbol: str, past: PastPlans) -> SealedForecasts:
    shares = places(past.moves, past.actual)
    return SealedForecasts(symbol, number_of(len(past.plans), "bar"), _channels(shares))


def _channels(shares: Floats) -> list[SealedChannel]:
    names: Sequence[str] = CHANNELS[:4]
    return [SealedChannel(name, row.tolist()) for name, row in zip(names, shares, strict=True)]
