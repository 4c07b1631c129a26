"""Stream payloads as the venue writes them: one printf template per symbol and kind, filled once per frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exchange.instrument import Instrument
    from exchange.simulator.encode import Formats

LINEAR = 1
COIN_MARGINED = 2
EIGHT = '"%.8f"'


class Templates:
    """The payload templates of one contract.

    `tag` marks the venue (`st`: 1 USDT-margined, 2 COIN-margined) and `pair` is the underlying pair (`ps`).
    """

    __slots__ = ("agg_trade", "book", "kline", "mark", "mini", "ticker")

    def __init__(self, symbol: str, pair: str, formats: Formats, tag: int) -> None:
        """Write the templates; see each attribute's comment for the values it takes, in order."""
        price, quantity, quote = f'"{formats.price}"', f'"{formats.quantity}"', f'"{formats.quote}"'
        name = symbol.replace("%", "%%")
        tail = f'"ps":"{pair}","st":{tag}}}'
        # E, a, p, q, nq, f, l, T, m
        self.agg_trade = (
            f'{{"e":"aggTrade","E":%d,"s":"{name}","a":%d,"p":{price},"q":{quantity},"nq":{quantity},'
            f'"f":%d,"l":%d,"T":%d,"m":%s,"st":{tag}}}'
        )
        # E, t, T, i, f, L, o, c, h, l, v, n, x, q, V, Q
        self.kline = (
            f'{{"e":"kline","E":%d,"s":"{name}","k":{{"t":%d,"T":%d,"s":"{name}","i":"%s","f":%d,"L":%d,"o":{price},'
            f'"c":{price},"h":{price},"l":{price},"v":{quantity},"n":%d,"x":%s,"q":{quote},"V":{quantity},'
            f'"Q":{quote},"B":"0"}},"st":{tag}}}'
        )
        # u, E, T, b, B, a, A
        self.book = (
            f'{{"e":"bookTicker","u":%d,"E":%d,"T":%d,"s":"{name}","b":{price},"B":{quantity},"a":{price},'
            f'"A":{quantity},{tail}'
        )
        # E, p, ap, i, P, r, T
        self.mark = (
            f'{{"e":"markPriceUpdate","E":%d,"s":"{name}","p":{EIGHT},"ap":{EIGHT},"i":{EIGHT},"P":{EIGHT},"r":{EIGHT},'
            f'"T":%d,"st":{tag}}}'
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
    return Templates(f"{instrument.base}USD_PERP", f"{instrument.base}USD", formats, COIN_MARGINED)
