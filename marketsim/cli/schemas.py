"""The JSON Schemas of all documents, which docs/schemas contains and a test compares."""

from __future__ import annotations

from typing import Any

from msgspec import json

from marketsim.auditing.schema import AuditDocument, SelftestDocument
from marketsim.backtesting.next_bars import ForecastDocument
from marketsim.backtesting.past_forecasts import HistoryDocument
from marketsim.cli.documents import (
    CacheDocument,
    ConfigDocument,
    DataDocument,
    DataShowDocument,
    DeletedDocument,
    ExplainDocument,
    FetchDocument,
    ModelsListDocument,
    NewModelDocument,
    VerifyDocument,
)
from marketsim.cli.evening_document import EveningDocument
from marketsim.cli.journal_documents import (
    JournalAttachDocument,
    JournalListDocument,
    JournalReplayDocument,
    JournalShowDocument,
    JournalVerifyDocument,
)
from marketsim.cli.plan_document import PlanDocument
from marketsim.cli.profile_summary import ProfileDocument
from marketsim.cli.run_documents import (
    FillsDocument,
    ReportDocument,
    RunsCompareDocument,
    RunsListDocument,
    RunsShowDocument,
)
from marketsim.comparison.schema import ModelsDocument, OptimizersDocument
from marketsim.comparison.scores_schema import ScoresDocument
from marketsim.journal.score_document import ScoreDocument
from marketsim.results.calibration_schema import CalibrationDocument
from marketsim.results.rows import Row
from marketsim.results.schema import BacktestDocument
from marketsim.results.timing import TimingDocument

DOCUMENTS: tuple[type[Row], ...] = (
    AuditDocument,
    BacktestDocument,
    CacheDocument,
    CalibrationDocument,
    ConfigDocument,
    DataDocument,
    DataShowDocument,
    DeletedDocument,
    EveningDocument,
    ExplainDocument,
    FetchDocument,
    FillsDocument,
    ForecastDocument,
    HistoryDocument,
    JournalAttachDocument,
    JournalListDocument,
    JournalReplayDocument,
    JournalShowDocument,
    JournalVerifyDocument,
    ModelsDocument,
    ModelsListDocument,
    NewModelDocument,
    OptimizersDocument,
    PlanDocument,
    ProfileDocument,
    ReportDocument,
    RunsCompareDocument,
    RunsListDocument,
    RunsShowDocument,
    ScoreDocument,
    ScoresDocument,
    SelftestDocument,
    TimingDocument,
    VerifyDocument,
)


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every document, by the name that the document states as its `schema`."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {str(document.__struct_config__.tag): draft | json.schema(document) for document in DOCUMENTS}


def file_name(schema: str) -> str:
    """Where a schema is in docs/schemas: "marketsim.fills/1" is in fills-1.json."""
    return f"{schema.removeprefix('marketsim.').replace('/', '-')}.json"
