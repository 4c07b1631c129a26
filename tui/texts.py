"""Every sentence the screen says of its own, in one place."""

from __future__ import annotations

APP_TITLE = "perpdesk"
EMPTY = "nothing here"
NO_POSITIONS = "no live positions: the desk trades on paper"
NO_POSITIONS_LIVE = "no live positions"
NO_VIRTUAL = "no open virtual positions"
NO_SIGNALS = "no symbols yet"
NO_LEVERAGE = "no leverage decision yet"
NO_EVENTS = "no events yet"
NOTHING_MATCHES = "no row matches the filter (esc in / clears it)"
WAITS_FOR_ENGINE = "waiting for the first figures of the engine"
CHART_WAITS = "asking for candles"
CHART_NO_SYMBOL = "choose a symbol in panel 1"
RESUME_WORD = "resume"
DETAIL_WAITS = "asking the desk why"
NO_ANSWER = "no answer from the engine within 5 s"
STALE_ENGINE = "engine silent"
STALE_FEED = "feed silent"
FROZEN = "FROZEN"
GAP = "{missed} events are missing here: they left the ring before this screen read them"
SMALL = "perpdesk needs 60 columns and 16 rows; this terminal has {columns} x {rows}"
PALETTE_HINT = "type a command, arrows choose, enter runs it, esc closes"
SORT = "sort {order}"
FILTER = "filter {text} ({kept}/{total})"
FILTERED = "filter {kept}/{total}"
PENDING = "sent: {label} (waiting for the desk)"
DONE = "done: {label}: {text}"
REFUSED = "refused: {label}: {text}"
UNANSWERED = "{label}: the desk has not answered for 10 s; what became of it is unknown, see panel 7"
TOO_MANY_PENDING = "32 commands wait for an answer already; this one was not sent"
READ_ONLY = "read-only: this key is switched off"
COPIED = "copied: {text}"
NOTHING_TO_COPY = "no row to copy here"
WRITTEN = "{count} rows written to {path}"
NOT_WRITTEN = "cannot write {path}: {reason}; free the place or start perpdesk in another folder"
PINNED, UNPINNED = "pinned {key} on top", "let {key} go"
THEME_NOW = "theme {theme}"
FREEZE_ON, FREEZE_OFF = "the screen is frozen, the engine goes on; p lets it run", "the screen runs again"
MOUSE_OFF, MOUSE_ON = "the mouse belongs to the terminal; F2 takes it back", "the mouse belongs to perpdesk"
SORTED = "sort {order}"
FILTER_NOT_HERE = "this panel has no filter; panels 1, 2, 3 and 7 have"
SORT_NOT_HERE = "this panel has no sort order"
NO_VIRTUAL_SELECTED = "select a virtual position in panel 3 first"
NO_DETAIL = "nothing to open here"
WRITER_DROPPED = "the terminal was slow: {count} frames left out"

FILTER_TITLE = "filter {title}"
FILTER_HELP = "words, !word, field:text, field>number   esc back   enter keep   fields: {fields}"

MODE_TITLE = "Strategy mode: which strategy may trade"
MODES = (
    ("ict", "ICT", "price-action set-ups with provenance"),
    ("self_learning", "SELF-LEARNING", "models, or their statistical fallback"),
    ("hybrid", "HYBRID", "ICT proposes, learning re-weighs or vetoes"),
)
MODE_GUEST = "a strategy from outside (docs/strategies.md); not saved over a restart"
MODE_CONFIRM_TITLE = "Change the strategy mode to {mode}?"
MODE_CONFIRM = (
    "{positions} live and {virtual} virtual positions are open.",
    "They keep their stops and targets; only new entries follow the new mode.",
    "Nothing is closed.",
)
FLAGS_TITLE = "Feature flags"
FLAGS_HELP = "enter switches   esc closes"

HALT_LABEL = "halt new entries"
RESUME_LABEL = "resume entries"
RESUME_TITLE = "Accept new entries again?"
RESUME_BODY = (
    "Entries are now: {entries}.",
    "The next live cycle may open positions again.",
    "Protection by losses and the API breaker stay as they are.",
)

TRADING_OFF_LABEL, TRADING_ON_LABEL = "trading off", "trading live"
TRADING_TITLE = "Trade live on {exchange}?"
TRADING_BODY = (
    "Trading is on paper now: decisions are taken and recorded, no order leaves.",
    "Live, entries of the {mode} strategy become orders at the next live cycle.",
    "A desk that cannot send orders refuses, says why, and stays on paper.",
    "The {virtual} virtual positions stay as they are.",
)

JUMP_TITLE = "jump to"
JUMP_HELP = "{letters}  g first line  t or a capital: a symbol   esc back"
JUMP_SYMBOL = "symbol"
JUMP_SYMBOL_HELP = "the cursor follows what is typed   enter stay there   esc back to where it was"
JUMP_NOT_FOUND = "no symbol of the table begins with or contains this"
JUMP_FILTERED = "; the filter {text} hides some"
JUMP_UNKNOWN = "no panel has this letter; press g to see them"

CLOSE_TITLE = "Close virtual position {id}?"
CLOSE_BODY = (
    "{symbol} {direction} of strategy {strategy}, entry {entry}.",
    "It is closed at the market, now {price}, result {result}.",
    "No order goes to the exchange: the position is virtual.",
)
CLOSE_LABEL = "close {id} {symbol}"
CLOSE_ALL_TITLE = "Close all {count} virtual positions at the market?"
CLOSE_ALL_BODY = (
    "Every open virtual position ends with manual_close and is charged its costs.",
    "Live positions are not touched; new entries stay as they are ({entries}).",
)
CLOSE_ALL_LABEL = "close all virtual positions"

BREAKER_TITLE = "API breaker and protection"
BREAKER_OPTIONS = (
    ("reset", "reset the API breaker to NORMAL"),
    ("bypass", "let requests pass a tripped breaker for 60 s"),
    ("rearm", "re-arm after a protection halt"),
)
RESET_TITLE = "Reset the API breaker?"
RESET_BODY = (
    "State {state} after {failures} failures; last cause: {cause}.",
    "All request priorities pass again at once. Scope: this desk's REST requests.",
    "Protection by losses is not touched.",
)
RESET_LABEL = "reset the API breaker"
BYPASS_TITLE = "Bypass the API breaker for 60 s?"
BYPASS_BODY = (
    "State {state}. Requests pass for 60 s although the breaker would hold them.",
    "The exchange's own Retry-After is still obeyed.",
    "Type the reason; it goes into the audit.",
)
BYPASS_LABEL = "bypass the API breaker for 60 s"
REARM_TITLE = "Re-arm after a protection halt?"
REARM_BODY = (
    "Protection is {state}: {reason}.",
    "New entries may follow at the next live cycle with the size and limits of the state after it.",
)
REARM_LABEL = "re-arm protection"
BY_OPERATOR = "operator at the screen"

LEAVE_TITLE = "Leave perpdesk?"
LEAVE_BODY = ("The engine of this process stops in order and the virtual book is kept for the next start.",)
LEAVE_OPEN = "Open now: {positions} live, {virtual} virtual{names}."
LEAVE_LIVE = "Live positions keep the stops that stand at the exchange; nobody watches them meanwhile."

CONFIRM_Y = "press y to do it, any other key leaves everything as it is"
CONFIRM_WORD = "type {word} and press enter; esc leaves everything as it is"
CONFIRM_REASON = "type a reason of at least 3 letters and press enter; esc leaves everything as it is"

LINES_OF = "{first}-{last} of {count}   "
HELP_TITLE = "Keys"
HELP_FOOT = "j k scroll   esc closes"

EVENT_FILTERS = ("all", "signals", "positions", "risk", "errors")

NO_LIVE = "no live position is open"
NO_LIVE_SELECTED = "select a live position in panel 2 first"
NO_WHAT_IF = "The engine has not answered what this would cost."
NO_PRICE = "{text} is no price"
LIVE_CLOSE_LABEL = "close {symbol}"
LIVE_CLOSE_TITLE = "Close {symbol} {quantity} at the market?"
LIVE_CLOSE_BODY = (
    "It is closed reduce-only, again and again until it is closed; its stop goes last.",
    "Entries stay as they are: a new signal may open it again. H halts them.",
)
LIVE_CLOSE_ALL_TITLE = "Close all {count} live positions at the market?"
LIVE_CLOSE_ALL_BODY = (
    "Closes reduce-only: {named}.",
    "Entries stay as they are ({entries}); virtual positions are not touched.",
)
LIVE_CLOSE_ALL_LABEL = "close all live positions"
MOVE_STOP_TITLE = "Move the stop of {symbol}"
MOVE_STOP_BODY = (
    "The stop stands at {now} ({text}).",
    "Type the new price. The new stop is placed before the old one is cancelled.",
)
MOVE_STOP_SURE = ("The desk keeps it there from now on, over restarts too.",)
MOVE_STOP_LABEL = "stop of {symbol} to {price}"
CANCEL_ORDER_CHOICE = "Which order shall be cancelled?"
CANCEL_ORDER_FOOT = "enter chooses, then asks y   esc closes"
CANCEL_ORDER_TITLE = "Cancel this order?"
CANCEL_ORDER_LABEL = "cancel the {purpose} order of {symbol}"
CANCEL_ORDER_MEANS = {
    "entry": "It will not be filled any more; what was filled already stays, protected.",
    "stop": "It protects a position: the desk puts a stop back within seconds. S moves it, x closes the position.",
    "target": "The stop stays; the desk puts the target of its plan back. x closes the position.",
    "close": "It closes a position: the desk sends it again as long as the position has to be closed.",
}
CANCEL_ORDER_FOREIGN = "The desk did not place it and leaves it alone otherwise."
NO_ORDERS = "no order of the account is open"
STOP_TITLE = "How far shall the desk stop?"
STOP_LEVELS = (
    ("pause", "no entries; care of positions goes on (also H)"),
    ("cancel", "and resting entries are cancelled; stops and targets stay"),
    ("flatten", "and every position is closed at the market; asks for the word"),
    ("halt", "the process ends, stops stay at the exchange; asks for the word"),
)
CANCEL_LABEL = "cancel resting entries"
FLATTEN_BODY = (
    "Cancels resting entries, closes reduce-only: {named}; removes stops once a position is flat.",
    "It is taken up again after a crash, and entries stay off until you resume.",
)
HALT_BODY = (
    "Ends the engine with code 20: nothing starts it again by itself. Open: {named}.",
    "Stops and targets stay at the exchange; nobody watches them until a desk runs again.",
)
ARM_TITLE = "Arm live orders on {exchange}?"
ARM_BODY = (
    "Mode {mode}: from the next cycle on sized decisions become orders of the account, for 24 hours.",
    "Missing so far: {missing}.",
    "The API key: {rights}.",
    "Open positions and their stops are cared for armed or not.",
)
