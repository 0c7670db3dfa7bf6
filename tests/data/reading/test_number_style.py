"""Prices whose commas or points may part thousands or decimals: told by the rest of the file, or said."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketsim.data import open_source
from marketsim.data.reading import opening
from marketsim.errors import DataError

PRICES = ("43,158 43,422 43,064 43,149", "43,552 43,819 43,477 43,505", "43,478 44,082 43,316 43,649")
POINTS = tuple(row.replace(",", ".") for row in PRICES)


def load(
    path: Path,
    delimiter: str = "\t",
    prices: tuple[str, ...] = PRICES,
    volume: tuple[str, ...] = ("7", "8", "9"),
    dates: str = "2024-01-0{}",
) -> tuple[float, list[str]]:
    """The first open that is read, and what is said about numbers."""
    lines = [delimiter.join(("date", "open", "high", "low", "close", "volume"))]
    for i, (row, size) in enumerate(zip(prices, volume, strict=True)):
        cells = [dates.format(i + 2), *row.split(), size]
        lines.append(delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in cells))
    (path / "NVDA.csv").write_text("\n".join(lines) + "\n")
    bars = open_source("files", str(path / "NVDA.csv")).load("NVDA")
    return bars.open[0], [note.partition("NVDA.csv: ")[2] for note in bars.notes if "is read as" in note]


@pytest.mark.parametrize(("delimiter", "value", "remedy"), [("\t", "43.158", "thousands, leave the commas out"),
    (";", "43.158", "thousands, leave the commas out"), (",", "43158", "decimals, write a decimal point")])  # fmt: skip
def test_what_nothing_tells_is_said(tmp_path: Path, delimiter: str, value: str, remedy: str) -> None:
    read, (note,) = load(tmp_path, delimiter)
    assert read == float(value)
    assert note.startswith(f"'43,158' is read as {value}; nothing in the file tells whether the comma parts")
    assert note.endswith(f"if it parts {remedy}")


@pytest.mark.parametrize(
    ("prices", "volume", "value"),
    [
        (PRICES, ("2,604,381", "8", "9"), 43158),
        (PRICES, ("7.0", "8.0", "9.0"), 43158),
        (PRICES, ("1.25M", "8M", "9M"), 43158),
        (PRICES, ("2.604.381", "8", "9"), 43.158),
        (PRICES, ("7,5", "8,5", "9"), 43.158),
        (POINTS, ("2.604.381", "8", "9"), 43158),
        (POINTS, ("7,5", "8,5", "9"), 43158),
        (POINTS, ("2,604,381", "8", "9"), 43.158),
    ],
)
def test_volume_tells(tmp_path: Path, prices: tuple[str, ...], volume: tuple[str, ...], value: float) -> None:
    assert load(tmp_path, ";", prices, volume) == (value, [])


@pytest.mark.parametrize("sign", [",", "."])
def test_prices_themselves_tell_before_volume_does(tmp_path: Path, sign: str) -> None:
    over = tuple(f"1{sign}00{i} " * 4 for i in (1, 2, 3))
    assert load(tmp_path, ";", ("999 " * 4, *over[1:])) == (999, [])
    assert load(tmp_path, ";", (*over[:2], "999 " * 4)) == (1001, [])
    with pytest.raises(DataError, match=rf"column 'volume': '7\{sign}5' is not a number"):
        load(tmp_path, ";", (*over[:2], "999 " * 4), (f"7{sign}5", "8", "9"))


@pytest.mark.parametrize("prices", [POINTS, tuple(row.replace("43.", "110.").replace("44.", "111.") for row in POINTS)])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_point_with_three_digits_is_a_decimal_one(tmp_path: Path, delimiter: str, prices: tuple[str, ...]) -> None:
    assert load(tmp_path, delimiter, prices) == (float(prices[0].split()[0]), [])


def test_but_not_surely_beside_dates_with_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dates = "0{}.01.2024"
    assert load(tmp_path, ",", POINTS, dates=dates)[1] == ["the date '02.01.2024' is read as 2024-01-02"]
    assert load(tmp_path, ";", tuple(f"{row}0" for row in POINTS), dates=dates)[0] == 43.158
    for _ in range(2):
        read, notes = load(tmp_path, ";", POINTS, dates=dates)
        assert read == 43.158
        assert any("whether the point parts" in note and "leave the points out" in note for note in notes)
        assert not any("point" in note for note in load(tmp_path, ";", POINTS, ("7.0", "8.0", "9.0"), dates)[1])
        monkeypatch.setattr(opening, "HEAD", 80)  # the file counts as a large one


def test_prices_that_may_be_32nds_are_said(tmp_path: Path) -> None:
    prices = ("110'165 111'020 110'050 110'165", "110'165 111'020 110'050 110'165", "110'165 111'020 110'050 110'165")
    assert load(tmp_path, prices=prices)[1] == [
        '"110\'165" is read as 110165; if it has 32nds of a point, write decimals'
    ]
    assert load(tmp_path, prices=(*prices[:2], "110'340 111'020 110'050 110'165"))[1] == []


@pytest.mark.parametrize("unit", ["{} USD", "usd {}", "{}EUR"])
def test_the_code_of_a_currency_is_no_part_of_a_price(tmp_path: Path, unit: str) -> None:
    rows = [
        f"2024-01-0{day};" + ";".join(unit.format(price) for price in ("43.1", "44.2", "42.9", "43.3"))
        for day in (2, 3)
    ]
    path = tmp_path / "NVDA.csv"
    path.write_text("\n".join(["date;open;high;low;close", *rows]))
    assert open_source("files", str(path)).load("NVDA").ohlcv[1, :4].tolist() == [43.1, 44.2, 42.9, 43.3]
    path.write_text(path.read_text() + "\n2024-01-04;1 GBP;1 GBP;1 GBP;1 GBP")
    with pytest.raises(DataError, match=r"line 4, column 'open': '1 GBP' is not a number \(write it without a unit\)"):
        open_source("files", str(path)).load("NVDA")
