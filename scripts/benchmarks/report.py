"""What a report costs, how large it is, and how soon it opens. Run: scripts/bench report [SYMBOLS]

A few synthetic symbols are run with and without one; the page has hundreds, the same ones under other names, and is
opened in Chromium, where that is installed.
"""

from __future__ import annotations

import itertools
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from msgspec.structs import replace
from scale import write_bars

from marketsim.backtesting import parallel
from marketsim.backtesting.charts import places_for
from marketsim.errors import Success, value_of
from marketsim.profiling import Clock
from marketsim.results.html.report_file import ReportFile
from marketsim.results.result import FinishedSymbol
from marketsim.results.timing import timing_document
from marketsim.results.walk_profits import DecidingProfits
from marketsim.results.whole_run import WholeRun
from marketsim.settings.settings import Settings

SYMBOLS, DIFFERENT = 500, 10
PAGE, OPENED, A_SYMBOL = 15e6, 2.0, 0.5  # what is asked for: bytes, seconds, seconds
TRIES = 5


def run(names: list[str], settings: Settings, places: int) -> tuple[float, list[FinishedSymbol]]:
    """Processor seconds of a run with cached forecasts, and what came of it."""
    start = time.process_time()
    found = list(parallel.stream(names, settings, Clock(), rows=places > 0, places=places))
    return time.process_time() - start, found


def copies(found: list[FinishedSymbol], count: int) -> list[FinishedSymbol]:
    """So many symbols, by turns the same ones."""
    made = []
    for i, run in zip(range(count), itertools.cycle(found), strict=False):
        files, name = value_of(run.outcome), f"S{i:05d}"
        renamed = replace(files, document=replace(files.document, symbol=name))
        made.append(replace(run, symbol=name, outcome=Success(renamed)))
    return made


def written(path: Path, symbols: list[FinishedSymbol], settings: Settings) -> float:
    """Processor seconds to write the page of these symbols."""
    profits = {run.symbol: DecidingProfits.of(value_of(run.outcome).profits) for run in symbols}
    whole = WholeRun.of(profits, settings.seed)
    start = time.process_time()
    with ReportFile(path, list(profits), settings) as report:
        for run in symbols:
            report.add(run)
        report.finish(timing_document(Clock(), len(symbols), 0.0), whole)
    return time.process_time() - start


def seconds_to_open(path: Path) -> float | None:
    """Until its pictures are drawn, median of a few; None without a browser."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright

    taken = []
    with (
        sync_playwright() as driver,
        driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
    ):
        for _ in range(TRIES):
            page = browser.new_page()
            start = time.perf_counter()
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]")
            taken.append(time.perf_counter() - start)
            page.close()
    return statistics.median(taken)


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else SYMBOLS
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        settings = Settings.of(data=str(place / "bars"), cache_dir=str(place / "cache"))
        names = write_bars(place / "bars", DIFFERENT)
        run(names, settings, 0)  # fills the cache
        plain, _ = run(names, settings, 0)
        drawn, found = run(names, settings, places_for(count))
        page = place / "report.html"
        writing = written(page, copies(found, count), settings)
        cost = (drawn - plain) / len(names) + writing / count
        size, opened = page.stat().st_size, seconds_to_open(page)
    print(f"{count} symbols: {size / 1e6:.1f} MB (asked for: {PAGE / 1e6:.0f})")
    print(f"a report costs {cost:.2f} s a symbol (asked for: {A_SYMBOL}), {drawn / plain:.2f} times the run without it")
    if opened is None:
        print("not opened: there is no chromium on the PATH")
    else:
        print(f"opened in {opened:.2f} s (asked for: {OPENED})")
    held = size <= PAGE and cost <= A_SYMBOL and (opened is None or opened <= OPENED)
    print("PASS" if held else "FAIL: more than is asked for")
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
