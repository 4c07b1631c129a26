"""A port with a canned, rich picture: every panel has something to show, numbers move only when told to."""

from __future__ import annotations

import math
import random

import msgspec

from engine.commands import Ack, AckState, AskChart, AskPosition, AskSignal, Command, Question
from engine.events import Event, EventKind, Severity
from engine.port import EventSlice
from engine.snapshot import (
    AccountView,
    Answer,
    BreakerView,
    Chart,
    ChartLevel,
    ChartMark,
    ChartZone,
    ClosedRow,
    CycleView,
    DimensionRow,
    EngineView,
    FeedView,
    FlagRow,
    LearningView,
    LeverageRow,
    LifeEvent,
    PositionDetail,
    PositionRow,
    ProtectionView,
    SignalDetail,
    SignalRow,
    Snapshot,
    Standing,
    StepRow,
    StrategyCard,
    VirtualRow,
)

START_MS = 1_700_000_645_000
_NAME_LIST = """
BTC ETH SOL XRP DOGE BNB ADA AVAX LINK 1000PEPE SUI LTC TRX DOT WIF NEAR APT ARB OP INJ FIL ATOM TIA SEI 1000SHIB ETC
UNI AAVE BCH ICP HBAR STX IMX RNDR FTM GALA SAND MANA AXS CHZ LDO CRV MKR SNX COMP GRT ALGO EOS
"""
NAMES = tuple(_NAME_LIST.split())
PRICES = (64_980.1, 3_105.2, 181.44, 0.6122, 0.15731, 588.3, 0.4521, 38.22, 17.95, 0.01204)


class FakePort:
    """Answers like the desk does; commands are recorded and settled at once unless `hold` is set."""

    def __init__(self, snapshot: Snapshot | None) -> None:
        self.latest = snapshot
        self.log: list[Event] = []
        self.missed = 0
        self.sent: list[Command] = []
        self.asked: list[Question] = []
        self.hold = False
        self.refuse = ""
        self._acks: dict[int, Ack] = {}
        self._answers: dict[int, Answer] = {}
        self._ticket = 0
        self.speechless = False
        self.writes = True

    def snapshot(self) -> Snapshot | None:
        return self.latest

    def events(self, after: int) -> EventSlice:
        missed, self.missed = self.missed, 0
        return EventSlice(tuple(event for event in self.log if event.seq > after), missed)

    def emit(self, kind: EventKind, severity: Severity, text: str, symbol: str = "", time: int = START_MS) -> None:
        seq = self.log[-1].seq + 1 if self.log else 1
        self.log.append(Event(seq, time, kind, severity, text, symbol))

    def send(self, command: Command, by: str) -> int:
        self._ticket += 1
        self.sent.append(command)
        if not self.hold:
            state = AckState.REFUSED if self.refuse else AckState.DONE
            self._acks[self._ticket] = Ack(self._ticket, state, self.refuse or "taken")
        return self._ticket

    def ack(self, ticket: int) -> Ack:
        return self._acks.get(ticket, Ack(ticket, AckState.PENDING))

    def ask(self, question: Question) -> int:
        self._ticket += 1
        self.asked.append(question)
        if not self.speechless and self.latest is not None:
            self._answers[self._ticket] = self.reply(question)
        return self._ticket

    def answer(self, ticket: int) -> Answer | None:
        return self._answers.get(ticket)

    def reply(self, question: Question) -> Answer:
        assert self.latest is not None
        if isinstance(question, AskChart):
            row = next(row for row in self.latest.signals if row.symbol == question.symbol)
            return chart(row, question.frame)
        if isinstance(question, AskSignal):
            row = next(row for row in self.latest.signals if row.symbol == question.symbol)
            return signal_detail(row, self.latest)
        assert isinstance(question, AskPosition)
        virtual = next(row for row in self.latest.virtual if row.position_id == question.position_id)
        return position_detail(virtual)


def rich_port() -> FakePort:
    port = FakePort(snapshot())
    stories = (
        (EventKind.SYSTEM, Severity.INFO, "desk started in paper mode on its own simulator", ""),
        (EventKind.FEED, Severity.NOTICE, "back-fill done: 600 of 600 series", ""),
        (
            EventKind.SIGNAL,
            Severity.INFO,
            "hybrid SHORT ETHUSDT accepted at rank 1, confidence .77, E[R] +0.42",
            "ETHUSDT",
        ),
        (
            EventKind.POSITION,
            Severity.INFO,
            "V0148 SOLUSDT LONG created at 181.44, stop 179.90, target 185.20",
            "SOLUSDT",
        ),
        (
            EventKind.RISK,
            Severity.WARNING,
            "leverage of WIFUSDT refused by the exchange: uses 5x as read back",
            "WIFUSDT",
        ),
        (EventKind.POSITION, Severity.NOTICE, "V0131 SOLUSDT tp_approaching 81% of the way", "SOLUSDT"),
        (EventKind.FEED, Severity.WARNING, "market socket 2 closed by the venue, connected again after 0.8 s", ""),
        (EventKind.COMMAND, Severity.INFO, "flag ENABLE_DYNAMIC_FEATURES on by screen", ""),
    )
    for at, (kind, severity, text, symbol) in enumerate(stories):
        port.emit(kind, severity, text, symbol, START_MS - (len(stories) - at) * 7000)
    return port


def snapshot(**changes: object) -> Snapshot:
    signals = tuple(signal_row(rank) for rank in range(1, 201))
    made = Snapshot(
        seq=1,
        time=START_MS,
        monotonic=1000.0,
        speed=1.0,
        environment="simulator",
        exchange="127.0.0.1:8790",
        trading="PAPER",
        phase="running",
        phase_text="",
        mode="hybrid",
        entries="open",
        cycle=CycleView(
            42, START_MS - 19_000, 48.2, 0, 200, 197, (("ict", 31), ("self_learning", 44), ("hybrid", 22)), 8, 0.625,
            (DimensionRow("confidence", 41, 12), DimensionRow("reward_risk", 38, 3), DimensionRow("regime", 35, 3),
             DimensionRow("atr", 33, 2), DimensionRow("spread", 30, 3), DimensionRow("funding", 29, 1)),
        ),
        feed=FeedView(
            True, 4, 4, 2_043.0, START_MS - 41, 2, "not JSON at byte 17", 1, 812, 2400, 3.0, 600, 600,
            (("BONKUSDT", "hole in 15m at 11:45"), ("ORDIUSDT", "no price for 14 s")), "",
        ),
        engine=EngineView(1.6, 5.2, 186.0, 4210.0, 18_422, 2.1, 1.3, START_MS + 41_000, START_MS + 6_000, 0.7, 0),
        account=AccountView(10_012.50, 10_000.0, math.nan, math.nan, math.nan, START_MS, "unknown"),
        breaker=BreakerView(
            "NORMAL", 0, 0, 0, "timeout", (("timeout", 2), ("-1003", 1)),
            ((START_MS - 3_000_000, "NORMAL to WARNING: timeout GET /fapi/v1/klines"),
             (START_MS - 2_940_000, "WARNING to NORMAL: success")),
        ),
        protection=ProtectionView("NORMAL", 0.42, 1.1, 1, 1.0, 0.35, 0, "", 10_012.5, 10_000.0, 10_120.0),
        learning=LearningView("statistical fallback: 63 of 100 samples collected", 63, 100, "no head may vote yet"),
        flags=flags(),
        signals=signals,
        positions=positions(),
        virtual=virtuals(signals),
        closed=closed(),
        standings=(
            Standing("ict", 34, 31, 17, 14, 0.18, 5.6, 0.552, 10_061.0),
            Standing("self_learning", 41, 40, 21, 19, -0.05, -2.1, 0.531, 9_978.0),
            Standing("hybrid", 12, 22, 13, 9, 0.31, 6.8, 0.571, 10_074.0),
        ),
        leverage=leverages(),
        event_counts=(("created", 180), ("tp_approaching", 41), ("tp_triggered", 33), ("sl_approaching", 39),
                      ("sl_triggered", 42), ("expired", 4), ("manual_close", 14), ("closed", 93)),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def signal_row(rank: int) -> SignalRow:
    dice = random.Random(rank)
    name = NAMES[rank - 1] if rank <= len(NAMES) else f"T{rank}"
    last = PRICES[rank - 1] if rank <= len(PRICES) else round(10 ** dice.uniform(-3, 2.5), 5)
    decimals = 2 if last > 20 else 4 if last > 0.2 else 5
    has = dice.random() < 0.55 or rank <= 3
    state = "none"
    if has:
        state = "accepted" if rank in {2, 1, 9, 14, 17, 20, 23, 30} else "candidate"
    if rank in {40, 41, 42}:
        has, state = False, "not ready"
    long = dice.random() < 0.5
    confidence = dice.uniform(0.4, 0.85)
    order = {2: 1, 1: 2, 9: 3, 14: 4, 17: 5, 20: 6, 23: 7, 30: 8}
    return SignalRow(
        rank=rank,
        symbol=f"{name}USDT",
        decimals=decimals,
        last=last,
        change_24h=dice.gauss(0, 3),
        change_1m=dice.gauss(0, 0.1),
        quote_volume=9.1e9 / rank**1.2,
        bias_1h=dice.choice((-1, 0, 1)),
        bias_15m=dice.choice((-1, 0, 1)),
        bias_5m=dice.choice((-1, 1)),
        direction=("LONG" if long else "SHORT") if has else "",
        strategy="hybrid" if has else "",
        state=state,
        reason={"candidate": "rank: below the ten accepted", "none": "ict: no sweep of a sell-side pool",
                "not ready": "hole in 15m at 11:45", "accepted": ""}[state],
        signal_rank=order.get(rank, 0) if state == "accepted" else 0,
        confidence=confidence if has else math.nan,
        quality=confidence - 0.06 if has else math.nan,
        win_probability=0.5 + dice.uniform(0, 0.12) if has else math.nan,
        expected_r=dice.uniform(-0.1, 0.5) if has else math.nan,
        leverage=dice.uniform(0.5, 9) if has else math.nan,
        reward_risk=dice.uniform(1.5, 2.8) if has else math.nan,
        funding_rate=dice.gauss(0.0001, 0.00008),
        spread_bps=dice.uniform(0.1, 3),
        updated_ms=START_MS - dice.choice((200, 700, 1500, 3000)),
        regime=dice.choice(("trending", "ranging", "volatile")),
        votes="".join(dice.choice("^v..") for _ in range(3)),
    )  # fmt: skip


def positions() -> tuple[PositionRow, ...]:
    return (
        PositionRow("BTCUSDT", 2, "LONG", 0.1, 64_855.0, 64_980.1, 12.50, 0.19, 5.2, 64_200.0, 66_100.0, 54_010.0,
                    START_MS, "max_pnl_updated"),
        PositionRow("ETHUSDT", 2, "SHORT", 0.5, 3_099.0, 3_105.2, -3.10, -0.20, 3.8, 3_150.0, 3_020.0, 3_880.0,
                    START_MS, "created"),
    )  # fmt: skip


def virtuals(signals: tuple[SignalRow, ...]) -> tuple[VirtualRow, ...]:
    rows = []
    for at in range(87):
        dice = random.Random(1000 + at)
        signal = signals[at % 60]
        long = dice.random() < 0.5
        sign = 1 if long else -1
        target_way = dice.random() < 0.5
        progress = max(0.02, 0.93 - at * 0.011)
        r = progress * (2.0 if target_way else -1.0)
        risk = signal.last * 0.01
        event = "created" if progress < 0.1 else dice.choice(("max_pnl_updated", "min_pnl_updated", "price_updated"))
        if progress > 0.8:
            event = "tp_approaching" if target_way else "sl_approaching"
        rows.append(
            VirtualRow(
                position_id=f"V{148 - at:04d}",
                symbol=signal.symbol,
                decimals=signal.decimals,
                strategy=("hybrid", "ict", "self_learning")[at % 3],
                direction="LONG" if long else "SHORT",
                entry=signal.last - sign * risk * r,
                stop=signal.last - sign * risk * (1 + r),
                target=signal.last + sign * risk * (2 - r),
                price=signal.last,
                pnl_percent=r * 1.7,
                pnl_r=r,
                max_percent=max(0.0, r * 1.7 + 0.3),
                min_percent=min(0.0, r * 1.7 - 0.2),
                progress_tp=progress if target_way else 0.0,
                progress_sl=0.0 if target_way else progress,
                eta_s=dice.uniform(40, 4000) if at % 5 else math.nan,
                leverage=dice.uniform(0.5, 9),
                opened_ms=START_MS - dice.randrange(30_000, 9_000_000),
                tier_s=0.1 if progress > 0.8 else 0.5 if progress > 0.5 else 2.0,
                last_event=event,
                last_event_ms=START_MS - dice.randrange(1_000, 90_000),
            )
        )
    return tuple(rows)


def closed() -> tuple[ClosedRow, ...]:
    rows = []
    for at in range(20):
        dice = random.Random(5000 + at)
        won = dice.random() < 0.5
        rows.append(
            ClosedRow(f"V{61 - at:04d}", f"{NAMES[at]}USDT", ("hybrid", "ict", "self_learning")[at % 3],
                      dice.choice(("LONG", "SHORT")), 3.1 if won else -1.8, 1.9 if won else -1.05,
                      "tp_triggered" if won else "sl_triggered", "", START_MS - at * 95_000)
        )  # fmt: skip
    return tuple(rows)


def leverages() -> tuple[LeverageRow, ...]:
    names = ("ETHUSDT", "BTCUSDT", "LINKUSDT", "WIFUSDT", "OPUSDT", "INJUSDT")
    outcomes = ("sized", "sized", "sized", "skipped: quantity below the minimum of 10", "sized", "sized")
    caps = (("absolute", 125.0), ("bracket", 75.0), ("few trades", 4.0), ("liquidation", 28.4))
    bindings = ("formula", "few trades", "formula", "few trades", "formula", "liquidation")
    rows = []
    for at, name in enumerate(names):
        rows.append(
            LeverageRow(START_MS - at * 61_000, name, "hybrid", "SHORT" if at % 2 == 0 else "LONG", 1.0, 0.571, 0.77,
                        13, 22, 3.8 - at * 0.3, caps, bindings[at], 3.8 - at * 0.3, 3, 118.6, 31.2, 0.038, 0.8,
                        outcomes[at], purpose="account", signal_id=f"S-{917 - at:06d}", entry=3120.5, stop=3151.7,
                        live_trades=22, intended=3205.1, equity=10_000.0, margin_used=412.5, risk=80.0,
                        limits=(("risk", 0.0391), ("margin", 8.27), ("notional", 0.0382), ("bracket", 16.0)),
                        size_binding="notional", protection="NORMAL", group=("BTCUSDT",) * (at % 2), group_risk=31.0)
        )  # fmt: skip
    return tuple(rows)


def flags() -> tuple[FlagRow, ...]:
    rows = (
        ("ENABLE_QUANTIZATION", "Q", True, True, "serve the quantised file where it is faster", "float: no model yet"),
        ("ENABLE_INCREMENTAL_CACHE", "C", True, True, "update indicators by the newest bar only", "incremental"),
        ("ENABLE_BATCH_PREDICTION", "B", True, True, "predict 32 symbols at once", "batched"),
        ("ENABLE_MEMORY_MAPPED_STORAGE", "M", True, True, "keep the virtual book in a mapped file", "mapped"),
        ("ENABLE_SMART_MONITORING", "S", True, True, "look more often at positions near a level", "four tiers"),
        ("ENABLE_MARKET_REGIME_PREDICTION", "R", False, False, "weigh signals by the regime", "off: thresholds"),
        ("ENABLE_DYNAMIC_FEATURES", "D", False, True, "choose features by regime", "fallback: fixed list"),
        ("ENABLE_LIQUIDITY_HUNTING", "H", False, False, "enter at pools with limit orders", "off: price levels"),
    )
    return tuple(
        FlagRow(name, letter, default, value, START_MS - 4_000_000, "default" if default == value else "screen",
                effect[0].upper() + effect[1:] + ".", "now" if letter != "M" else "after restart", rung)
        for name, letter, default, value, effect, rung in rows
    )  # fmt: skip


def chart(row: SignalRow, frame: str) -> Chart:
    step = {"5m": 300_000, "15m": 900_000, "1h": 3_600_000}[frame]
    dice = random.Random(f"{row.symbol} {frame}")
    bars = 240
    closes = [row.last]
    for _ in range(bars - 1):
        closes.append(closes[-1] * (1 + dice.gauss(0, 0.002)))
    closes.reverse()
    opens = [closes[0], *closes[:-1]]
    highs = [max(a, b) * (1 + abs(dice.gauss(0, 0.0009))) for a, b in zip(opens, closes, strict=True)]
    lows = [min(a, b) * (1 - abs(dice.gauss(0, 0.0009))) for a, b in zip(opens, closes, strict=True)]
    times = [START_MS - START_MS % step - (bars - 1 - at) * step for at in range(bars)]
    averages = []
    for length in (20, 50):
        value, out = closes[0], []
        for close in closes:
            value += (close - value) * 2 / (length + 1)
            out.append(value)
        averages.append(tuple(out))
    risk = row.last * 0.008
    sign = -1 if row.direction == "SHORT" else 1
    levels = [
        ChartLevel("pool", max(highs[-60:]), "equal highs"),
        ChartLevel("pool", min(lows[-60:]), "swing low"),
    ]
    if row.direction:
        levels += [
            ChartLevel("entry", row.last * 0.999, "entry", sign),
            ChartLevel("stop", row.last - sign * risk, "stop", sign),
            ChartLevel("target", row.last + sign * risk * 1.8, "target", sign),
        ]
    return Chart(
        row.symbol, frame, row.decimals, tuple(times), tuple(opens), tuple(highs), tuple(lows), tuple(closes),
        tuple(dice.uniform(100, 1000) for _ in range(bars)), averages[0], averages[1], forming=True,
        zones=(
            ChartZone("block", 1, "fresh", lows[-40] * 0.999, lows[-40] * 1.002, times[-40], 0.72),
            ChartZone("block", -1, "tested 1", highs[-70] * 0.999, highs[-70] * 1.001, times[-70], 0.55),
            ChartZone("gap", 1, "open", closes[-25] * 0.9985, closes[-25] * 1.0005, times[-25]),
        ),
        levels=tuple(levels),
        marks=(
            ChartMark("HH", 1, times[-18], highs[-18]),
            ChartMark("HL", -1, times[-30], lows[-30]),
            ChartMark("BOS", 1, times[-12], highs[-12]),
            ChartMark("CHoCH", -1, times[-52], lows[-52]),
        ),
        as_of_ms=START_MS,
    )  # fmt: skip


def signal_detail(row: SignalRow, now: Snapshot) -> SignalDetail:
    steps = (
        StepRow("bias", "1h bias is bearish after a BOS below the swing low at 3 118.40.", "1h", START_MS - 7_200_000,
                START_MS - 3_600_000, 3_118.4),
        StepRow("premium", "Price stands at 71 % of the dealing range 3 061.00 to 3 123.50: premium, good for shorts.",
                "15m", 0, 0, 0.0),
        StepRow("sweep", "Buy-side pool (equal highs, 2 touches) at 3 121.80 was swept by 0.31 ATR and reclaimed.",
                "5m", START_MS - 2_400_000, START_MS - 2_100_000, 3_121.8),
        StepRow("MSS", "Displacement down of 2.1 ATR broke the internal low: market structure shift.", "5m",
                START_MS - 2_100_000, START_MS - 1_800_000, 3_108.2),
        StepRow("entry", "Limit at the middle of the bearish gap 3 106.10 to 3 110.30.", "5m", START_MS - 1_800_000,
                START_MS - 1_500_000, 3_108.2),
    )  # fmt: skip
    scores = (("trend", 0.9), ("structure", 0.8), ("price position", 0.71), ("momentum", 0.55), ("volatility", 1.0))
    quality = (("confidence", 0.77, True), ("reward_risk", 0.6, True), ("regime", 0.5, True), ("atr", 0.9, True),
               ("spread", 0.95, True), ("funding", 0.2, False))  # fmt: skip
    cards = (
        StrategyCard("ict", "SHORT", "sweep and shift", "accepted", "", 3_108.2, 3_123.1, (3_081.0, 3_061.0),
                     1.83, 0.79, 0.44, scores, quality, steps),
        StrategyCard("self_learning", "", "", "none", "P(win) .512 is below the break-even .541 plus the margin .02",
                     math.nan, math.nan, (), math.nan, math.nan, math.nan,
                     (("P long", 0.41), ("P short", 0.512)), (), ()),
        StrategyCard("hybrid", "SHORT", "sweep and shift", "accepted", "", 3_108.2, 3_123.1, (3_081.0,), 1.83, 0.77,
                     0.42,
                     (("ict", 0.79), ("learning", 0.5)), quality[:3],
                     (StepRow("predictor", "The predictor has no vote yet (63 of 100 samples): ICT unchanged.", "",
                              0, 0, 0.0),)),
    )  # fmt: skip
    indicators = tuple(
        (frame, name, value * factor)
        for frame, factor in (("1h", 1.0), ("15m", 0.99), ("5m", 1.01))
        for name, value in (("ema20", 3_104.2), ("ema50", 3_099.1), ("ema200", 3_050.0), ("rsi14", 44.2),
                            ("atr14", 14.7), ("adx14", 27.9), ("macd", -1.2), ("bb width %", 41.0))
    )  # fmt: skip
    return SignalDetail(row.symbol, row.decimals, START_MS - 19_000, "S-000917", cards, indicators, now.leverage[0])


def position_detail(row: VirtualRow) -> PositionDetail:
    steps = ("created", "price_updated", "max_pnl_updated", "min_pnl_updated", "max_pnl_updated", row.last_event)
    life = tuple(
        LifeEvent(name, row.opened_ms + at * 17_000, row.entry * (1 + at * 0.0004), at * 0.21, at * 0.12, at * 0.22,
                  -0.1, 400.0 - at * 30 if at else math.nan, "")
        for at, name in enumerate(steps)
    )  # fmt: skip
    return PositionDetail(row.position_id, row.symbol, row.strategy, row.direction, row.decimals, row.entry, row.stop,
                          row.target, life, 1_204)  # fmt: skip
