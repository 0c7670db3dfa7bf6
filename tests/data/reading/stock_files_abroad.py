"""Files of stocks, as web sites and exchanges in India, China and Europe write them."""

from __future__ import annotations

from tests.data.reading.written import MINUTES, STOCK, Written, continental, day, quoted, table, two_symbols

NSE = "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN,"
NSE_NEW = (
    "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,OpnPric,HghPric,LwPric,ClsPric,LastPric,"
    "PrvsClsgPric,TtlTradgVol"
)
STOCK_FILES_ABROAD = {
    "NSE bhavcopy": Written(
        "cm.csv",
        two_symbols(NSE, "%d-%b-%Y", "{s},EQ,{r.open},{r.high},{r.low},{r.close},1,1,{r.volume:.0f},1,{d},1,INE,"),
        STOCK,
        layout="NSE bhavcopy",
    ),
    "NSE bhavcopy, full": Written(
        "sec_bhavdata_full.csv",
        two_symbols(
            "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, CLOSE_PRICE, AVG_PRICE, "
            "TTL_TRD_QNTY",
            "%d-%b-%Y",
            "{s}, EQ, {d}, 1, {r.open}, {r.high}, {r.low}, 1, {r.close}, 1, {r.volume:.0f}",
        ),
        STOCK,
        layout="NSE bhavcopy",
    ),
    "NSE bhavcopy, UDiFF": Written(
        "BhavCopy_NSE_CM.csv",
        two_symbols(
            NSE_NEW,
            "%Y-%m-%d",
            "{d},{d},CM,NSE,STK,1,INE,{s},EQ,{r.open},{r.high},{r.low},{r.close},1,1,{r.volume:.0f}",
        ),
        STOCK,
        layout="NSE bhavcopy, UDiFF",
    ),
    "NSE, one symbol": Written(
        "NVDA.csv",
        table(
            STOCK,
            '"Date ","series ","OPEN ","HIGH ","LOW ","PREV. CLOSE ","ltp ","close ","vwap ","VOLUME "',
            lambda row: (
                f'"{day(row, "%d-%b-%Y")}","EQ"',
                *map(quoted, (row.open, row.high, row.low, 1, 1, row.close, row.close)),
                quoted(row.volume, 0),
            ),
            newest_first=True,
        ),
        STOCK,
        layout="NSE, one symbol",
    ),
    "tushare": Written(
        "600519.csv",
        table(
            STOCK,
            "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount",
            lambda row: (
                "600519.SH",
                day(row, "%Y%m%d"),
                row.open,
                row.high,
                row.low,
                row.close,
                1,
                0,
                0,
                row.volume,
                1,
            ),
            newest_first=True,
        ),
        STOCK,
        symbol="600519.SH",
        layout="tushare",
    ),
    "akshare": Written(
        "NVDA.csv",
        table(
            STOCK,
            "日期,开盘,收盘,最高,最低,成交量,成交额,振幅",
            lambda row: (day(row), row.open, row.close, row.high, row.low, int(row.volume), 1, 2),
        ),
        STOCK,
        layout="akshare",
    ),
    "NetEase": Written(
        "600519.csv",
        table(
            STOCK,
            "日期,股票代码,名称,收盘价,最高价,最低价,开盘价,前收盘,成交量",
            lambda row: (day(row), "600519", "贵州茅台", row.close, row.high, row.low, row.open, 1, int(row.volume)),
            encoding="gb18030",
            newest_first=True,
        ),
        STOCK,
        symbol="600519",
        layout="NetEase",
    ),
    "ariva.de": Written(
        "wkn_918422_historic.csv",
        table(
            STOCK,
            "Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen",
            lambda row: (
                day(row),
                *map(continental, (row.open, row.high, row.low, row.close)),
                continental(row.volume, 0),
                "1.000",
            ),
            ";",
            newest_first=True,
        ),
        STOCK,
        symbol="WKN",
        layout="ariva.de",
    ),
    "MOEX": Written(
        "history.csv",
        table(
            STOCK,
            "BOARDID;TRADEDATE;SHORTNAME;SECID;NUMTRADES;VALUE;OPEN;LOW;HIGH;LEGALCLOSEPRICE;WAPRICE;CLOSE;VOLUME",
            lambda row: (
                "TQBR",
                day(row),
                "Сбербанк",
                "SBER",
                1,
                1,
                row.open,
                row.low,
                row.high,
                1,
                1,
                row.close,
                int(row.volume),
            ),
            ";",
            encoding="cp1251",
            before="history\n\n",
        ),
        STOCK,
        symbol="SBER",
        layout="MOEX",
    ),
    "MOEX candles": Written(
        "SBER.csv",
        table(
            MINUTES,
            "open;close;high;low;value;volume;begin;end",
            lambda row: (row.open, row.close, row.high, row.low, 1, int(row.volume), row.time, row.time),
            ";",
        ),
        MINUTES,
        symbol="SBER",
        layout="MOEX candles",
    ),
}
