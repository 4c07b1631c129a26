"""What `make run` shows: with the default seed and start every strategy has signals within the first minute."""

from simulated_desk import World, live
from virtual_loop import run_virtual

from config.settings import Settings
from engine.journal.log import replay
from engine.journal.record import SignalRecord
from engine.strategy.candidate import StrategyName

SHOWN_S = 60


def test_all_three_strategies_signal_within_the_first_minute_of_the_demo():
    demo = Settings().simulator
    world = World(symbols=demo.symbols, size=Settings().universe.size, seed=demo.seed, start_ms=demo.start_ms)
    run_virtual(live(world, SHOWN_S * demo.speed / 3600))
    assert world.market.now_ms - demo.start_ms <= (SHOWN_S + 1) * demo.speed * 1000
    signals = [entry.record for entry in replay(world.disk) if isinstance(entry.record, SignalRecord)]
    proposed = {name: {one.ref for one in signals if one.candidate.strategy == name} for name in StrategyName}
    assert all(len(ids) >= 3 for ids in proposed.values()), proposed
