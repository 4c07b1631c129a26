"""What a caller has to decide after a venue said no: one named reaction for each kind of refusal.

The venue's module maps its codes to these names, so that the desk never compares numbers.
"""

from __future__ import annotations

from enum import Enum


class Reaction(Enum):
    """The right thing to do. The value is a short text for records and screens."""

    SHOW = "tell the operator; nothing is known to help"
    DEFECT = "the request is malformed: a defect of the desk, sending it again cannot help"
    RECONCILE = "the outcome is unknown: resolve it by evidence, never send again"
    STOP_TRADING = "the key, the address or the location is not accepted: stop and call the operator"
    WAIT = "wait as long as the venue asks"
    BACK_OFF = "nothing was done; try again after growing pauses"
    RESYNC_CLOCK = "read the venue's clock and sign anew"
    REFRESH_RULES = "read the trading rules once more and quantise again"
    DROP_SYMBOL = "the symbol or a value is not offered now: leave it out and read the trading rules"
    NEW_LISTEN_KEY = "ask for a new listen key, reconnect and reconcile"
    GIVE_UP = "the venue rejected the order: let the intent go"
    LOWER_SIZE = "lower the size or the leverage, or let the intent go"
    ALREADY_CLOSED = "the order is no longer open: query its final state"
    NO_SUCH_ORDER = "no order of that id is shown: no proof that it never existed"
    CLOSE_NOW = "the level is already breached: a protective order becomes a close at market"
    REREAD_POSITION = "the position is not what was thought, usually already flat: read it again"
    HALT = "the account is being liquidated: halt"
    CANCEL_STALE = "too many open orders: cancel the stale ones"
    KEEP_LEVERAGE = "the leverage stays as it is: size with the one the venue has"
    LOWER_LEVERAGE = "the leverage is above the first bracket's: clamp it"
    REPRICE = "the price does not fit the market now: choose another one or let go"
    NOTHING_TO_CHANGE = "the setting already is what was asked for: a success"
    CLEAN_UP_FIRST = "open orders or positions block the change: clean up, else refuse to start"
    REREAD_MODE = "the position mode is another one: read it again"
    CLOSE_ONLY = "the account may only reduce: open nothing, closes go on"
    BLOCK_SYMBOL = "the venue controls the risk of this symbol: no entries for now"
    DUPLICATE_ID = "an order with this client id is open, so an earlier send was accepted: query it"
    STOP_TRIGGERING = "the conditional order is triggering: wait for its event"
    FREE_REDUCE_ONLY = "other reduce-only orders hold the position: cancel them, then send again"
    CLOSE_POSITION_CONFLICT = "a close-position order exists already, or there is no position for it"
    WAIT_FOR_PRICE = "the best price lies outside the band: wait, or use a limit order"
    BELOW_MINIMUM = "the notional is too small: raise it or skip; a reduce-only close is exempt"
    QUERY_ORDER = "the amendment was refused: query the order"
