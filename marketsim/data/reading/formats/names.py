"""Column names of bar files, in several languages.

Names are compared in their plain form, see `plain`. Where several names of a role are in one header, the first of
its list is taken.
"""

from __future__ import annotations

import re
import unicodedata


def plain(name: str) -> str:
    """A column's name in lower case, words parted by single spaces, without signs: "<OPEN>", "1. open" -> "open".

    >>> plain("Close/Last"), plain("openPrice"), plain("Volume_(BTC)")
    ('close last', 'open price', 'volume btc')
    """
    name = unicodedata.normalize("NFKC", name)
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)  # openPrice
    name = re.sub(r"^\W*\d+[a-z]?\. ", "", name)  # 4. close
    return " ".join(re.findall(r"[^\W_]+", name.casefold()))


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|"))


# Of the time: names of an opening time first, so that a closing time beside one is left alone.
STAMP = _names(
    "open time|opentime|time open|start time|start at|window start|period start unix|begin|candle begin|datetime|"
    "date time|timestamp|time stamp|gmt time|local time|time utc|time eet|ts|ts event|unix|unix timestamp|unix time|"
    "epoch|date|day|trade date|trading date|tradedate|trad dt|biz dt|date1|dtyyyymmdd|yyyymmdd|ds|t|time|mts|"
    "datum|datum zeit|zeit|fecha|data|дата|дата и время|время|日期|交易日期|时间|時間|日付|날짜|일자|tarih|"
    "index level 0|caldt|datadate|ticks|price date|dates|tag|dato|päivä|päivämäärä|pvm"
)
UNNAMED = ("", "index", "unnamed 0", "level 0")  # a first column of times without a name of its own
CLOCK = _names("time|timestamp|hour|minute|time of day|hhmm|uhrzeit|zeit|время|时间|時間|heure|hora|ora")
FIELDS = {
    "open": _names(
        "open|o|open price|openprice|opening price|opening|opn pric|first|eröffnung|eroeffnung|eröffn|eröffnungskurs|"
        "erster|ouverture|ouv|apertura|abertura|открытие|откр|цена открытия|开盘|开盘价|開盤|開盤價|今开|始値|"
        "시가|otwarcie|açılış|mid o|mid open|px open|öppning|oppning|öppningskurs|öppen|öppn|åbning|åbnet|åben|åpning|"
        "åpen|åpningskurs|åbningskurs|avaus|avauskurssi|openen|opening koers|openingskoers"
    ),
    "high": _names(
        "high|h|high price|highprice|highest|hgh pric|max|maximum|hoch|höchst|hoechst|höchstkurs|tageshoch|plus haut|"
        "haut|máximo|maximo|máx|massimo|máxima|maxima|максимум|макс|максимальная цена|最高|最高价|最高價|高|高値|고가|"
        "najwyższy|najwyzszy|yüksek|mid h|mid high|px high|högst|hogst|högsta|högstakurs|højeste|højest|høy|høyeste|"
        "høyest|ylin|korkein|hoog|hoogste"
    ),
    "low": _names(
        "low|l|low price|lowprice|lowest|lw pric|min|minimum|tief|tiefst|tiefstkurs|tagestief|plus bas|bas|mínimo|"
        "minimo|mín|mínima|minima|минимум|мин|минимальная цена|最低|最低价|最低價|低|安値|저가|najniższy|najnizszy|"
        "düşük|mid l|mid low|px low|lägst|lagst|lägsta|lägstakurs|laveste|lavest|lav|alin|matalin|laag|laagste"
    ),
    "close": _names(
        "close|c|close price|closeprice|closing price|closing|close last|cls pric|last|last price|latest|ltp|settle|"
        "schluss|zuletzt|schlusskurs|schlußkurs|letzter|clôture|cloture|fermeture|dernier|cierre|último|ultimo|fechamento|"
        "chiusura|закрытие|закр|цена закрытия|收盘|收盘价|收盤|收盤價|終値|종가|zamknięcie|zamkniecie|"
        "ostatnio|kapanış|şimdi|mid c|mid close|price|цена|y|px last|px close|settlement price|settle price|stängning|"
        "stangning|stängningskurs|stängn|slutkurs|senast|senaste|lukket|lukkekurs|slutt|sluttkurs|siste|seneste|"
        "päätös|päätöskurssi|viimeisin|sluiten|slotkoers|laatste"
    ),
}
VOLUME = _names(
    "volume|v|vol|real volume|volume base|base volume|volumefrom|volume from|volume traded|total volume|totalvolume|"
    "tot trd qty|tottrdqty|ttl trd qnty|ttl tradg vol|total traded quantity|total trade quantity|quantity|"
    "no of shares|shares traded|shares|stuecke|stücke|stück|volumen|объём|объем|成交量|交易量|成交股數|出来高|거래량|"
    "wolumen|wol|hacim|hac|px volume|volym|volum|mængde|tick volume|tickvolume|tickvol|tick vol"
)
TICK_VOLUME = _names("tick volume|tickvolume|tickvol|tick vol")
UP_AND_DOWN = ("up", "down")  # volume on rising and on falling prices, which is volume together
SYMBOL = _names(
    "symbol|ticker|tic|ts code|tckr symb|secid|sec code|unique id|股票代码|证券代码|代码|instrument name|instrument|"
    "instrument id|currency pair|pair|stock code|code|asset|asset id|act symbol|sym|coin|security|stock|name|company|"
    "名称|index|item id|isin|cusip|sedol|wkn|figi|valor|permno|gvkey"
)
IDENTIFIER = _names("isin|cusip|sedol|wkn|figi|valor|permno|gvkey")  # one alone is no name: that of the file says more
WORDS_ONLY = _names("name|company|index|stock|security|asset|名称|code")  # as a symbol; a number there is another thing
SERIES = _names("series|scty srs")  # NSE's classes of one symbol
ADJUSTED = {
    "open": _names("adj open|adjusted open|adjopen"),
    "high": _names("adj high|adjusted high|adjhigh"),
    "low": _names("adj low|adjusted low|adjlow"),
    "close": _names("adj close|adjusted close|adjclose|adjustedclose|close adj|closeadj|adj close price|adj last"),
    "volume": _names("adj volume|adjusted volume|adjvolume"),
}
SPLIT = _names("split ratio|split factor|split coefficient|stock splits|splits|split|splitfactor")
DIVIDEND = _names("dividends|dividend|div cash|divcash|dividend amount|ex dividend|div")
FINISHED = ("confirm", "complete")  # 0 or false: the exchange says that the bar is still open
