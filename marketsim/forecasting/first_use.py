"""The audit that a model from outside gets when it is used first: a handful of origins, forecast twice.

Before the model is handed the symbol's bars, it forecasts some origins from the bars up to each; afterwards it
forecasts others with everything behind them scrambled. Both must be what it forecasts in the run. `marketsim audit`
tries more, on every origin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS, Bars
from marketsim.errors import AuditError, MarketsimError, Outcome, Success
from marketsim.forecasting.audit_records import VERSION, AuditRecord, AuditRecords, Evidence
from marketsim.forecasting.forecasts import Forecasts, repair
from marketsim.forecasting.futures import cut, scrambled
from marketsim.forecasting.keys import contexts_of, fingerprint, reads_contexts
from marketsim.forecasting.protocols import Clock, Model
from marketsim.forecasting.requests import ForecastRequest
from marketsim.forecasting.series import Series
from marketsim.forecasting.tolerance import tolerance_of

SHARE = 0.05  # of the first symbol's origins are forecast once more,
LEAST, MOST = 2, 6  # but at least and at most so many

ALONE = "from the bars up to the origin alone"

Moves = NDArray[np.float64]  # [4, Q]
Make = Callable[[Sequence[ForecastRequest]], list[Outcome[Forecasts]]]


class FirstUse:
    """Audits models that are not known to be honest; `allow` lets a dishonest one forecast all the same."""

    def __init__(self, records: AuditRecords | None, allow: bool, clock: Clock) -> None:
        self.records, self.allow, self.clock = records, allow, clock
        self.known: dict[str, Evidence | None] = {}  # by fingerprint

    def forecasts(self, model: Model, requests: Sequence[ForecastRequest], make: Make) -> list[Outcome[Forecasts]]:
        """What `make` makes of the requests with the model.

        AuditError where the model was caught, unless that is allowed.
        """
        identity = fingerprint(model)
        if identity not in self.known and self.records is not None:
            record = self.records.get(identity)
            if record is not None:
                self._judge(model, record.evidence)
        if identity in self.known:
            return make(requests)
        sampled = _sampled(model, requests)
        if sampled is None:
            return make(requests)
        with self.clock.stage("forecast/audit"):
            audit = _Audit(model, *sampled)
        outcomes = make(requests)
        made = outcomes[requests.index(audit.request)]
        if isinstance(made, Success):
            with self.clock.stage("forecast/audit"):
                evidence = audit.finish(made.value)
            if self.records is not None:
                self.records.put(
                    AuditRecord(identity, VERSION, audit.request.bars.symbol, len(audit.origins), evidence)
                )
            self._judge(model, evidence)
        return outcomes

    def _judge(self, model: Model, evidence: Evidence | None) -> None:
        self.known[fingerprint(model)] = evidence
        if evidence is not None and not self.allow:
            raise AuditError(
                f"model '{model.name}' {evidence}: its profit proves nothing; 'marketsim audit' shows more, and "
                "--allow-lookahead runs it all the same"
            )

    def marked(self, models: Sequence[Model], outcomes: list[Outcome[Forecasts]]) -> list[Outcome[Forecasts]]:
        """The outcomes, which say so where one of the `models` that made them was caught."""
        found = [(model.name, self.known.get(fingerprint(model))) for model in models]
        words = "; ".join(f"model '{name}' {evidence}" for name, evidence in found if evidence is not None)
        if not words:
            return outcomes
        return [
            Success(replace(each.value, look_ahead=words)) if isinstance(each, Success) else each for each in outcomes
        ]


def _sampled(model: Model, requests: Sequence[ForecastRequest]) -> tuple[ForecastRequest, NDArray[np.int64]] | None:
    """The first request that has origins with something after them, and some of those, in order."""
    for request in requests:
        usable = request.origins[
            (request.origins + 1 >= model.minimum_bars) & (request.origins + 1 < len(request.bars))
        ]
        if len(usable) >= LEAST and len(usable) + 1 >= len(request.origins):
            count = min(max(int(SHARE * len(request.origins)), LEAST), MOST)
            rng = np.random.default_rng(int(fingerprint(model)[:16], 16))
            return request, np.sort(rng.choice(usable, count, replace=False))
    return None


class _Audit:
    """The audit of one model while it goes on."""

    def __init__(self, model: Model, request: ForecastRequest, origins: NDArray[np.int64]) -> None:
        self.model, self.request, self.origins = model, request, origins
        half = (len(origins) + 1) // 2
        self.before = np.sort(np.random.default_rng(0).permutation(origins)[:half])
        self.alone = {int(origin): moves for origin in self.before if (moves := self._alone(int(origin))) is not None}

    def finish(self, made: Forecasts) -> Evidence | None:
        """Compare with what the run `made`, and see to the other origins."""
        other = dict(self.alone)
        for origin in np.setdiff1d(self.origins, self.before):
            changed = scrambled(self.request.bars, int(origin), seed=0)
            if (moves := self._alone(int(origin), changed)) is not None:
                other[int(origin)] = moves
        tolerance = tolerance_of(self.model)
        for origin, moves in sorted(other.items()):
            run = made.moves[int(np.searchsorted(made.origins, origin))]
            if (np.abs(run - moves) > tolerance).any():
                return self._evidence(origin, run, moves, tolerance)
        return None

    def _alone(self, origin: int, bars: Bars | None = None) -> Moves | None:
        """The forecast at one origin, from the bars up to it, or with all of `bars` at hand; None where it fails."""
        known = cut(self.request.bars, origin) if bars is None else bars
        at = np.array([origin])
        try:
            if reads_contexts(self.model):
                context, times = contexts_of(self.model, known, at).at(0)
                moves = self.model.forecast(context[None], times[None])
            else:
                moves = self.model.forecast(Series.of(known), at)
        except (MarketsimError, MemoryError):  # which the run will come to as well, and tell
            return None
        alone: Moves = repair(np.array(moves))[0][0]
        return alone

    def _evidence(self, origin: int, run: Moves, moves: Moves, tolerance: float) -> Evidence:
        """What the model does that its forecast moves: asked again, with the bars that follow, and without."""
        fault = self._fault(origin, tolerance)
        channel, level = np.unravel_index(int(np.abs(run - moves).argmax()), run.shape)
        bars = self.request.bars
        names = bars.names(bars.time[origin : origin + 2])
        return Evidence(
            what=fault,
            symbol=bars.symbol,
            origin=str(names[0]),
            bar=str(names[1]),
            channel=CHANNELS[channel],
            run=float(run[channel, level]),
            other=float(moves[channel, level]),
            otherwise=ALONE if origin in self.alone else "where the bars after the origin are scrambled",
        )

    def _fault(self, origin: int, tolerance: float) -> str:
        first, second = self._alone(origin), self._alone(origin)
        followed = self._alone(origin, self.request.bars)
        if first is None or second is None or followed is None or (np.abs(first - second) > tolerance).any():
            return "forecasts the same bars otherwise when it is asked again"
        if (np.abs(first - followed) > tolerance).any():
            return "looks ahead"
        return "forecasts otherwise when other origins are forecast beside one, later ones among them"
