"""Documents that wait for the end of a run come back as they went, held or spooled."""

from __future__ import annotations

import pytest

from marketsim.errors import DataError, Failure
from marketsim.results import spooled_symbols
from marketsim.results.result import FinishedSymbol
from marketsim.results.spooled_symbols import SpooledSymbols


@pytest.mark.parametrize("held", [0, 2, 32])
def test_documents_come_back_in_order_whether_held_or_spooled(held, monkeypatch):
    monkeypatch.setattr(spooled_symbols, "HELD", held)
    finished = [FinishedSymbol(f"S{i}", Failure(DataError(f"no bars {i}"))) for i in range(5)]
    with SpooledSymbols(seed=0) as documents:
        for symbol in finished:
            documents.add(symbol)
        whole = documents.whole()
        for _ in range(2):  # they can be read again
            assert list(documents.judged(whole)) == [symbol.document for symbol in finished]
