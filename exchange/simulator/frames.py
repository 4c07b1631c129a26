"""Stream payloads as the venue writes them: one printf template per symbol and kind, filled once per frame."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from exchange.instrument import Instrument
    from exchange.simulator.encode import Formats

LINEAR = 1
COIN_MARGINED = 2
COIN_BASES = ("BTC", "ETH")
"""Assets whose COIN-margined perpetuals show up beside the USDT-margined ones."""
COIN_SUFFIX = "USD_PERP"
EIGHT = '"%.8f"'


def stray(of: str) -> tuple[str, str]:
    """Return a field that no document names, always the same one for the same text: clients must let it pass."""
    number = crc32(of.encode())
    return f"z{chr(ord('a') + number % 26)}{number // 26 % 10}", str(number // 260 % 1000)


class Templates:
    """The payload templates of one contract.

    `tag` marks the venue (`st`: 1 USDT-margined, 2 COIN-margined) and `pair` is the underlying pair (`ps`).
    """

    __slots__ = (
        "agg_trade",
        "book",
        "continuous",
        "depth",
        "force",
        "kline",
        "mark",
        "mini",
        "tail",
        "ticker",
        "trade",
    )

    def __init__(self, symbol: str, pair: str, formats: Formats, tag: int) -> None:
        """Write the templates; see each attribute's comment for the values it takes, in order."""
        price, quantity, quote = f'"{formats.price}"', f'"{formats.quantity}"', f'"{formats.quote}"'
        name = symbol.replace("%", "%%")
        odd = '"{}":"{}"'.format(*stray(symbol))
        tail = f'"ps":"{pair}","st":{tag},{odd}}}'
        self.tail = tail
        # E, a, p, q, nq, f, l, T, m
        self.agg_trade = (
            f'{{"e":"aggTrade","E":%d,"s":"{name}","a":%d,"p":{price},"q":{quantity},"nq":{quantity},'
            f'"f":%d,"l":%d,"T":%d,"m":%s,"st":{tag},{odd}}}'
        )
        # E, T, t, p, q, m
        self.trade = (
            f'{{"e":"trade","E":%d,"T":%d,"s":"{name}","t":%d,"p":{price},"q":{quantity},"X":"MARKET","m":%s,'
            f'"st":{tag},{odd}}}'
        )
        # E, T, U, u, pu, b, a
        self.depth = f'{{"e":"depthUpdate","E":%d,"T":%d,"s":"{name}","U":%d,"u":%d,"pu":%d,"b":[%s],"a":[%s],{tail}'
        # E, S, q, p, ap, l, z, T, what follows the order
        self.force = (
            f'{{"e":"forceOrder","E":%d,"o":{{"s":"{name}","S":"%s","o":"LIMIT","f":"IOC","q":{quantity},"p":{price},'
            f'"ap":{price},"X":"FILLED","l":{quantity},"z":{quantity},"T":%d}}%s'
        )
        # E, t, T, i, f, L, o, c, h, l, v, n, x, q, V, Q
        self.kline = (
            f'{{"e":"kline","E":%d,"s":"{name}","k":{{"t":%d,"T":%d,"s":"{name}","i":"%s","f":%d,"L":%d,"o":{price},'
            f'"c":{price},"h":{price},"l":{price},"v":{quantity},"n":%d,"x":%s,"q":{quote},"V":{quantity},'
            f'"Q":{quote},"B":"0"}},"st":{tag},{odd}}}'
        )
        # E, ct, t, T, i, f, L, o, c, h, l, v, n, x, q, V, Q
        self.continuous = (
            f'{{"e":"continuous_kline","E":%d,"ps":"{pair}","ct":"%s","k":{{"t":%d,"T":%d,"i":"%s","f":%d,"L":%d,'
            f'"o":{price},"c":{price},"h":{price},"l":{price},"v":{quantity},"n":%d,"x":%s,"q":{quote},'
            f'"V":{quantity},"Q":{quote},"B":"0"}},"st":{tag},{odd}}}'
        )
        # u, E, T, b, B, a, A
        self.book = (
            f'{{"e":"bookTicker","u":%d,"E":%d,"T":%d,"s":"{name}","b":{price},"B":{quantity},"a":{price},'
            f'"A":{quantity},{tail}'
        )
        # E, p, ap, i, P, r, T
        self.mark = (
            f'{{"e":"markPriceUpdate","E":%d,"s":"{name}","p":{EIGHT},"ap":{EIGHT},"i":{EIGHT},"P":{EIGHT},"r":{EIGHT},'
            f'"T":%d,"st":{tag},{odd}}}'
        )
        # E, c, o, h, l, v, q
        self.mini = (
            f'{{"e":"24hrMiniTicker","E":%d,"s":"{name}","c":{price},"o":{price},"h":{price},"l":{price},"v":{quantity},'
            f'"q":"%.2f",{tail}'
        )
        # E, p, P, w, c, Q, o, h, l, v, q, O, C, F, L, n
        self.ticker = (
            f'{{"e":"24hrTicker","E":%d,"s":"{name}","p":{price},"P":"%.3f","w":{price},"c":{price},"Q":{quantity},'
            f'"o":{price},"h":{price},"l":{price},"v":{quantity},"q":"%.2f","O":%d,"C":%d,"F":%d,"L":%d,"n":%d,{tail}'
        )


def linear(instrument: Instrument, formats: Formats) -> Templates:
    """Return the templates of a listed USDT-margined contract."""
    return Templates(instrument.symbol, instrument.base + instrument.quote, formats, LINEAR)


def coin_margined(instrument: Instrument, formats: Formats) -> Templates:
    """Return the templates of the COIN-margined perpetual on the same base asset, as it shows up in `!…@arr`."""
    return Templates(f"{instrument.base}{COIN_SUFFIX}", f"{instrument.base}USD", formats, COIN_MARGINED)
