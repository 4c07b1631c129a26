import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from venue_fakes import ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from exchange.archive import parts
from exchange.archive.candle_files import read_candles
from exchange.archive.candle_table import COLUMNS
from exchange.archive.fetching import Fetcher, plan
from exchange.archive.parts import Job, PartFile
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.weights import WeightLedger
from exchange.errors import BannedError
from exchange.market_data import Candles
from exchange.ports import LostError, RestAnswer
from exchange.simulator.core import Exchange
from exchange.simulator.market_factory import make_market
from exchange.simulator.memory import MemoryFront

START = 1_767_571_200_000
MINUTE = 60_000
MARKET = make_market("synthetic", symbols=3, seed=2, start_ms=START, step_ms=60_000)
SYMBOLS = [listing.instrument.symbol for listing in MARKET.listings if listing.instrument.is_usdt_perpetual][:2]
FROM, TO = START - 5 * 1_400 * MINUTE, START


class Line:
    """The way to an exchange in memory, which a test can cut at any request."""

    def __init__(self, rest, cut_at=None, cut=None):
        self._rest = rest
        self._cut_at = cut_at
        self._cut = cut
        self.asked = []

    async def send(self, method, path, query, headers, deadline):
        self.asked.append(query.decode())
        if len(self.asked) == self._cut_at:
            self._cut()
            await asyncio.sleep(0)
        return await self._rest.send(method, path, query, headers, deadline)


def fetch(folder, jobs, *, cut_at=None, cut=None, wrap=None):
    """Fetch in virtual time; return results (None when cancelled) and the queries asked."""

    async def run():
        clock = VirtualClock(START)
        front = MemoryFront(Exchange(MARKET), clock)
        task = None

        def cancel():
            task.cancel()

        line = Line(front.rest, cut_at, cut or cancel)
        rest = wrap(line) if wrap else line
        client = BinanceClient(rest, clock, WeightLedger(1920), OpenGate(), ScriptedEntropy())
        heard = []
        task = asyncio.ensure_future(Fetcher(client, folder, lambda job, at: heard.append((job, at))).run(jobs))
        try:
            done = await task
        except asyncio.CancelledError:
            return None, line.asked
        assert all(heard[-1 - at][1] <= jobs[0].to_ms for at in range(len(jobs)))
        return done, line.asked

    return run_virtual(run())


def jobs(intervals=("5m",), symbols=SYMBOLS):
    return plan(symbols, intervals, FROM, TO)


def bars(folder, job):
    return read_candles(folder / f"{job.symbol}-{job.interval}__rest.parquet")


def test_a_fetch_gets_every_closed_bar_of_the_span_once(tmp_path):
    done, asked = fetch(tmp_path, jobs())
    assert [(one.symbol, one.bars, one.fault) for one in done] == [(name, 1400, "") for name in sorted(SYMBOLS)]
    assert len(asked) == 2 * 3
    for job in jobs():
        got = bars(tmp_path, job)
        assert np.array_equal(got.candles.open_time, np.arange(FROM, TO, 5 * MINUTE))
        assert got.fetched == (FROM, TO)
        index = [listing.instrument.symbol for listing in MARKET.listings].index(job.symbol)
        true = MARKET.candles(index, "5m", FROM, TO - 1, 1400)
        assert np.allclose(got.candles.close, true.close)
        assert np.array_equal(got.candles.trades, true.trades)


@pytest.mark.parametrize("cut_at", range(1, 7))
def test_a_fetch_cancelled_at_any_request_goes_on_where_it_stopped(tmp_path, cut_at):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    _, needed = fetch(whole, jobs())
    done, first = fetch(broken, jobs(), cut_at=cut_at)
    assert done is None
    done, second = fetch(broken, jobs())
    assert all(not one.fault for one in done)
    # Only what was on its way when the first run ended is asked for twice; side by side these are few.
    assert len(first) + len(second) <= len(needed) + 2
    for job in jobs():
        ours, theirs = bars(broken, job), bars(whole, job)
        assert ours.fetched == theirs.fetched
        for name in ("open_time", *COLUMNS):
            assert np.array_equal(getattr(ours.candles, name), getattr(theirs.candles, name)), name
    assert not list((broken / ".fetch").iterdir())


@pytest.mark.parametrize("cut_at", [1, 2, 3])
def test_an_answer_that_is_lost_for_good_leaves_that_job_for_the_next_run(tmp_path, cut_at):
    class Broken:
        def __init__(self, line):
            self.line = line
            self.count = 0

        async def send(self, *request):
            self.count += 1
            if SYMBOLS[0] in request[2].decode() and self.count >= cut_at:
                raise LostError("cut")
            return await self.line.send(*request)

    done, _ = fetch(tmp_path, jobs(), wrap=Broken)
    by_symbol = {one.symbol: one for one in done}
    assert "run the command again" in by_symbol[SYMBOLS[0]].fault
    assert not by_symbol[SYMBOLS[1]].fault
    done, asked = fetch(tmp_path, jobs())
    assert all(not one.fault and one.bars == 1400 for one in done)
    assert all(SYMBOLS[0] in query for query in asked)


def test_what_is_there_is_not_asked_for_again_and_a_later_end_costs_the_difference(tmp_path):
    early = plan(SYMBOLS, ["5m"], FROM, TO - 100 * 5 * MINUTE)
    fetch(tmp_path, early)
    done, asked = fetch(tmp_path, early)
    assert asked == []
    assert [one.bars for one in done] == [1300, 1300]
    done, asked = fetch(tmp_path, jobs())
    assert len(asked) == 2
    assert all("limit=100" in query for query in asked)
    assert [one.bars for one in done] == [1400, 1400]
    assert bars(tmp_path, jobs()[0]).fetched == (FROM, TO)


def test_a_symbol_the_venue_does_not_know_is_told_and_the_others_are_fetched(tmp_path):
    done, _ = fetch(tmp_path, plan(["NOSUCHUSDT", SYMBOLS[0]], ["1h"], FROM, TO))
    by_symbol = {one.symbol: one for one in done}
    assert "-1121" in by_symbol["NOSUCHUSDT"].fault
    assert by_symbol[SYMBOLS[0]].bars > 0


def test_a_ban_ends_the_fetch_at_once(tmp_path):
    class Banned:
        def __init__(self, line):
            self.asked = 0

        async def send(self, *request):
            self.asked += 1
            body = b'{"code":-1003,"msg":"Way too many requests; IP banned until 1767571300000."}'
            return RestAnswer(418, {}, body)

    with pytest.raises(BannedError):
        fetch(tmp_path, jobs(), wrap=Banned)


def test_a_span_without_a_whole_bar_is_refused():
    with pytest.raises(ValueError, match="widen the span"):
        plan(["BTCUSDT"], ["1d"], START, START + 1000)


def page_of(times):
    column = np.arange(len(times), dtype=np.float64)
    fields = dict.fromkeys(COLUMNS, column) | {"trades": column.astype(np.int64)}
    return Candles(open_time=np.array(times, np.int64), **fields)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.data())
def test_a_part_file_torn_anywhere_keeps_its_whole_pages(sizes, data):
    job = Job("BTCUSDT", "1m", 0, 10**9)
    whole, ends, pages = parts.head(job), [], []
    for number, size in enumerate(sizes):
        pages.append(page_of(range(number * 100, number * 100 + size)))
        whole += parts.page(pages[-1], (number + 1) * 100)
        ends.append(len(whole))
    cut = data.draw(st.integers(0, len(whole)))
    progress = parts.read(whole[:cut], job)
    count = sum(end <= cut for end in ends)
    assert len(progress.parts) == count
    assert progress.next_ms == count * 100
    assert progress.size <= cut
    for ours, theirs in zip(progress.parts, pages, strict=False):
        assert np.array_equal(ours.open_time, theirs.open_time)
        assert np.array_equal(ours.trades, theirs.trades)


def test_a_part_file_of_another_span_is_begun_anew(tmp_path):
    path = tmp_path / "one.part"
    first = PartFile(path, Job("BTCUSDT", "1m", 0, 1000))
    first.add(page_of([0, 1]), 2)
    first.close()
    later = PartFile(path, Job("BTCUSDT", "1m", 0, 2000))
    assert later.progress.next_ms == 2
    later.close()
    other = PartFile(path, Job("BTCUSDT", "1m", 7, 2000))
    assert other.progress.parts == ()
    other.close()
    assert path.read_bytes() == parts.head(Job("BTCUSDT", "1m", 7, 2000))
