"""The audit of a user's model or file of forecasts when it is first used.

Before the model is handed the symbol's bars, it forecasts some origins from the bars up to each; afterwards it
forecasts others with everything behind them scrambled. Both must be what it forecasts in the run. Nothing can be tried
on a file; its forecasts, and those of a model that passed, are looked at for what is implausible. `marketsim audit`
tries more, on every origin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS, Bars
from marketsim.errors import AuditError, MarketsimError, Outcome, Success
from marketsim.forecasting.audit_records import AuditRecord, AuditRecords, Evidence
from marketsim.forecasting.ensembles import GivenModel
from marketsim.forecasting.forecasts import Forecasts, repair
from marketsim.forecasting.futures import cut, scrambled
from marketsim.forecasting.keys import contexts_of, fingerprint, reads_contexts
from marketsim.forecasting.plausibility import look_at
from marketsim.forecasting.protocols import Clock, Identity, Model
from marketsim.forecasting.requests import ForecastRequest
from marketsim.forecasting.series import Series
from marketsim.forecasting.tolerance import tolerance_of

SHARE = 0.05  # of the first symbol's origins are forecast once more,
LEAST, MOST = 2, 6  # but at least and at most so many,
MOST_CONTEXTS = 4  # and of a model that is handed contexts, which cost most and can hide least
LOOKED_AT = 1000  # forecasts in a file, the newest

ALONE = "from the bars up to the origin alone"
SCRAMBLED = "where the bars after it are scrambled"

Moves = NDArray[np.float64]  # [4, Q]
Make = Callable[[Sequence[ForecastRequest]], list[Outcome[Forecasts]]]


class FirstUse:
    """Audits models and files that are not known to be honest.

    `allow` lets a dishonest model forecast all the same; `reference` forecasts what others are compared with.
    """

    def __init__(self, records: AuditRecords | None, allow: bool, reference: Model, clock: Clock) -> None:
        self.records, self.allow, self.reference, self.clock = records, allow, reference, clock
        self.known: dict[str, AuditRecord] = {}  # by fingerprint

    def forecasts(self, model: Model, requests: Sequence[ForecastRequest], make: Make) -> list[Outcome[Forecasts]]:
        """What `make` makes of the requests with the model.

        AuditError where the model was caught, unless that is allowed.
        """
        record, audit = self.record(model), None
        if record is None and (sampled := _sampled(model, requests)) is not None:
            with self.clock.stage("forecast/audit"):
                audit = _Audit(model, *sampled)
        outcomes = make(requests)
        if audit is not None:
            made = outcomes[requests.index(audit.request)]
            if isinstance(made, Success):
                with self.clock.stage("forecast/audit"):
                    evidence = audit.finish(made.value)
                symbol, count = audit.request.bars.symbol, len(audit.origins)
                record = AuditRecord(fingerprint(model), model.name, symbol=symbol, origins=count, evidence=evidence)
                self._keep(model, record)
        if record is not None and record.evidence is None:
            pairs = zip(requests, outcomes, strict=True)
            found = [(request.bars, outcome.value) for request, outcome in pairs if isinstance(outcome, Success)]
            self._look(model, record, found)
        return outcomes

    def look_at(self, file: GivenModel, requests: Sequence[ForecastRequest], forecast: Make) -> None:
        """Look at all that a file forecasts of the symbols, where it was never looked at."""
        record = self.record(file) or AuditRecord(fingerprint(file), file.name)
        found = []
        for bars in [request.bars for request in requests if request.bars.symbol not in record.doubts]:
            try:
                origins = file.origins(bars)[-LOOKED_AT:]
            except MarketsimError:  # which the run says
                continue
            outcomes = forecast([ForecastRequest(bars, origins)] if len(origins) else [])
            found += [(bars, outcome.value) for outcome in outcomes if isinstance(outcome, Success)]
        self._look(file, record, found)

    def _look(self, model: Identity, record: AuditRecord, found: Sequence[tuple[Bars, Forecasts]]) -> None:
        """Whether forecasts are implausible: once a symbol, as soon as enough of its bars are known."""
        doubts = dict(record.doubts)
        for bars, made in found:
            if bars.symbol in doubts:
                continue
            with self.clock.stage("forecast/audit"):
                looked = look_at(bars, made, self.reference, self.clock)
            if looked is not None:
                doubts[bars.symbol] = f"implausible ({bars.symbol}: {looked})" if looked.doubts else None
        if doubts.keys() != record.doubts.keys():
            self._keep(model, replace(record, doubts=doubts))

    def record(self, model: Identity) -> AuditRecord | None:
        """The record of a model; AuditError where it was caught before."""
        identity = fingerprint(model)
        if identity not in self.known and self.records is not None:
            record = self.records.get(identity)
            if record is not None:
                self._judge(model, record)
        return self.known.get(identity)

    def _keep(self, model: Identity, record: AuditRecord) -> None:
        if self.records is not None:
            self.records.put(record)
        self._judge(model, record)

    def _judge(self, model: Identity, record: AuditRecord) -> None:
        self.known[record.fingerprint] = record
        evidence = record.evidence
        if evidence is not None and not self.allow:
            raise AuditError(
                f"model '{model.name}' {evidence}: its profit proves nothing; 'marketsim audit' shows more, and "
                "--allow-lookahead runs it all the same"
            )

    def marked(
        self, models: Sequence[Identity], requests: Sequence[ForecastRequest], outcomes: list[Outcome[Forecasts]]
    ) -> list[Outcome[Forecasts]]:
        """The outcomes, which say so where one of the `models` that made them was caught or is implausible."""
        found = [(model.name, record) for model in models if (record := self.known.get(fingerprint(model))) is not None]
        caught = "; ".join(f"model '{name}' {record.evidence}" for name, record in found if record.evidence is not None)
        marked: list[Outcome[Forecasts]] = []
        for request, outcome in zip(requests, outcomes, strict=True):
            doubts = [(name, record.doubts.get(request.bars.symbol)) for name, record in found]
            words = "; ".join(f"the forecasts of '{name}' are {doubt}" for name, doubt in doubts if doubt)
            if isinstance(outcome, Success) and (caught or words):
                notes = (*outcome.value.notes, *filter(None, (caught and f"LOOK-AHEAD: {caught}", words)))
                outcome = Success(
                    replace(outcome.value, look_ahead=caught or None, implausible=words or None, notes=notes)
                )
            marked.append(outcome)
        return marked


def _sampled(model: Model, requests: Sequence[ForecastRequest]) -> tuple[ForecastRequest, NDArray[np.int64]] | None:
    """The first request that has origins with something after them, and some of those, in order."""
    for request in requests:
        usable = request.origins[
            (request.origins + 1 >= model.minimum_bars) & (request.origins + 1 < len(request.bars))
        ]
        if len(usable) >= LEAST and len(usable) + 1 >= len(request.origins):
            most = MOST_CONTEXTS if reads_contexts(model) else MOST
            count = min(max(int(SHARE * len(request.origins)), LEAST), most)
            rng = np.random.default_rng(int(fingerprint(model)[:16], 16))
            return request, np.sort(rng.choice(usable, count, replace=False))
    return None


class _Audit:
    """The audit of one model while it goes on."""

    def __init__(self, model: Model, request: ForecastRequest, origins: NDArray[np.int64]) -> None:
        self.model, self.request, self.origins = model, request, origins
        half = (len(origins) + 1) // 2
        before = np.sort(np.random.default_rng(0).permutation(origins)[:half]).tolist()
        self.alone = {origin: self._forecast(cut(request.bars, origin), origin) for origin in before}

    def finish(self, made: Forecasts) -> Evidence | None:
        """Compare with what the run `made`, and see to the other origins."""
        bars = self.request.bars
        others = {
            origin: self._forecast(scrambled(bars, origin, seed=0), origin)
            for origin in self.origins.tolist()
            if origin not in self.alone
        }
        tolerance = tolerance_of(self.model)
        for origin, again in sorted((self.alone | others).items()):
            how = ALONE if origin in self.alone else SCRAMBLED
            run = made.moves[int(np.searchsorted(made.origins, origin))]
            if isinstance(again, Exception):
                return Evidence(
                    "fails where the run did not", bars.symbol, str(bars.names()[origin]), f"{how}: {again}"
                )
            if (np.abs(run - again) > tolerance).any():
                return self._evidence(origin, run, again, how)
        return None

    def _forecast(self, bars: Bars, origin: int) -> Moves | Exception:
        """The forecast at one origin with all of `bars` at hand, or why there is none."""
        at = np.array([origin])
        try:
            if reads_contexts(self.model):
                context, times = contexts_of(self.model, bars, at).at(0)
                moves = self.model.forecast(context[None], times[None])
            else:
                moves = self.model.forecast(Series.of(bars), at)
        except (MarketsimError, MemoryError) as error:
            return error
        alone: Moves = repair(np.array(moves))[0][0]
        return alone

    def _evidence(self, origin: int, run: Moves, again: Moves, how: str) -> Evidence:
        bars = self.request.bars
        channel, level = np.unravel_index(int(np.abs(run - again).argmax()), run.shape)
        here, following = bars.names(bars.time[origin : origin + 2])
        figures = f"is {run[channel, level]:+.4%}, but {again[channel, level]:+.4%} {how}"
        return Evidence(
            what=self._fault(origin),
            symbol=bars.symbol,
            origin=str(here),
            detail=f"the {CHANNELS[channel]} forecast for {following} {figures}",
        )

    def _fault(self, origin: int) -> str:
        """What the model does that its forecast moves: asked again, without the bars that follow, and with them."""
        known = cut(self.request.bars, origin)
        first, second = self._forecast(known, origin), self._forecast(known, origin)
        followed, tolerance = self._forecast(self.request.bars, origin), tolerance_of(self.model)
        if not _alike(first, second, tolerance):
            return "forecasts the same bars otherwise when it is asked again"
        if not _alike(first, followed, tolerance):
            return "looks ahead"
        return "forecasts otherwise when other origins are forecast beside one, later ones among them"


def _alike(one: Moves | Exception, other: Moves | Exception, tolerance: float) -> bool:
    if isinstance(one, Exception) or isinstance(other, Exception):
        return False
    return bool((np.abs(one - other) <= tolerance).all())
