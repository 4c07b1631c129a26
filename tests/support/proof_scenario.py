"""One seed: an account, a market that moves, an operator who acts, faults that strike, and judges that watch.

A run has two halves. Until `HEAL_S` faults strike and things happen; then everything is healed, and the hand must be
ready within a minute, equal to the exchange, and able to carry out one complete trade. The whole run is a function of
its seed (and of the mutation a planted bug makes).
"""

import asyncio
import contextlib
import hashlib
import random
from collections import Counter
from decimal import Decimal
from types import SimpleNamespace
from urllib.parse import parse_qs

from hand_trading import HandMarket
from hand_world import HandWorld, kill, wanted
from proof_faults import draw
from proof_oracles import NAKED_BOUND_S, Oracles
from virtual_loop import run_virtual

from engine.execution.entering import Refused
from engine.execution.intents import PositionKey
from engine.execution.levels import StopLevel
from engine.execution.state import HandLimits
from engine.journal.log import replay
from exchange.ports import LostError, NotSentError
from exchange.simulator.answers import RefusalError
from exchange.simulator.faults.actions import ActionError
from exchange.simulator.questions import OpenQuestions
from exchange.simulator.venue import ExchangeOptions

HEAL_S = 75.0
READY_S = 60.0
LOOK_S = 0.1
SYMBOLS = ("BTCUSDT", "ETHUSDT")
PRICES = {"BTCUSDT": 80_000.0, "ETHUSDT": 3_000.0}
TICKS = {"BTCUSDT": 0.1, "ETHUSDT": 0.01}
SIZES = {"BTCUSDT": "0.010", "ETHUSDT": "0.2"}


FOREIGN = "pd-other-e1"
EARLY_S = 35.0
"""A stop that is stuck must have the time to be missed before everything is healed."""
ALONE_S = 12.0
"""A desk that runs this long takes no order of another session for a leftover."""
NEEDS_POSITION = frozenset({"F19", "F22", "F23", "F24", "F25", "F38"})


class Crash(BaseException):
    """The process is gone at an effect boundary."""


class Wire:
    """The Rest port with a count of effect boundaries, faults of the wire, and the judges' ear."""

    def __init__(self, inner, run):
        self.inner, self.run = inner, run
        self.half = 0.0

    async def send(self, method, path, query, headers, deadline):
        run = self.run
        if run.dead:
            raise Crash
        if method == "POST" and path in ("/fapi/v1/order", "/fapi/v1/algoOrder"):
            fields = parse_qs(query.decode())
            name = (fields.get("newClientOrderId") or fields.get("clientAlgoId") or [""])[0]
            run.boundary(f"before {path} {name}")
            run.oracles.posted(name, run.durable())
            if run.random.random() < self.half:
                run.hits["F02"] += 1
                if run.random.random() < 0.5:
                    raise NotSentError("connection refused")
                raise LostError("reset in the middle of the request")
            try:
                return await self._carry(method, path, query, headers, deadline)
            finally:
                run.boundary(f"after {path} {name}")
        if (method, path) == ("DELETE", "/fapi/v1/algoOrder"):
            covered = run.oracles.covered()
            answer = await self._carry(method, path, query, headers, deadline)
            run.oracles.still_covered(covered)
            return answer
        return await self._carry(method, path, query, headers, deadline)

    async def _carry(self, method, path, query, headers, deadline):
        self.run.oracles.asked(f"{method} {path}")
        answer = await self.inner.send(method, path, query, headers, deadline)
        self.run.oracles.answered(answer.status)
        return answer


class Run:
    """One seed under way."""

    def __init__(self, seed, *, rate=0.12, crashes=(), power_cut=False, script=None, faults=True):
        self.seed = seed
        self.random = random.Random(seed)
        self.crashes, self.power_cut = list(crashes), power_cut
        self.crash_at = self.crashes.pop(0) if self.crashes else None
        self.begun = None
        self.boundaries = self.total = self.points = 0
        self.foreign = None
        """(Restarts so far, desk second) of another desk's order; None while there is none."""
        self.dead = False
        self.hits = Counter()
        self.entries = []
        self.killed = 0
        self.script = script
        questions = {
            name: True
            for name in (
                "taking_outranks_resting", "algo_child_bears_algo_id", "overload_spares_conditional",
                "algo_trigger_reject_event", "reduce_only_algo_needs_position", "hedge_updates_tell_both_sides",
                "reduce_only_capped", "reduce_only_stacks", "bracket_object_for_symbol",
            )
            if self.random.random() < 0.3
        }  # fmt: skip
        self.questions = OpenQuestions(
            **{**questions, "taking_outranks_resting": self.random.random() < 0.7},
            immediate_trigger_code=self.random.choice([-2021, -4142]),
            algo_cancel_race_code=self.random.choice([-4117, -2011]),
            algo_read_lag_ms=self.random.choice([0, 0, 0, 2000]),
        )
        self.hedge = self.random.random() < 0.35
        rows, tables, deaf, happenings = draw(self.random, rate) if faults else ([], [], [], [])
        self.rows, self.tables, self.deaf, self.happenings = rows, tables, deaf, happenings

    # The world.

    def open(self):
        world = HandWorld(
            HandMarket(), wrap_rest=lambda rest: Wire(rest, self), options=ExchangeOptions(questions=self.questions)
        )
        self.world = world
        self.oracles = Oracles(world)
        self.oracles.allowed = self._may_enter
        append, sync = world.disk.append, world.disk.sync

        def counted_append(name, data):
            if self.dead:
                raise Crash
            self.boundary(f"before append {name}")
            append(name, data)
            self.boundary(f"after append {name}")

        def counted_sync(name):
            sync(name)
            self.boundary(f"after sync {name}")

        world.disk.append, world.disk.sync = counted_append, counted_sync
        if self.hedge:
            world.exchange.venue.house.account.set_dual_side(True, world.clock.now_ms())
        return world

    def boundary(self, _name):
        """An effect begins or has ended: here a process may end, too."""
        self.boundaries += 1
        self.total += 1
        if self.crash_at == self.boundaries:
            self.dead = True
            raise Crash

    def durable(self):
        return b"".join(
            bytes(data[: self.world.disk.synced(name)])
            for name, data in self.world.disk.files.items()
            if name.startswith("journal/")
        )

    def _may_enter(self):
        return self.hand.is_ready and self.hand.level is StopLevel.RUN

    # The hand.

    def begin(self):
        self.boundaries = 0
        self.began_at = self.world.clock.monotonic()
        self.oracles.knows_of_ban = False
        self.hand = self.world.hand(limits=HandLimits(keeps_books=False))
        set_plan = self.hand.state.set_plan

        def watched(plan, event, by="", text=""):
            if event == "adopted":
                self.oracles.adopted(plan.key)
            set_plan(plan, event, by, text)

        self.hand.state.set_plan = watched
        self.running = asyncio.create_task(self.hand.run())

    async def restart(self, *, power_cut=False):
        """kill -9, or a power cut, and a new process on what the disk holds."""
        self.killed += 1
        for task in self.entries:
            task.cancel()
        self.entries.clear()
        await kill(self.world, self.running)
        if power_cut:
            self.world.disk.crash(self.random.choice([0, 0, 7, 40]))
        self.dead = False
        self.crash_at = self.crashes.pop(0) if self.crashes else None
        self.begin()
        self.begun = self.world.clock.monotonic()

    # What happens.

    async def happen(self, what):
        """Let a row of the catalogue happen once."""
        world, rng = self.world, self.random
        for look in range(20 if what in NEEDS_POSITION else 0):
            held = world.witness.positions()
            if held and (what != "F19" or all(world.witness.is_protected(*one) for one in held.items())):
                break
            if what == "F19" and not held and look % 5 == 0:  # it strikes a stop that triggers, or nothing
                self.decide(rng.choice(SYMBOLS), resting=False)
            await world.clock.sleep(0.5)
        held = list(world.witness.positions())
        symbol = rng.choice(SYMBOLS)
        key = rng.choice(held) if held else None
        self.hits[what] += 1
        if what in {"F22", "F26"}:
            self.oracles.meddled = world.clock.monotonic()
        try:
            await self._happen(what, symbol, key)
        except (ActionError, RefusalError):
            self.hits[what] -= 1  # nothing was there for it to happen to
        world.front.wake()

    async def _happen(self, what, symbol, key):  # noqa: C901, PLR0912, PLR0915 - one arm per row
        world, rng = self.world, self.random
        match what:
            case "F08":
                await self.enter(symbol, resting=True)
                await world.clock.sleep(1)
                if symbol == "BTCUSDT":
                    price = self.price[symbol] * 0.999
                    world.market.trade(round(price - 50, 1), 0.004, buyer_is_maker=True)
            case "F14":
                world.act("symbol_rules", symbol=symbol, rules={"tick": rng.choice(["0.1", "0.2", "0.5"])})
            case "F19":
                if rng.random() < 0.5:
                    world.act("algo_service", stuck=True)
                else:
                    world.act("algo_service", reject="ReduceOnly Order is rejected.")
                against = -1 if key and world.witness.positions()[key].quantity > 0 else 1
                await self.move(key[0] if key else symbol, against * 0.03)
                lasts = rng.choice([4.0, 12.0, 45.0])
                self.later(lasts, lambda: world.act("algo_service"))
                if key and lasts > NAKED_BOUND_S:  # nobody else rescues the position meanwhile
                    await world.clock.sleep(NAKED_BOUND_S + 2)
            case "F22":
                stops = [one for one in world.witness.stops(key) if one.terms.kind == "STOP_MARKET"] if key else []
                if not stops:
                    self.hits[what] -= 1
                for one in stops:
                    world.elsewhere("DELETE", "/fapi/v1/algoOrder", algoId=str(one.algo_id))
                if stops and not self.hedge:
                    self.entry_stop_by_hand(key)
            case "F23":
                self.by_hand(key, close=True)
            case "F24":
                world.act("liquidate", symbol=(key or (symbol,))[0], side=(key or ("", "BOTH"))[1])
            case "F25":
                at, side = key or (symbol, "BOTH")
                if rng.random() < 0.7:
                    world.act("deleverage", symbol=at, side=side, quantity=rng.choice(["0.004", "5"]))
                else:
                    world.act("symbol", symbol="TSLAUSDT", state="settle")
            case "F26":
                for name in {one[0] for one in world.witness.positions()} or {symbol}:
                    world.elsewhere("DELETE", "/fapi/v1/algoOpenOrders", symbol=name)
                    world.elsewhere("DELETE", "/fapi/v1/allOpenOrders", symbol=name)
            case "F38":
                if rng.random() < 0.5:
                    world.act("transfer", amount=rng.choice(["500", "-100"]))
                held = self.hand.state.book.positions.get(PositionKey(*key)) if key else None
                if held is not None:  # a stop with a quantity does not follow the size
                    price = self.price[key[0]] * (1 - held.sign * 0.003)
                    self.hand.move_stop(PositionKey(*key), Decimal(f"{price:.2f}"), "the operator")
                    await world.clock.sleep(4)
                self.by_hand(key or ("ETHUSDT", self.side(1)), close=False)
            case "F40":
                world.act("special_funding", symbol=symbol, rate="0.0005")
            case "F41":
                world.act("step_clock", ms=rng.choice([-3000, 1500, 4000, 20_000]))
            case "F43":
                await self.restart()
            case "F44":
                await self.restart(power_cut=True)
            case "F45":
                reason = rng.choice(["No space left on device", "Input/output error"])
                world.disk.fault = lambda operation, _name: reason if operation in ("append", "sync") else None
                self.later(rng.uniform(3, 20), lambda: setattr(world.disk, "fault", None))
                self.decide(symbol, resting=False)
            case "F47":
                world.clock.error_ms += rng.choice([0, 2500])
            case "F49":
                world.elsewhere(
                    "POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="LIMIT", quantity="0.010",
                    price="60000", timeInForce="GTC", newClientOrderId=FOREIGN,
                    **({"positionSide": "LONG"} if self.hedge else {}),
                )  # fmt: skip
                self.foreign = (self.killed, world.clock.monotonic())

    def later(self, seconds, what):
        """Do something after a while, whatever happens meanwhile."""

        async def wait():
            await self.world.clock.sleep(seconds)
            what()

        self.pumps.append(asyncio.get_running_loop().create_task(wait()))

    def side(self, sign):
        return ("LONG" if sign > 0 else "SHORT") if self.hedge else "BOTH"

    def by_hand(self, key, *, close):
        """Somebody trades in the exchange's own application."""
        if key is None:
            raise ActionError("nothing is open")
        symbol, side = key
        held = self.world.witness.positions().get(key)
        if close and held is None:
            raise ActionError("nothing is open")
        long = held.quantity > 0 if held is not None else True
        way = "BUY" if long is not close else "SELL"
        size = f"{abs(held.quantity):f}" if close else SIZES[symbol]
        more = {"positionSide": side} if self.hedge else ({"reduceOnly": "true"} if close else {})
        self.world.elsewhere("POST", "/fapi/v1/order", symbol=symbol, side=way, type="MARKET", quantity=size, **more)

    def entry_stop_by_hand(self, key):
        """Somebody leaves a conditional order that looks like a stop and may open a position."""
        position = self.world.witness.positions()[key]
        sign = 1 if position.quantity > 0 else -1
        self.world.elsewhere(
            "POST", "/fapi/v1/algoOrder", algoType="CONDITIONAL", symbol=key[0], side="SELL" if sign > 0 else "BUY",
            type="STOP_MARKET", quantity=f"{abs(position.quantity):f}",
            triggerPrice=f"{self.price[key[0]] * (1 - sign * 0.2):.0f}", workingType="MARK_PRICE",
        )  # fmt: skip

    async def move(self, symbol, share):
        """Let the price jump by a share."""
        self.price[symbol] = max(1.0, self.price[symbol] * (1 + share))
        self.show(symbol)
        await self.world.clock.sleep(0)

    def show(self, symbol):
        tick, price = TICKS[symbol], self.price[symbol]
        bid = round(price / tick) * tick
        sizes = (0.05, *(1,) * 9) if symbol == "BTCUSDT" else (1,) * 10
        self.world.market.set_book(round(bid, 2), round(bid + tick, 2), SYMBOLS.index(symbol), tick, sizes)

    async def enter(self, symbol, *, resting=False):
        """A strategy decides to enter."""
        sign = self.random.choice([1, -1])
        price = self.price[symbol] * (1 - sign * 0.004 if resting else 1)
        far = self.random.choice([0.005, 0.01, 0.02])
        return await self.hand.enter(
            wanted(
                symbol=symbol, sign=sign, price=f"{price:.2f}", quantity=SIZES[symbol],
                stop=f"{price * (1 - sign * far):.2f}",
                target=f"{price * (1 + sign * 2 * far):.2f}" if self.random.random() < 0.7 else None,
            )
        )  # fmt: skip

    async def act(self):
        """One step of strategy, market or operator."""
        rng, hand = self.random, self.hand
        keys = list(hand.state.book.positions)
        roll = rng.random()
        if roll < 0.4:
            self.decide(rng.choice(SYMBOLS), resting=rng.random() < 0.3)
        elif roll < 0.62:
            await self.move(rng.choice(SYMBOLS), rng.choice([-0.025, -0.011, -0.006, 0.006, 0.011, 0.025]))
        elif roll < 0.7 and keys:
            hand.close(rng.choice(keys), "closed by the operator")
        elif roll < 0.88 and keys:
            key = rng.choice(keys)
            sign = hand.state.book.positions[key].sign
            hand.move_stop(key, Decimal(f"{self.price[key.symbol] * (1 - sign * 0.004):.2f}"), "the operator")
        elif roll < 0.94:
            level = rng.choice([StopLevel.PAUSE, StopLevel.CANCEL, StopLevel.FLATTEN])
            hand.set_level(level, "the operator")
            await self.world.clock.sleep(rng.uniform(1, 6))
            self.hand.set_level(StopLevel.RUN, "the operator")

    def decide(self, symbol, *, resting):
        """Let a strategy decide; what it began dies with the process."""
        self.entries.append(asyncio.get_running_loop().create_task(self.entry(symbol, resting=resting)))

    async def entry(self, symbol, *, resting):
        try:
            await self.enter(symbol, resting=resting)
        except (Crash, asyncio.CancelledError):
            return

    # The whole.

    def check_start(self, now):
        """Ten seconds after a process began, every position is protected or gone, where the exchange answers."""
        if self.begun is not None and now - self.begun >= 10.0:
            self.begun = None
            for key, position in self.world.witness.positions().items():
                if not self.tables and not self.world.witness.is_protected(key, position):
                    self.oracles.fail("I3", f"{key} is naked ten seconds after the start")

    def check_foreign(self):
        """Another desk's order that still rests was noticed, unless it may be a leftover of before this process."""
        killed, at = self.foreign or (None, 0.0)
        rests = any(order.client_id == FOREIGN for order in self.world.witness.orders())
        if rests and killed == self.killed and at - self.began_at > ALONE_S and not self.hand.foreign:
            self.oracles.fail("I13", "nobody noticed the order of another desk")

    async def watch(self):
        last = self.world.clock.monotonic()
        while True:
            await self.world.clock.sleep(LOOK_S)
            now = self.world.clock.monotonic()
            self.oracles.look(now - last)
            last = now
            self.check_start(now)
            if self.dead:
                await self.restart(power_cut=self.power_cut)

    async def story(self):
        """Faults, happenings and acts until the healing."""
        rng, world = self.random, self.world
        moments = sorted(
            [(rng.uniform(3, EARLY_S if what == "F19" else HEAL_S - 5), what) for what in self.happenings]
            + [(rng.uniform(1, HEAL_S - 5), "") for _ in range(rng.randint(6, 14))]
        )
        for at, what in moments:
            wait = at - world.clock.monotonic()
            if wait > 0:
                await world.clock.sleep(wait)
            await (self.happen(what) if what else self.act())
        await world.clock.sleep(max(0.0, HEAL_S - world.clock.monotonic()))

    async def heal(self):
        world = self.world
        for row, told in zip(self.table_rows, world.exchange.fault_report(), strict=True):
            self.hits[row] += told["struck"]
        world.faults()
        world.act("algo_service")
        world.disk.fault = None
        world.exchange.venue.clock_error_ms = 0
        world.clock.error_ms = 0

    async def ready(self):
        """After the healing: READY within a minute of the moment the exchange answers again."""
        world = self.world
        now = world.clock.monotonic()
        until = max([now, *(end for _, end in self.oracles.outages)]) + READY_S
        while not self.hand.is_ready:
            if self.running.done() and not self.dead:
                self.oracles.fail("I16", f"the hand ended: {self.running.exception()!r}")
                return False
            if world.clock.monotonic() > until:
                where = self.hand.step.value, self.hand.reconciler.fault
                self.oracles.fail("I16", f"not READY a minute after the faults ended: {where}")
                return False
            await world.clock.sleep(0.5)
        return True

    async def settle(self):
        """Let everything come to rest: no unknown order, nothing half done."""
        world = self.world
        for _ in range(60):
            await world.clock.sleep(1)
            busy = self.hand.sender.unknown or any(w.close_reason for w in self.hand.keeper.watches.values())
            if not busy and self.hand.is_ready:
                break
        self.hand.reconciler.want()
        await world.clock.sleep(18)  # longer than the longest pause between readings

    async def flatten(self):
        """FLATTEN while an entry is under way; say whether everything is flat within a minute."""
        world, hand = self.world, self.hand
        self.decide("ETHUSDT", resting=False)
        await world.clock.sleep(self.random.uniform(0.02, 0.2))
        hand.set_level(StopLevel.FLATTEN, "the test")
        for _ in range(60):
            await world.clock.sleep(1)
            if hand.is_flat and not world.witness.positions():
                break
        hand.set_level(StopLevel.RUN, "the test")
        if world.witness.positions():
            self.oracles.fail("I16", f"FLATTEN left {list(world.witness.positions())} open for a minute")
        elif not hand.is_flat:
            self.oracles.fail("F23", f"orders of the desk are left behind: {list(hand.state.book.algos.values())[:2]}")
        return not world.witness.positions()

    async def last_trade(self):
        """One complete trade: in, protected, out."""
        world, hand = self.world, self.hand
        if self.foreign and hand.foreign:
            return  # entries are off, as they must be
        if not await self.ready():
            return
        found = await self.enter("BTCUSDT")
        if isinstance(found, Refused) and "not ready" in found.text and await self.ready():
            found = await self.enter("BTCUSDT")  # the stream was found dead at this very moment
        await world.clock.sleep(5)
        if isinstance(found, Refused):
            self.oracles.fail("I16", f"no entry after the faults ended: {found.text}")
            return
        key = PositionKey(*found.key)
        self.oracles.protected()
        if key not in hand.state.book.positions:
            self.oracles.fail("I16", "the last entry brought no position")
        hand.close(key, "closed by the test")
        await world.clock.sleep(10)
        if world.witness.positions():
            self.oracles.fail("I16", "the last position could not be closed")

    async def main(self):
        world = self.open()
        self.price = dict(PRICES)
        for symbol in SYMBOLS:
            self.show(symbol)
        self.table_rows = []
        self.pumps = [asyncio.create_task(world.front.run()), asyncio.create_task(self.watch())]
        self.begin()
        try:
            if self.script is not None:
                while not self.hand.is_ready:
                    await world.clock.sleep(0.1)
                await SCRIPTS[self.script](self)
                self.points = self.total
                self.crash_at, self.crashes = None, []
            else:
                while not self.hand.is_ready:
                    await world.clock.sleep(0.1)
                self._plan()
                await self.story()
                await self.heal()
            if await self.ready():
                await self.settle()
                self.check_foreign()
                self.oracles.protected()
                self.oracles.equal(self.hand)
                if await self.flatten():
                    await self.last_trade()
                await world.clock.sleep(5)
                self.oracles.equal(self.hand)
            for text in self.hand.violations:
                self.oracles.fail("F51", text)
            self.oracles.executed_once([entry.record for entry in replay(world.disk)])
            self.oracles.journal(world.disk)
        finally:
            for task in self.pumps:
                task.cancel()
        return self.result()

    def _plan(self):
        """Let the drawn faults strike from now on."""
        tables, rows = [], []
        for row, table in self.tables_with_rows():
            tables.append(table)
            rows.append(row)
        self.table_rows = rows
        now = self.world.clock.monotonic()
        self.oracles.outages = [(now + since, now + until) for since, until in self.deaf]
        self.world.faults(*tables, seed=self.seed)

    def tables_with_rows(self):
        """The drawn tables, each with the row it belongs to."""
        return list(self.tables)

    def result(self):
        digest = hashlib.sha256()
        for name in self.world.disk.names("journal/"):
            digest.update(self.world.disk.read(name))
        return SimpleNamespace(
            seed=self.seed,
            found=self.oracles.found,
            hits=self.hits,
            naked=self.oracles.naked_times,
            boundaries=self.points,
            kills=self.killed,
            closes=self.oracles.closes_seen,
            trace=digest.hexdigest(),
            rows=self.rows,
        )


async def _protected_entry(run):
    """An entry at the market, its stop and its target."""
    run.decide("BTCUSDT", resting=False)
    await run.world.clock.sleep(15)


async def _moved_and_closed(run):
    """An entry, its stop moved twice, a close by the operator."""
    run.decide("BTCUSDT", resting=False)
    await run.world.clock.sleep(8)
    for share in (0.004, 0.003):
        for key, position in list(run.hand.state.book.positions.items()):
            with contextlib.suppress(Crash):
                run.hand.move_stop(key, Decimal(f"{80_000 * (1 - position.sign * share):.2f}"), "the operator")
        await run.world.clock.sleep(8)
    with contextlib.suppress(Crash):
        run.hand.close_all("closed by the operator")
    await run.world.clock.sleep(15)


async def _resting_and_flattened(run):
    """A resting entry that is filled in part, an entry at the market, then FLATTEN."""
    run.decide("BTCUSDT", resting=True)
    await run.world.clock.sleep(4)
    run.world.market.trade(79_500.0, 0.004, buyer_is_maker=True)
    run.decide("ETHUSDT", resting=False)
    await run.world.clock.sleep(6)
    with contextlib.suppress(Crash):
        run.hand.set_level(StopLevel.FLATTEN, "the operator")
    await run.world.clock.sleep(20)
    with contextlib.suppress(Crash):
        run.hand.set_level(StopLevel.RUN, "the operator")


SCRIPTS = {
    "entry and protection": _protected_entry,
    "moved stop and close": _moved_and_closed,
    "partial fill and flatten": _resting_and_flattened,
}


def run_seed(seed, **options):
    """Run one seed to its end on a virtual loop of its own."""
    run = Run(seed, **options)
    return run_virtual(run.main())
