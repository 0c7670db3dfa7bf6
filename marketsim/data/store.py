"""The store of fetched bars: one Parquet file for each symbol and timeframe, with a digest of its contents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import asdict, replace
from numpy.typing import NDArray

from marketsim.data.bars import Bars, make_bars
from marketsim.data.calendars.timeframe import Timeframe, parse_timeframe
from marketsim.data.faults import COLUMNS
from marketsim.data.parquet import write_table
from marketsim.data.reading.arrow_tables import METADATA, STORE_SCHEMA
from marketsim.data.reading.contents import printable
from marketsim.data.reading.read_options import Reading, ReadOptions
from marketsim.data.symbols import fetch_command, parse_symbol
from marketsim.errors import DataError, MarketsimError, MissingExtra, UsageError
from marketsim.registry import nearest

UNFINISHED = "unfinished"  # the directory of series that are not whole yet
LOCKED = 600  # seconds for which another process may hold a series


class Origin(Struct, frozen=True):
    """Where the bars of a file come from; bars of two origins are never mixed."""

    symbol: str  # canonical
    timeframe: str
    source: str  # the provider, such as "ccxt:binance"
    name: str  # the symbol as the provider spells it
    crypto: bool
    zone: str
    adjusted: str


class StoredBars(Struct, frozen=True, eq=False):
    """What a file of the store holds."""

    origin: Origin
    since: np.datetime64  # from when on bars were asked for
    time: NDArray[np.datetime64]  # [T] datetime64[s], UTC, increasing
    ohlcv: NDArray[np.float64]  # [T, 5]

    def __len__(self) -> int:
        return len(self.time)

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of all that is kept."""
        said = json.dumps([asdict(self.origin), str(self.since)], sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(said.encode())
        digest.update(self.time.astype("<i8").tobytes())
        digest.update(self.ohlcv.astype("<f8").tobytes())
        return digest.hexdigest()


class Store:
    """A directory of stored bars. Files are replaced as a whole, under a lock of their own."""

    def __init__(self, directory: str | None = None) -> None:
        self.path = Path(directory) if directory is not None else default_directory()

    def file(self, symbol: str, timeframe: Timeframe) -> Path:
        """Where the bars of a canonical symbol are."""
        return self.path / f"{symbol}-{timeframe}.parquet"

    def unfinished(self, symbol: str, timeframe: Timeframe, what: str) -> Path:
        """Where a series is kept until it is whole: `what` is "earlier" or "anew"."""
        return self.path / UNFINISHED / f"{symbol}-{timeframe}.{what}.parquet"

    def names(self) -> list[tuple[str, Timeframe]]:
        """The symbols and timeframes that there are bars of, sorted."""
        found = []
        for path in sorted(self.path.glob("*-*.parquet")):
            symbol, _, timeframe = path.stem.rpartition("-")
            with suppress(UsageError):  # a file of somebody else
                found.append((symbol, parse_timeframe(timeframe)))
        return found

    @contextmanager
    def lock(self, symbol: str, timeframe: Timeframe) -> Iterator[None]:
        """Hold a series for this process alone; MarketsimError where another one holds it for long."""
        from filelock import FileLock, Timeout

        path = self.path / UNFINISHED / f"{symbol}-{timeframe}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path, timeout=LOCKED):
                yield
        except Timeout:
            raise MarketsimError(f"another process has been fetching {symbol} {timeframe} for {LOCKED} s") from None
        except OSError as error:
            raise MarketsimError(f"{printable(self.path)}: {(error.strerror or str(error)).lower()}") from None


def default_directory() -> Path:
    """The store in the platform's data directory."""
    from platformdirs import user_data_path

    try:
        return user_data_path("marketsim") / "bars"
    except RuntimeError:
        raise UsageError("the store: no home directory is known; set HOME, or name its folder with --store") from None


def read(path: Path) -> StoredBars | None:
    """The bars in a file of a store; None where there is no file, DataError where it is damaged."""
    pyarrow, parquet = _pyarrow()
    try:
        table = parquet.read_table(path, memory_map=False)
        said = json.loads(table.schema.metadata[METADATA])
        stored = StoredBars(
            Origin(**said["origin"]),
            np.datetime64(said["since"], "s"),
            table["time"].to_numpy().astype("datetime64[s]"),
            np.stack([table[name].to_numpy() for name in COLUMNS], axis=1),
        )
        if said["schema"] == STORE_SCHEMA and said["digest"] == stored.digest:
            return stored
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, pyarrow.ArrowException):
        pass
    symbol, _, timeframe = path.name.partition(".parquet")[0].rpartition("-")
    command = f"marketsim data fetch {symbol} --timeframe {timeframe} --replace --from PROVIDER"
    raise DataError(f"{printable(path)} is damaged, or not a file of a store: '{command}' fetches it again")


def read_if_sound(path: Path) -> StoredBars | None:
    """The bars in a file of a store; None where there is no file, or a damaged one."""
    try:
        return read(path)
    except DataError:
        return None


def write(path: Path, stored: StoredBars) -> None:
    """Put the bars into the file, whole or not at all."""
    said = {
        "schema": STORE_SCHEMA,
        "origin": asdict(stored.origin),
        "since": str(stored.since),
        "digest": stored.digest,
    }
    columns = {"time": stored.time} | {name: stored.ohlcv[:, i] for i, name in enumerate(COLUMNS)}
    write_table(path, columns, "s", said)


class StoreSource:
    """Bars of the store, by symbol; see `Source`."""

    name = "store"

    def __init__(self, data: str | None = None, options: Reading | None = None) -> None:
        """`data` is the store's directory; None: the platform's."""
        chosen = options or ReadOptions()
        self.store, self.timeframe = Store(data), parse_timeframe(chosen.timeframe)
        self.drop = chosen.on_bad_bars == "drop"

    def symbols(self) -> list[str]:
        """See `Source.symbols`."""
        return [symbol for symbol, timeframe in self.store.names() if timeframe == self.timeframe]

    def load(self, symbol: str, crypto: bool | None = None) -> Bars:
        """See `Source.load`."""
        symbol = parse_symbol(symbol)
        stored = read(self.store.file(symbol, self.timeframe))
        if stored is None or not len(stored):
            others = [str(timeframe) for name, timeframe in self.store.names() if name == symbol]
            there = f" (there are bars of {', '.join(others)})" if others else nearest(symbol, self.symbols())
            raise DataError(
                f"no {self.timeframe} bars of {symbol} in the store{there}; "
                f"'{fetch_command(symbol, str(self.timeframe))}' fetches them"
            )
        return self._bars(stored, crypto)

    def _bars(self, stored: StoredBars, crypto: bool | None) -> Bars:
        """What a file holds, checked."""
        origin = stored.origin
        path = self.store.file(origin.symbol, self.timeframe)
        return make_bars(
            origin.symbol,
            f"store ({origin.source}, {origin.name}, {origin.timeframe}, {origin.adjusted})",
            stored.time,
            stored.ohlcv,
            crypto=origin.crypto if crypto is None else crypto,
            zone=origin.zone,
            drop=self.drop,
            place=lambda row: f"{printable(path)}, row {row + 1}",
        )


def join(earlier: StoredBars, later: StoredBars) -> StoredBars:
    """Both, the later one's bars where they overlap."""
    before = earlier.time < later.time[0] if len(later) else np.ones(len(earlier), bool)
    return replace(
        later,
        since=min(earlier.since, later.since),
        time=np.concatenate([earlier.time[before], later.time]),
        ohlcv=np.concatenate([earlier.ohlcv[before], later.ohlcv]),
    )


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("the store", "parquet") from None
    return pyarrow, parquet
