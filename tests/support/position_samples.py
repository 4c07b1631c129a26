"""Positions and the stops around them."""

from decimal import Decimal

from engine.execution.book import BookAlgo, BookPosition
from engine.execution.intents import PositionKey


def position(quantity="0.010", side="BOTH", **changes):
    fields = {
        "key": PositionKey("BTCUSDT", side),
        "quantity": Decimal(quantity),
        "entry": Decimal(80_000),
        "updated_ms": 1,
    }
    return BookPosition(**{**fields, **changes})


def stop(trigger="79000", **changes):
    fields = {
        "symbol": "BTCUSDT", "algo_id": 1, "client_id": "pd-s1-s1", "side": "SELL", "position_side": "BOTH",
        "kind": "STOP_MARKET", "status": "NEW", "quantity": Decimal(0), "trigger": Decimal(trigger),
        "close_position": True, "reduce_only": False, "updated_ms": 1,
    }  # fmt: skip
    return BookAlgo(**{**fields, **changes})


def sized(quantity, trigger="79000", **changes):
    return stop(trigger, quantity=Decimal(quantity), close_position=False, **{"reduce_only": True, **changes})


MARK = Decimal(80_000)
