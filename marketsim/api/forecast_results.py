"""The results of a forecast and of a comparison of models in Python: DataFrames, a dictionary, HTML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from marketsim.api.frames import copied, flat, html
from marketsim.data.bars import CHANNELS
from marketsim.forecasting.forecasts import LEVELS

if TYPE_CHECKING:
    import pandas as pd

PLACE = ("symbol", "model", "price")  # of a score


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ForecastResult:
    """The forecast of a symbol's next bars, as `marketsim.forecast` returns it.

    Examples
    --------
    >>> import marketsim
    >>> forecast = marketsim.forecast("ETHUSD")
    >>> low, high = forecast.prices.loc[("2020-12-09", "close"), [0.1, 0.9]]
    >>> bool(low < forecast.close < high)
    True
    """

    symbol: str
    notes: tuple[str, ...]
    document: dict[str, Any]

    @property
    def close(self) -> float:
        """The last close that was known, price units."""
        return float(self._found["close"])

    @property
    def prices(self) -> pd.DataFrame:
        """Quantiles of prices: a row a bar and price (open, high, low, close), a column a quantile level 0.1 to 0.9.

        More than one bar ahead has the rows `highest` and `lowest` too: the extremes on the way to that bar.
        """
        return self._quantiles("prices")

    @property
    def moves(self) -> pd.DataFrame:
        """The same as moves: the price over the last close, less 1."""
        return self._quantiles("moves")

    @property
    def warning(self) -> str | None:
        """Whether the model may have seen these bars; None where it cannot have."""
        warning: str | None = self._found["warning"]
        return warning

    def to_dict(self) -> dict[str, Any]:
        """The document of `marketsim forecast --json`."""
        return copied(self.document)

    @property
    def _found(self) -> dict[str, Any]:
        (found,) = self.document["symbols"]
        return dict(found)

    def _quantiles(self, unit: str) -> pd.DataFrame:
        import pandas as pd

        names = ("open", "high", "low", "close", *(("highest", "lowest") if self.document["horizon"] > 1 else ()))
        rows = {(bar["bar"], name): bar[name][unit] for bar in self._found["forecast"] for name in names}
        index = pd.MultiIndex.from_tuples(rows, names=("bar", "price"))
        return pd.DataFrame(list(rows.values()), index, pd.Index(LEVELS, name="quantile"))

    def __repr__(self) -> str:
        bars = [bar["bar"] for bar in self._found["forecast"]]
        return f"<ForecastResult {self.symbol}: {bars[0]}{f' to {bars[-1]}' if len(bars) > 1 else ''}>"

    def _repr_html_(self) -> str:
        warning = f"<p>{escape(self.warning)}</p>" if self.warning else ""
        return f"<h4>{escape(self.symbol)}, last close {self.close:g}</h4>{html(self.prices)}{warning}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ModelComparison:
    """Models on the same bars, as `marketsim.compare_models` returns it.

    Examples
    --------
    >>> import marketsim
    >>> compared = marketsim.compare_models("ETHUSD", ["har", "last-bar"], sims=5, window=10)
    >>> compared.forecasts.columns[:3].tolist()
    ['status', 'picked', 'training']
    """

    document: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def forecasts(self) -> pd.DataFrame:
        """How well each model forecast: a row a symbol and model; see `marketsim explain` for the columns."""
        rows = [{key: value for key, value in row.items() if key != "strategies"} for row in self._models()]
        return flat(rows, ["symbol", "model"])

    @property
    def profits(self) -> pd.DataFrame:
        """What each model's forecasts earned: a row a symbol, model and strategy.

        `alpha.NAME.mean_bps` is the profit beyond that of the benchmark NAME, bar by bar; `low_bps` and `high_bps` are
        the ends of its 95 % interval.
        """
        rows = []
        for model in self._models():
            for strategy in model.get("strategies", []):
                alphas = {alpha.pop("benchmark"): alpha for alpha in strategy.pop("alphas")}
                rows.append({"symbol": model["symbol"], "model": model["model"]} | strategy | {"alpha": alphas})
        return flat(rows, ["symbol", "model"])

    def to_dict(self) -> dict[str, Any]:
        """The document of `marketsim compare-models --json`."""
        return copied(self.document)

    def _models(self) -> Iterator[dict[str, Any]]:
        for symbol in copied(self.document)["symbols"]:
            for model in symbol["models"]:
                yield {"symbol": symbol["symbol"]} | model

    def __repr__(self) -> str:
        names = dict.fromkeys(row["model"] for symbol in self.document["symbols"] for row in symbol["models"])
        return f"<ModelComparison {', '.join(names)}>"

    def _repr_html_(self) -> str:
        return html(self.forecasts) + html(self.profits)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ForecastScores:
    """How well models forecast, as `marketsim.score_forecasts` returns it; losses in basis points of the close.

    Examples
    --------
    >>> import marketsim
    >>> scored = marketsim.score_forecasts("ETHUSD", ["har"], count=20)
    >>> high = scored.scores.loc[("ETHUSD", "har", "high")]
    >>> bool(high.coverage_low < high.coverage < high.coverage_high)
    True
    """

    document: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def scores(self) -> pd.DataFrame:
        """A row a symbol, model and price: `pinball_bps`, `crps_bps`, `coverage` of the 80 % band with its interval.

        `calibration_bps` less `resolution_bps` plus `uncertainty_bps` is `pinball_bps`.
        """
        rows = [
            place | {key: value for key, value in score.items() if key not in ("pit", "skills")}
            for place, score in self._prices()
        ]
        return flat(rows, [*PLACE])

    @property
    def skills(self) -> pd.DataFrame:
        """A row a symbol, model, price and baseline: the share of its loss that is saved, and the test of that.

        The price "together" is high, low and close, each loss in units of the baseline's mean.
        """
        rows = [place | skill for place, score in self._prices() for skill in score["skills"]]
        rows += [
            {"symbol": symbol, "model": model["model"], "price": "together"} | skill
            for symbol, model in self._models()
            for skill in model["together"]
        ]
        return flat(rows, [*PLACE, "against"])

    @property
    def pit(self) -> pd.DataFrame:
        """A row a symbol, model and price: shares of the bars below, between and above the quantiles; 0.1 is right."""
        import pandas as pd

        found = {tuple(place.values()): score["pit"] for place, score in self._prices()}
        columns = pd.Index([0.0, *LEVELS], name="from")
        return pd.DataFrame(list(found.values()), pd.MultiIndex.from_tuples(found, names=PLACE), columns)

    @property
    def failures(self) -> dict[tuple[str, str], str]:
        """Why a model has no scores of a symbol, by symbol and model; by symbol and "" where there are no bars."""
        found = {}
        for symbol in self.document["symbols"]:
            for row in symbol.get("models", [symbol]):
                if row["status"] == "failed":
                    found[symbol["symbol"], row.get("model", "")] = row["error"]
        return found

    def to_dict(self) -> dict[str, Any]:
        """The document of `marketsim score-forecasts --json`."""
        return copied(self.document)

    def _models(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for symbol in copied(self.document)["symbols"]:
            for model in symbol.get("models", []):
                if model["status"] == "ok":
                    yield symbol["symbol"], model

    def _prices(self) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
        """Where each score belongs, by the columns of PLACE, and the score."""
        for symbol, model in self._models():
            for price in CHANNELS:
                yield dict(zip(PLACE, (symbol, model["model"], price), strict=True)), model[price]

    def __repr__(self) -> str:
        names = dict.fromkeys(model["model"] for _, model in self._models())
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"<ForecastScores {', '.join(names)}{failed}>"

    def _repr_html_(self) -> str:
        return html(self.scores) + html(self.skills)
