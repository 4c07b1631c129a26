"""The picture a screen draws: immutable, complete, made of plain values.

The desk builds one at a bounded rate and assigns it in one step; screens pull the latest. Ages are not stored, instants
are: a screen subtracts them from its own reading of the desk clock, so a frozen engine cannot look fresh.
All `…_ms` and `time` values are UTC milliseconds of the desk clock; `monotonic` is the process-wide monotonic clock in
seconds at publication. Prices are float64 for display, formatted with the row's `decimals`.
"""

from __future__ import annotations

import msgspec


class SignalRow(msgspec.Struct, frozen=True):
    """One symbol of the universe in rank order of liquidity, with the best view of the acting strategy."""

    rank: int
    """Liquidity rank, 1 = most traded."""
    symbol: str
    decimals: int
    last: float
    change_24h: float
    """Percent."""
    change_1m: float
    """Percent over the last minute, NaN while unknown."""
    quote_volume: float
    bias_1h: int
    bias_15m: int
    bias_5m: int
    """-1, 0, +1 of the structure layer."""
    direction: str
    """LONG, SHORT or empty."""
    strategy: str
    """Strategy of the shown signal, empty where none."""
    state: str
    """`accepted`, `candidate`, `none` or `not ready`."""
    reason: str
    """Why it is not accepted: the gate, or what the symbol waits for."""
    signal_rank: int
    """Rank among this cycle's signals, 0 where none."""
    confidence: float
    quality: float
    win_probability: float
    expected_r: float
    leverage: float
    reward_risk: float
    """NaN where there is no signal."""
    funding_rate: float
    spread_bps: float
    updated_ms: int
    """Event time of the last mark or book update."""
    regime: str = ""
    votes: str = ""
    """One character per strategy in the order ict, self_learning, hybrid: `^`, `v` or `.`."""


class PositionRow(msgspec.Struct, frozen=True):
    """A live position as the exchange reports it."""

    symbol: str
    decimals: int
    direction: str
    quantity: float
    entry: float
    mark: float
    pnl: float
    pnl_percent: float
    leverage: float
    stop: float
    target: float
    liquidation: float
    updated_ms: int
    last_event: str = ""


class CoverageRow(msgspec.Struct, frozen=True):
    """One open position of the account with what protects it at the exchange."""

    symbol: str
    side: str
    """BOTH in one-way mode, else LONG or SHORT."""
    quantity: str
    """Signed, as the exchange writes it."""
    state: str
    """`protected`, `NAKED`, `closing` or `unknown`."""
    text: str
    """What protects it, or what is being done about it."""
    stop: float
    """Trigger price of the working stop, NaN where there is none."""
    target: float
    naked_s: float
    """Desk seconds without a working stop, 0 while protected."""
    owner: str
    """Strategy, `operator`, `adopted` or empty."""
    trade_id: str
    loss_at_stop: float
    """USDT lost at the stop with fees, NaN where there is none."""


class OrderRow(msgspec.Struct, frozen=True):
    """One open order of the account."""

    symbol: str
    order_id: int
    client_id: str
    conditional: bool
    side: str
    kind: str
    purpose: str
    """`entry`, `stop`, `target`, `close`, `foreign`."""
    status: str
    quantity: float
    filled: float
    price: float
    """Limit or trigger price, NaN for a market order."""
    decimals: int
    updated_ms: int


class LedgerView(msgspec.Struct, frozen=True):
    """The account's books: wallet = start + realised - fees + funding + transfers + other, exactly."""

    asset: str
    start: float
    realised: float
    fees: float
    funding: float
    transfers: float
    other: float
    expected: float
    wallet: float
    difference: str
    """`0` while exact, else the difference as the exchange writes decimals."""
    checked_ms: int
    unknown: tuple[str, ...] = ()
    """Income types booked under their own name."""


class RightsView(msgspec.Struct, frozen=True):
    """What the API key may do, and what that means for live orders."""

    text: str
    """The rights in words."""
    refused: tuple[str, ...] = ()
    """Why there are no entries and no arming, each with what to do; empty where nothing stands against them."""
    consent: str = ""
    """The word that arming asks for, empty where it asks for none."""
    warnings: tuple[str, ...] = ()
    known: bool = False
    """Whether the venue told them."""


class ArmingView(msgspec.Struct, frozen=True):
    """Whether decisions may become orders."""

    armed: bool
    missing: tuple[str, ...]
    """Each fact that does not agree, in a sentence with what to do; empty while armed."""
    by: str
    expires_ms: int
    """0 where there is no arming record."""
    rights: RightsView


class HandView(msgspec.Struct, frozen=True):
    """Live orders: level, readiness, protection, unknowns, books."""

    level: str
    """`RUN`, `PAUSE`, `CANCEL`, `FLATTEN` or `HALT`."""
    step: str
    """Step of the start order, `READY` when it is through."""
    ready: bool
    entries_off: str
    """Why no entry may go out now, empty where one may."""
    arming: ArmingView
    coverage: tuple[CoverageRow, ...]
    orders: tuple[OrderRow, ...]
    naked: int
    naked_now_s: float
    """Longest present naked time."""
    naked_max_s: float
    """Longest since the start."""
    unknown: int
    """Orders whose fate is unknown."""
    unknown_oldest_s: float
    reconciled_ms: int
    differences: int
    """Differences between book and exchange found by reconciling since the start."""
    stream_alive: bool
    stream_heard_ms: int
    ledger: LedgerView | None
    reserved: tuple[tuple[str, float, float], ...] = ()
    """(limit, used, allowed)."""
    violations: tuple[str, ...] = ()
    """Invariants found violated, newest last."""


class VirtualRow(msgspec.Struct, frozen=True):
    """One open virtual position with its last life-cycle event."""

    position_id: str
    symbol: str
    decimals: int
    strategy: str
    direction: str
    entry: float
    stop: float
    target: float
    price: float
    pnl_percent: float
    """Percent of margin after costs."""
    pnl_r: float
    max_percent: float
    min_percent: float
    progress_tp: float
    progress_sl: float
    """Share of the way from entry to the level, clamped to [0, 1]."""
    eta_s: float
    """Seconds to the nearer level at the recent speed, NaN where unknown."""
    leverage: float
    opened_ms: int
    tier_s: float
    """Seconds between looks of the smart monitor."""
    last_event: str
    last_event_ms: int


class ClosedRow(msgspec.Struct, frozen=True):
    """A virtual position that ended."""

    position_id: str
    symbol: str
    strategy: str
    direction: str
    pnl_percent: float
    pnl_r: float
    cause: str
    """tp_triggered, sl_triggered, expired or manual_close."""
    reason: str
    closed_ms: int


class Standing(msgspec.Struct, frozen=True):
    """One strategy on the leaderboard of the virtual book."""

    strategy: str
    open: int
    closed: int
    wins: int
    losses: int
    mean_r: float
    total_r: float
    win_rate_shrunk: float
    equity: float


class LeverageRow(msgspec.Struct, frozen=True):
    """One leverage decision with every input, every cap and the binding one."""

    time: int
    symbol: str
    strategy: str
    direction: str
    base: float
    win_rate: float
    confidence: float
    wins: int
    trades: int
    raw: float
    caps: tuple[tuple[str, float], ...]
    """(name, value) of each cap."""
    binding: str
    """Name of the cap or bound that decided, `formula` when none did."""
    leverage: float
    exchange_leverage: int
    notional: float
    margin: float
    quantity: float
    risk_percent: float
    """Percent of equity lost at the stop, costs included."""
    outcome: str
    """`sized`, or the reason why no order could follow."""
    purpose: str = ""
    """`account` for what the account would trade, `virtual` for a position of the virtual book."""
    signal_id: str = ""
    entry: float = 0.0
    """0 where an older journal does not say."""
    stop: float = 0.0
    live_trades: int = 0
    """Closed live trades of the strategy; they set the cap for few trades."""
    intended: float = 0.0
    """Notional in USDT the bracket was picked by."""
    equity: float = 0.0
    margin_used: float = 0.0
    risk: float = 0.0
    """USDT lost at the stop, costs included."""
    limits: tuple[tuple[str, float], ...] = ()
    """(size limit, largest quantity it allows), before the protection's factor."""
    size_binding: str = ""
    """The size limit that decided."""
    factor: float = 1.0
    """Size factor of the account protection."""
    protection: str = ""
    """Level of the account protection, for the account's own decisions."""
    group: tuple[str, ...] = ()
    """Symbols on the same side that share this one's risk budget."""
    group_risk: float = 0.0
    """USDT of that budget the group takes already."""
    warning: str = ""


class BreakerView(msgspec.Struct, frozen=True):
    """The graded API breaker."""

    state: str
    failures: int
    next_probe_ms: int
    """0 when none is due."""
    bypass_until_ms: int
    last_cause: str
    counts: tuple[tuple[str, int], ...]
    """(cause, count) since start."""
    audit: tuple[tuple[int, str], ...]
    """(time, text), newest last, at most 100."""


class ProtectionView(msgspec.Struct, frozen=True):
    """Account protection by losses."""

    state: str
    day_loss_percent: float
    drawdown_percent: float
    losses_in_row: int
    size_factor: float
    confidence_floor: float
    until_ms: int
    """End of a timed halt, 0 where none."""
    reason: str
    equity: float
    day_start_equity: float
    peak_equity: float


class FlagRow(msgspec.Struct, frozen=True):
    """One feature flag."""

    name: str
    letter: str
    default: bool
    value: bool
    since_ms: int
    by: str
    effect: str
    """One sentence: what it switches."""
    takes: str
    """`now` or `after restart`."""
    rung: str = ""
    """The rung of its ladder in use and why."""
    calls: int = 0
    """How often its module was asked since the start."""
    time_ms: float = 0.0
    errors: int = 0


class DimensionRow(msgspec.Struct, frozen=True):
    """Kept and dropped candidates of one quality dimension in the last cycle."""

    name: str
    kept: int
    dropped: int


class CycleView(msgspec.Struct, frozen=True):
    """The last live cycle."""

    number: int
    time: int
    duration_ms: float
    overruns: int
    universe: int
    ready: int
    candidates: tuple[tuple[str, int], ...]
    """(strategy, count)."""
    accepted: int
    long_share: float
    """Share of longs among accepted signals, NaN where none."""
    dimensions: tuple[DimensionRow, ...]


class BadInputRow(msgspec.Struct, frozen=True):
    """What one endpoint or stream sent that could not be believed."""

    source: str
    count: int
    text: str
    """The last refusal in one line."""
    sample: str
    """The beginning of what was sent, printable and without keys."""
    time: int


class CapabilityView(msgspec.Struct, frozen=True):
    """Whether the venue still is what the desk was built for."""

    state: str
    """`as expected`, `CHANGED`, `unsure` or `not probed yet`."""
    checked_ms: int
    entries_off: str
    """Why live entries are off, empty where they are not."""
    findings: tuple[tuple[str, str], ...]
    """(`blocks`, `warns` or `unsure`; one line)."""


class FeedView(msgspec.Struct, frozen=True):
    """The connection to the exchange."""

    connected: bool
    sockets: int
    sockets_wanted: int
    messages_per_s: float
    last_message_ms: int
    malformed: int
    last_malformed: str
    reconnects: int
    weight_used: int
    weight_limit: int
    clock_offset_ms: float
    backfill_done: int
    backfill_total: int
    not_ready: tuple[tuple[str, str], ...]
    """(symbol, reason), at most 50."""
    last_error: str
    bad_input: tuple[BadInputRow, ...] = ()
    """Sources of refused input, the most frequent first, at most 8."""
    odd_bars: tuple[tuple[str, int], ...] = ()
    """Closed bars that came twice, corrected, after a gap or inconsistent, and late frames: (kind, count)."""
    silent: tuple[tuple[str, float], ...] = ()
    """(socket, desk seconds since it was last heard), NaN for one that is not open."""


class LearningView(msgspec.Struct, frozen=True):
    """What the self-learning side stands on."""

    rung: str
    """`statistical fallback` or the served model, with the reason."""
    samples: int
    samples_needed: int
    note: str


class EngineView(msgspec.Struct, frozen=True):
    """The process itself."""

    lag_p99_ms: float
    lag_max_ms: float
    memory_mb: float
    uptime_s: float
    journal_records: int
    journal_lag_ms: float
    snapshot_ms: float
    """Time the last snapshot took to build."""
    next_live_ms: int
    next_virtual_ms: int
    virtual_duration_ms: float
    virtual_overruns: int
    restarts: int = 0
    """Starts within the last ten minutes after an end nobody asked for."""


class AccountView(msgspec.Struct, frozen=True):
    """Money: the virtual book, and the exchange account where keys allow a read."""

    virtual_equity: float
    virtual_start: float
    wallet: float
    available: float
    unrealised: float
    """NaN while the account is unavailable."""
    updated_ms: int
    position_mode: str
    """`one-way`, `hedge` or `unknown`."""


class Snapshot(msgspec.Struct, frozen=True):
    """Everything a screen shows, at one instant."""

    seq: int
    time: int
    monotonic: float
    speed: float
    """Desk seconds per real second; 1 on a real venue."""
    environment: str
    """`simulator`, `demo`, `live`."""
    exchange: str
    """Host or name of the venue."""
    trading: str
    """`PAPER` or `LIVE`."""
    phase: str
    """`starting`, `back-filling`, `running`, `stopping`."""
    phase_text: str
    mode: str
    """Strategy mode."""
    entries: str
    """`open`, `halted by operator`, or the protection that closed them."""
    cycle: CycleView
    feed: FeedView
    engine: EngineView
    account: AccountView
    breaker: BreakerView
    protection: ProtectionView
    learning: LearningView
    flags: tuple[FlagRow, ...]
    signals: tuple[SignalRow, ...]
    positions: tuple[PositionRow, ...]
    virtual: tuple[VirtualRow, ...]
    """Open virtual positions, most urgent (highest progress) first."""
    closed: tuple[ClosedRow, ...]
    """Newest first, at most 200."""
    standings: tuple[Standing, ...]
    leverage: tuple[LeverageRow, ...]
    """Newest first, at most 50."""
    event_counts: tuple[tuple[str, int], ...]
    """Life-cycle events since start: (wire name, count)."""
    capability: CapabilityView | None = None
    hand: HandView | None = None
    """None on paper."""


class ChartZone(msgspec.Struct, frozen=True):
    """A price band on a chart: an order block or a fair value gap."""

    kind: str
    """`block` or `gap`."""
    direction: int
    """+1 bullish, -1 bearish."""
    state: str
    low: float
    high: float
    at: int
    """Open time of its bar."""
    quality: float = 0.0


class ChartLevel(msgspec.Struct, frozen=True):
    """A horizontal price on a chart: a pool, or entry, stop and target of a signal or position."""

    kind: str
    """`pool`, `entry`, `stop`, `target`, `liquidation`."""
    price: float
    text: str
    direction: int = 0


class ChartMark(msgspec.Struct, frozen=True):
    """A point event on a chart: a swing, a break of structure, a sweep."""

    kind: str
    """`HH`, `HL`, `LH`, `LL`, `BOS`, `CHoCH`, `MSS`, `sweep`."""
    direction: int
    at: int
    price: float


class Chart(msgspec.Struct, frozen=True):
    """Answer to AskChart: closed candles in time order, the forming one last when `forming`."""

    symbol: str
    frame: str
    decimals: int
    time: tuple[int, ...]
    open: tuple[float, ...]
    high: tuple[float, ...]
    low: tuple[float, ...]
    close: tuple[float, ...]
    volume: tuple[float, ...]
    ema20: tuple[float, ...]
    ema50: tuple[float, ...]
    forming: bool
    zones: tuple[ChartZone, ...]
    levels: tuple[ChartLevel, ...]
    marks: tuple[ChartMark, ...]
    as_of_ms: int


class StepRow(msgspec.Struct, frozen=True):
    """One line of provenance."""

    step: str
    text: str
    frame: str
    at: int
    known: int
    level: float


class StrategyCard(msgspec.Struct, frozen=True):
    """One strategy's view on a symbol: its candidate with all scores, or the gate that stopped it."""

    strategy: str
    direction: str
    pattern: str
    state: str
    """`accepted`, `candidate` or `none`."""
    reason: str
    entry: float
    stop: float
    targets: tuple[float, ...]
    reward_risk: float
    confidence: float
    expected_r: float
    sub_scores: tuple[tuple[str, float], ...]
    quality: tuple[tuple[str, float, bool], ...]
    """(dimension, value in [0, 1], passed)."""
    provenance: tuple[StepRow, ...]
    gate: str = ""
    """What stopped it (`engine.signals.gates`), empty for an accepted signal."""
    distance: float = 0.0
    """By how much, in the gate's unit."""
    asked: str = ""
    """What the gate asks for, with the distance and its unit, as one line."""
    expires: int = 0
    """UTC ms at which the set-up ends, 0 where nothing ends it."""


class SignalDetail(msgspec.Struct, frozen=True):
    """Answer to AskSignal."""

    symbol: str
    decimals: int
    time: int
    signal_id: str
    cards: tuple[StrategyCard, ...]
    indicators: tuple[tuple[str, str, float], ...]
    """(frame, name, value)."""
    leverage: LeverageRow | None


class LifeEvent(msgspec.Struct, frozen=True):
    """One life-cycle event of a position."""

    event: str
    time: int
    price: float
    pnl_percent: float
    pnl_r: float
    max_percent: float
    min_percent: float
    eta_s: float
    reason: str


class PositionDetail(msgspec.Struct, frozen=True):
    """Answer to AskPosition."""

    position_id: str
    symbol: str
    strategy: str
    direction: str
    decimals: int
    entry: float
    stop: float
    target: float
    life: tuple[LifeEvent, ...]
    """Oldest first; looks without news are counted, not listed."""
    looks: int


class WhatIf(msgspec.Struct, frozen=True):
    """Answer to AskWhatIf: what would be sent and what it costs. Amounts are USDT, NaN where unknown."""

    symbol: str
    side: str
    decimals: int
    order: str
    """The order in words: side, quantity, kind."""
    mark: float
    notional: float
    fee: float
    realised: float
    """Profit or loss it would realise at the mark, before the fee."""
    margin_freed: float
    liquidation: float
    """Liquidation price as it stands."""
    loss_at_stop: float
    """From entry to the (new) stop with fees."""
    warning: str
    """What stands against it, empty for nothing."""


class NoAnswer(msgspec.Struct, frozen=True):
    """A question that cannot be answered now, and why."""

    text: str


Answer = Chart | SignalDetail | PositionDetail | WhatIf | NoAnswer
