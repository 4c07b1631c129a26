"""Candle history over REST, page by page within the request budget, and going on where an interrupted run stopped.

A page is the most bars that cost two units of request weight. It is appended to a part file before the next one is
asked for; a symbol's candle file is written when its span is complete, and tells so for the next run.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from exchange.archive.candle_files import CandleFileError, file_name, read_candles, write_candles
from exchange.archive.candle_table import join, take
from exchange.archive.parts import Job, PartFile
from exchange.errors import BannedError, BusinessError, DecodeError, ExchangeError
from exchange.priority import Priority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from exchange.binance.client import BinanceClient
    from exchange.market_data import Candles

SOURCE: Final = "rest"
PAGE_BARS: Final = 499
SIDE_BY_SIDE: Final = 4
INTERVAL_MS: Final = {
    "1m": 60_000, "3m": 180_000, "5m": 300_000, "15m": 900_000, "30m": 1_800_000, "1h": 3_600_000, "2h": 7_200_000,
    "4h": 14_400_000, "6h": 21_600_000, "8h": 28_800_000, "12h": 43_200_000, "1d": 86_400_000,
}  # fmt: skip
"""Intervals whose bars stand on a fixed grid, which is what going on by time needs."""
PARTS_FOLDER: Final = ".fetch"


class Fetched(NamedTuple):
    """How one job ended."""

    symbol: str
    interval: str
    bars: int
    """Bars of the span in the candle file."""
    requests: int
    fault: str
    """Why the job could not be finished; empty when it was."""


class Fetcher:
    """Fetches jobs into one folder."""

    def __init__(self, client: BinanceClient, out: Path, tell: Callable[[Job, int], None]) -> None:
        """Take a client whose clock is synchronised; `tell` hears how far each job is, in UTC milliseconds."""
        self._client = client
        self._out = out
        self._tell = tell
        try:
            (out / PARTS_FOLDER).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CandleFileError(
                f"--out {out} cannot be made: {error.strerror or error}; name another folder"
            ) from error

    async def run(self, jobs: Iterable[Job]) -> list[Fetched]:
        """Fetch every job; one that fails leaves the others alone, except for a ban. Raises BannedError.

        Cancelling loses nothing but the pages on their way.
        """
        rest = iter(jobs)
        done: list[Fetched] = []

        async def worker() -> None:
            for job in rest:
                done.append(await self._job(job))  # noqa: PERF401 - what is done must stay when a later job fails

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(SIDE_BY_SIDE):
                    group.create_task(worker())
        except* BannedError as errors:
            raise errors.exceptions[0] from None
        return sorted(done)

    async def _job(self, job: Job) -> Fetched:
        target = self._out / file_name(job.symbol, job.interval, SOURCE)
        path = self._out / PARTS_FOLDER / f"{job.symbol}-{job.interval}.part"
        have = read_candles(target)
        if have.fetched is not None and have.fetched[0] <= job.from_ms and job.to_ms <= have.fetched[1]:
            self._tell(job, job.to_ms)
            return Fetched(job.symbol, job.interval, _inside(have.candles, job), 0, "")
        begin = job
        if have.fetched is not None and have.fetched[0] <= job.from_ms <= have.fetched[1]:
            # The file covers the beginning: only its continuation is asked for.
            begin = Job(job.symbol, job.interval, have.fetched[1], job.to_ms)
        part = PartFile(path, begin)
        got = list(part.progress.parts)
        requests = 0
        try:
            async for page, next_ms in self._pages(begin, part.progress.next_ms):
                part.add(page, next_ms)
                got.append(page)
                requests += 1
        except BannedError:
            raise
        except ExchangeError as error:
            remedy = "leave it out" if isinstance(error, BusinessError | DecodeError) else "run the command again"
            return Fetched(job.symbol, job.interval, 0, requests, f"{error}; {remedy}")
        finally:
            part.close()
        candles, _ = join([have.candles, *got])
        fetched = (begin.from_ms, job.to_ms)
        if have.fetched is not None and begin.from_ms <= have.fetched[1] and have.fetched[0] <= job.to_ms:
            fetched = (min(have.fetched[0], begin.from_ms), max(have.fetched[1], job.to_ms))
        write_candles(target, candles, fetched)
        part.remove()
        return Fetched(job.symbol, job.interval, _inside(candles, job), requests, "")

    async def _pages(self, job: Job, next_ms: int) -> AsyncIterator[tuple[Candles, int]]:
        """Yield the pages of the span from an instant on, each with the instant from which to go on."""
        size = INTERVAL_MS[job.interval]
        while next_ms < job.to_ms:
            self._tell(job, next_ms)
            bars = min(PAGE_BARS, -(-(job.to_ms - next_ms) // size))
            page = await self._client.klines(
                job.symbol, job.interval, bars, next_ms, job.to_ms - 1, priority=Priority.LOW
            )
            whole = take(page, (page.open_time >= next_ms) & (page.open_time + size <= job.to_ms))
            if len(page) and not len(whole):
                raise DecodeError(f"klines of {job.symbol}", "open time", "no bar lies in the span asked for")
            # Fewer bars than asked for are all there are.
            next_ms = int(whole.open_time[-1]) + size if len(page) >= bars else job.to_ms
            yield whole, next_ms
        self._tell(job, job.to_ms)


def _inside(candles: Candles, job: Job) -> int:
    return int(np.count_nonzero((candles.open_time >= job.from_ms) & (candles.open_time < job.to_ms)))


def plan(symbols: Iterable[str], intervals: Iterable[str], from_ms: int, to_ms: int) -> list[Job]:
    """Return the jobs of a fetch, spans cut to whole bars. Raises ValueError for an empty span."""
    jobs = []
    for interval in intervals:
        size = INTERVAL_MS[interval]
        begin, end = -(-from_ms // size) * size, to_ms // size * size
        if begin >= end:
            raise ValueError(f"no whole {interval} bar lies between --from and --to; widen the span")
        jobs += [Job(symbol, interval, begin, end) for symbol in symbols]
    return jobs
