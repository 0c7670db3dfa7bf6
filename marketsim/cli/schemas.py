"""The JSON Schemas of all documents; docs/schemas holds them, and a test compares."""

from __future__ import annotations

from typing import Any

from msgspec import json

from marketsim.backtesting.next_bars import ForecastDocument
from marketsim.cli.documents import (
    CacheDocument,
    ConfigDocument,
    DataDocument,
    DataShowDocument,
    DeletedDocument,
    ExplainDocument,
    FillsDocument,
    ModelsListDocument,
    NewModelDocument,
    RunsCompareDocument,
    RunsListDocument,
    RunsShowDocument,
    VerifyDocument,
)
from marketsim.cli.profile_summary import Machine, RunSummary, SearchCost, WhatIf
from marketsim.cli.profiled_runs import GpuTraffic
from marketsim.comparison.schema import ModelsDocument, OptimizersDocument
from marketsim.results.rows import Count, Row
from marketsim.results.schema import BacktestDocument
from marketsim.results.timing import TimingDocument


class ProfileDocument(Row, frozen=True, tag_field="schema", tag="marketsim.profile/2"):
    """`marketsim profile --json`."""

    symbol: str
    machine: Machine
    repeat: Count
    runs: dict[str, RunSummary]  # cold and warm
    what_if: list[WhatIf]
    bottleneck: list[SearchCost]
    gpu: GpuTraffic | None


DOCUMENTS: tuple[type[Row], ...] = (
    BacktestDocument,
    CacheDocument,
    ConfigDocument,
    DataDocument,
    DataShowDocument,
    DeletedDocument,
    ExplainDocument,
    FillsDocument,
    ForecastDocument,
    ModelsDocument,
    ModelsListDocument,
    NewModelDocument,
    OptimizersDocument,
    ProfileDocument,
    RunsCompareDocument,
    RunsListDocument,
    RunsShowDocument,
    TimingDocument,
    VerifyDocument,
)


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every document, by the name that the document states as its `schema`."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {str(each.__struct_config__.tag): draft | json.schema(each) for each in DOCUMENTS}


def file_name(schema: str) -> str:
    """Where a schema is in docs/schemas: "marketsim.fills/1" is in fills-1.json."""
    return f"{schema.removeprefix('marketsim.').replace('/', '-')}.json"
