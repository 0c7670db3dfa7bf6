import gzip
import json

import numpy as np
import pytest

from marketsim.data.broker_fills.reading import read_fills
from marketsim.errors import DataError, UsageError

HEADER = "time,symbol,side,price,quantity,fee"
ROW = "2025-01-03T14:35:02Z,NVDA,buy,138.20,100,1.25"


def read(tmp_path, *lines, timezone=None, date_format=None, name="broker.csv"):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_fills(str(path), timezone, date_format)


def shown(found):
    return [
        (each.symbol, str(each.time), each.side, each.price, each.quantity, each.fee) for each in found.fills
    ]  # fmt: skip


def test_columns_by_their_names(tmp_path):
    found = read(tmp_path, HEADER, ROW)
    assert found.layout == "columns by name"
    assert shown(found) == [("NVDA", "2025-01-03T14:35:02", "buy", 138.2, 100.0, 1.25)]
    assert found.notes == ()


def test_partial_fills_stay_fills_of_their_own_and_are_sorted(tmp_path):
    later = ROW.replace("14:35:02", "15:00:00")
    found = read(tmp_path, HEADER, later, ROW)
    assert [str(each.time)[11:] for each in found.fills] == ["14:35:02", "15:00:00"]


def test_binance_spot_with_units_behind_the_numbers(tmp_path):
    found = read(
        tmp_path,
        "Date(UTC),Pair,Side,Price,Executed,Amount,Fee",
        '2025-01-03 10:00:01,ETHUSDT,BUY,"3,400.5",0.5ETH,1700.25USDT,0.0005ETH',
        "2025-01-03 12:00:00,ETHUSDT,SELL,3450,0.5ETH,1725USDT,1.725USDT",
        "2025-01-03 13:00:00,ETHUSDT,SELL,3450,1ETH,3450USDT,0.004BNB",
    )
    assert found.layout == "Binance"
    assert [fill.fee for fill in found.fills] == [pytest.approx(0.0005 * 3400.5), 1.725, None]
    assert found.fills[0].quantity == 0.5
    assert found.fills[0].price == 3400.5
    assert any("fees in BNB are left out, as no price of it is known (1 row)" in note for note in found.notes)
    assert not any("zone" in note for note in found.notes)


def test_binance_spot_as_it_was_before(tmp_path):
    found = read(
        tmp_path,
        "Date(UTC),Market,Type,Price,Amount,Total,Fee,Fee Coin",
        "2021-01-03 10:00:01,BTCUSDT,SELL,33000,0.5,16500,16.5,USDT",
    )
    assert found.layout == "Binance"
    assert shown(found) == [("BTCUSDT", "2021-01-03T10:00:01", "sell", 33000.0, 0.5, 16.5)]


def test_binance_by_its_api(tmp_path):
    trade = {
        "symbol": "BTCUSDT", "id": 28457, "orderId": 100234, "price": "33000.5", "qty": "0.5", "quoteQty": "16500.25",
        "commission": "0.0005", "commissionAsset": "BTC", "time": 1609668001000, "isBuyer": False, "isMaker": True,
    }  # fmt: skip
    found = read(tmp_path, json.dumps([trade, trade | {"id": 28458, "isBuyer": True}]), name="trades.json")
    assert found.layout == "Binance"
    assert [each.side for each in found.fills] == ["sell", "buy"]
    assert str(found.fills[0].time) == "2021-01-03T10:00:01"
    assert found.fills[0].fee == pytest.approx(0.0005 * 33000.5)
    assert found.fills[0].order == "100234"


def test_alpaca_activities(tmp_path):
    fill = {
        "activity_type": "FILL", "id": "20250103::1", "price": "138.2", "qty": "1", "side": "sell_short",
        "symbol": "NVDA", "transaction_time": "2025-01-03T14:35:02.123456Z", "order_id": "a", "type": "partial_fill",
    }  # fmt: skip
    fee = {"activity_type": "FEE", "id": "20250103::2", "date": "2025-01-03", "net_amount": "-0.02"}
    found = read(tmp_path, json.dumps([fill, fee]), name="activities.json")
    assert found.layout == "Alpaca"
    assert shown(found) == [("NVDA", "2025-01-03T14:35:02", "sell", 138.2, 1.0, None)]
    assert any("no fills: FEE 1" in note for note in found.notes)


STATEMENT = (
    "Statement,Header,Field Name,Field Value",
    "Statement,Data,BrokerName,Interactive Brokers LLC",
    "Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,T. Price,C. Price,Proceeds,"
    "Comm/Fee,Basis,Realized P/L,MTM P/L,Code",
    'Trades,Data,Order,Stocks,USD,NVDA,"2025-07-03, 09:35:02","1,000",138.2,139,-138200,-1.25,1,0,0,O',
    'Trades,Data,Order,Stocks,USD,NVDA,"2025-07-03, 15:59:58","-1,000",139.4,139,139400,-1.5,1,0,0,C',
    "Trades,SubTotal,,Stocks,USD,NVDA,,0,,,1200,-2.5,,,,",
    'Trades,Data,Order,Equity Options,USD,NVDA 17JAN25 140 C,"2025-07-03, 10:00:00",1,2,2,-200,-1,,,,',
    'Trades,Data,Order,Crypto,USD,ETH,"2025-07-03, 10:00:00",0.5,2600,2600,-1300,-2.34,,,,',
)


def test_an_activity_statement_of_interactive_brokers(tmp_path):
    found = read(tmp_path, *STATEMENT)
    assert found.layout == "Interactive Brokers"
    assert shown(found) == [
        ("NVDA", "2025-07-03T13:35:02", "buy", 138.2, 1000.0, 1.25),
        ("ETHUSD", "2025-07-03T14:00:00", "buy", 2600.0, 0.5, 2.34),
        ("NVDA", "2025-07-03T19:59:58", "sell", 139.4, 1000.0, 1.5),
    ]
    assert found.fills[0].place.endswith("line 4")
    assert any("taken as New York's" in note for note in found.notes)
    assert any("line 7: 'NVDA 17JAN25 140 C' is not a symbol" in note for note in found.notes)


def test_the_zone_that_is_given_wins(tmp_path):
    found = read(tmp_path, *STATEMENT, timezone="Europe/Zurich")
    assert str(found.fills[0].time) == "2025-07-03T07:35:02"


def test_a_flex_query_of_interactive_brokers(tmp_path):
    header = (
        "ClientAccountID,CurrencyPrimary,AssetClass,Symbol,DateTime,Buy/Sell,Quantity,TradePrice,IBCommission,"
        "IBCommissionCurrency,TradeID,LevelOfDetail"
    )
    part = "U1,USD,STK,NVDA,20250103;093502,SELL,-100,138.2,-1,USD,11,EXECUTION"
    found = read(
        tmp_path,
        header,
        part,
        part,
        part.replace("11,EX", "12,EX"),
        part.replace("-100", "-200").replace("EXECUTION", "ORDER"),
    )
    assert [each.quantity for each in found.fills] == [100.0, 100.0]
    assert found.fills[0].side == "sell"
    assert found.fills[0].fee == 1.0
    assert any("no fills: ORDER 1" in note for note in found.notes)
    assert any("1 row left out, whose fill is there already" in note for note in found.notes)


def test_decimal_commas_and_a_packed_file(tmp_path):
    text = "time;symbol;side;price;quantity;fee\n03.01.2025 14:35:02;ETH/USD;buy;3.400,5;0,5;1,2\n"
    path = tmp_path / "broker.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    found = read_fills(str(path))
    assert shown(found) == [("ETHUSD", "2025-01-03T14:35:02", "buy", 3400.5, 0.5, 1.2)]
    assert any("taken as UTC" in note for note in found.notes)


def test_a_comma_that_may_be_either_is_not_guessed(tmp_path):
    with pytest.raises(DataError, match=r"line 2, column 'quantity': '1,000' may be thousands or a fraction"):
        read(tmp_path, HEADER, '2025-01-03T14:35:02Z,NVDA,buy,138,"1,000",2')


@pytest.mark.parametrize(("cell", "value"), [("1'234.5", 1234.5), ("1 234.5 USD", 1234.5), ("1e05", 1e5)])
def test_a_price_is_read_as_written(tmp_path, cell, value):
    assert read(tmp_path, HEADER, f'2025-01-03T14:35:02Z,NVDA,buy,"{cell}",2,1').fills[0].price == value


@pytest.mark.parametrize("cell", ["110'16", "110 16"])
def test_32nds_are_no_price(tmp_path, cell):
    with pytest.raises(DataError, match=r"line 2, column 'price': .*110.16.* is not a number \(write 32nds"):
        read(tmp_path, HEADER, f"2025-01-03T14:35:02Z,ZN=F,buy,{cell},2,1")


def test_sides_by_the_sign_of_the_quantity(tmp_path):
    found = read(tmp_path, "time,symbol,price,quantity", "2025-01-03T14:35:02Z,NVDA,138,-3")
    assert shown(found) == [("NVDA", "2025-01-03T14:35:02", "sell", 138.0, 3.0, None)]


def test_fees_that_are_all_negative_were_paid(tmp_path):
    found = read(tmp_path, HEADER, ROW.replace(",1.25", ",-1.25"))
    assert found.fills[0].fee == 1.25
    assert any("all fees are negative" in note for note in found.notes)


def test_rows_alike_are_counted_and_said(tmp_path):
    found = read(tmp_path, HEADER, ROW, ROW)
    assert len(found.fills) == 2
    assert any("1 row like another: counted as fills of their own" in note for note in found.notes)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (ROW.replace("138.20", "dear"), "line 3, column 'price': 'dear' is not a number"),
        (ROW.replace("138.20", "-1"), "line 3, column 'price': '-1' is not above zero"),
        (ROW.replace(",100,", ",0,"), "line 3, column 'quantity': '0' is zero"),
        (ROW.replace("buy", "hold"), "line 3, column 'side': 'hold' is neither buy nor sell"),
        (ROW.replace("2025-01-03T14:35:02Z", "soon"), "line 3, column 'time'"),
        (ROW.rpartition(",")[0], "line 3: a row of 5 cells, where others have 6"),
    ],
)
def test_a_bad_row_is_one_clear_line(tmp_path, row, words):
    with pytest.raises(DataError) as caught:
        read(tmp_path, HEADER, ROW, row)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_number_for_two_trades_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"line 3, column 'trade_id': '7' is the number of another fill, in .*line 2"):
        read(tmp_path, f"{HEADER},trade_id", f"{ROW},7", f"{ROW.replace('138.20', '139')},7")


def test_what_is_no_file_of_fills(tmp_path):
    with pytest.raises(DataError, match=r"no column time, symbol, price, quantity of fills; the header has 'a', 'b'"):
        read(tmp_path, "a,b", "1,2")
    with pytest.raises(DataError, match="no fills under the header"):
        read(tmp_path, HEADER, ",,,,,")
    with pytest.raises(UsageError, match="no such file"):
        read_fills(str(tmp_path / "none.csv"))


def test_times_are_whole_seconds_in_utc(tmp_path):
    found = read(tmp_path, HEADER, ROW.replace("14:35:02Z", "14:35:02+02:00"))
    assert found.fills[0].time == np.datetime64("2025-01-03T12:35:02")


def test_every_time_has_the_zone_of_its_own_name(tmp_path):
    rows = [ROW.replace("2025-01-03T14:35:02Z", time) for time in ("2024-03-29 15:00 GMT", "2024-04-02 15:00 BST")]
    found = read(tmp_path, HEADER, *rows)
    assert [str(fill.time) for fill in found.fills] == ["2024-03-29T15:00:00", "2024-04-02T14:00:00"]
    assert found.notes == ()
    rows = [ROW.replace("2025-01-03T14:35:02Z", time) for time in ("2024-01-02 15:00 UTC", "2024-01-02 15:00 EST")]
    found = read(tmp_path, HEADER, *rows)
    assert [str(fill.time)[11:] for fill in found.fills] == ["15:00:00", "20:00:00"]
    assert [note.partition(": ")[2] for note in found.notes] == [
        "stamps of several zones, EST, UTC, are read each in its own"
    ]


def test_dates_that_can_be_read_in_two_ways_are_refused_and_a_format_tells(tmp_path):
    """Fills have no spacing: days in a row by one reading say nothing."""
    rows = [f"0{day}/04/2024 15:00,NVDA,buy,138.2,1,0" for day in range(1, 7)]
    with pytest.raises(DataError) as error:
        read(tmp_path, HEADER, *rows)
    assert str(error.value).endswith(
        "broker.csv, line 2, column 'time': '01/04/2024 15:00' can be read in two ways: %d/%m/%Y %H:%M begins with "
        "2024-04-01, %m/%d/%Y %H:%M begins with 2024-01-04; give --fills-date-format '%d/%m/%Y %H:%M' or "
        "'%m/%d/%Y %H:%M'"
    )
    found = read(tmp_path, HEADER, *rows, date_format="%m/%d/%Y %H:%M")
    assert [str(fill.time)[:10] for fill in found.fills] == [f"2024-0{day}-04" for day in range(1, 7)]
    with pytest.raises(UsageError, match=r"^--fills-date-format '%Q'"):
        read(tmp_path, HEADER, *rows, date_format="%Q")
