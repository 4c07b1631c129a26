"""`perpdesk doctor`: every check one line, ok, warn or fail, and what to do."""

from __future__ import annotations

import asyncio
import locale
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from config.errors import ConfigError
from config.paths import loose_modes, prepare_directory
from engine.adapters.clock import SystemClock
from engine.adapters.disk import DirectoryDisk
from engine.adapters.entropy import RandomEntropy
from engine.adapters.installed_strategies import installed_strategies
from engine.adapters.process import close_process
from engine.journal.log import verify
from engine.ports import DiskError
from engine.venue import own_credentials
from exchange.binance.http import HttpRest
from exchange.binance.routes import venue_of
from exchange.binance.socket import WebSocketDialer
from exchange.errors import VenueError
from tui.check import Check
from tui.desk_start import configuration, paths_of
from tui.exit_codes import ExitCode
from tui.probe_check import check_contract
from tui.rights_check import check_rights
from tui.talk import put
from tui.venue_check import check_venue

if TYPE_CHECKING:
    from config.load import Loaded
    from config.paths import DeskPaths
    from exchange.binance.routes import Venue
    from tui.arguments import GlobalOptions

EARLIEST_MS: Final = 1_700_000_000_000
LOW_DISK: Final = 1 << 30


def doctor(options: GlobalOptions) -> int:
    """Run every check and print it; exit code 10 when one fails."""
    close_process()
    checks = _checks(options)
    for check in checks:
        if options.json:
            put(msgspec.json.encode(check._asdict()).decode())
        else:
            put(f"{check.state:4} {check.name:14} {check.text}" + (f"; {check.remedy}" if check.remedy else ""))
    return ExitCode.CONFIG if any(check.state == "fail" for check in checks) else 0


def _checks(options: GlobalOptions) -> list[Check]:
    checks = [_python(), _terminal(), _clock(), _kernels(), *_strategies()]
    try:
        loaded = configuration(options)
    except ConfigError as error:
        return [*checks, *(Check("configuration", "fail", fault) for fault in error.faults)]
    paths = paths_of(loaded)
    return [*checks, _configured(loaded), *_venue(loaded), _keys(loaded), *_data(paths)]


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", "ok", f"{version} at {sys.executable}")


def _terminal() -> Check:
    size = shutil.get_terminal_size()
    text = f"{size.columns}x{size.lines}, {os.environ.get('TERM', 'no TERM')}, {locale.getpreferredencoding()}"
    if "utf" not in locale.getpreferredencoding().lower():
        return Check("terminal", "warn", text, "use a UTF-8 locale or --ascii")
    if size.columns < 80 or size.lines < 24:
        return Check("terminal", "warn", text, "the smallest useful size is 80x24")
    return Check("terminal", "ok", text)


def _clock() -> Check:
    now = SystemClock().now_ms()
    if now < EARLIEST_MS:
        return Check("clock", "fail", f"the machine's clock says {now} ms, long ago", "set the clock")
    return Check("clock", "ok", f"{now} ms UTC")


def _kernels() -> Check:
    folder = Path(__file__).resolve().parent.parent / "engine"
    indexes = sum(1 for _ in folder.rglob("__pycache__/*.nbi"))
    if not indexes:
        return Check("kernels", "warn", "not compiled yet", "run `python -m engine.warm`, or let the first start do it")
    return Check("kernels", "ok", f"{indexes} compiled kernels cached")


def _strategies() -> list[Check]:
    """Say which strategies installed packages offer, and which of those are no use."""
    guests = installed_strategies()
    told = guests.news()
    if not told:
        return [Check("strategies", "ok", "the desk's own three; no package offers another")]
    return [Check("strategies", "ok" if line.endswith("takes part") else "warn", line) for line in told]


def _configured(loaded: Loaded) -> Check:
    given = sum(origin.source > 0 for origin in loaded.origins.values())
    where = str(loaded.config_file) if loaded.file_exists else f"no file at {loaded.config_file}"
    return Check("configuration", "ok", f"{given} of {len(loaded.origins)} settings given, {where}")


def _venue(loaded: Loaded) -> list[Check]:
    """Ask the configured exchange whether it is there. The built-in simulator starts with the desk."""
    name = loaded.settings.exchange.venue
    origin = loaded.origins["exchange.venue"]
    if name == "simulator":
        return [Check("exchange", "ok", f"the built-in simulator ({origin}); it starts with the desk")]
    try:
        venue = venue_of(name)
    except VenueError as error:
        return [Check("exchange", "fail", str(error), f"correct exchange.venue ({origin})")]

    async def ask() -> list[Check]:
        async with HttpRest(venue.rest_url, wallet_url=venue.wallet_url, connections=1) as rest:
            lines = await check_venue(venue, rest, SystemClock())
            if all(line.state == "fail" for line in lines):
                return lines
            dialer = WebSocketDialer(venue.stream_url)
            lines += await check_contract(rest, dialer, SystemClock(), RandomEntropy())
            return [*lines, *await _rights(loaded, venue, rest)]

    return asyncio.run(ask())


async def _rights(loaded: Loaded, venue: Venue, rest: HttpRest) -> list[Check]:
    try:
        credentials = own_credentials(loaded)
    except VenueError as error:
        return [Check("key rights", "fail", str(error))]
    if credentials is None:
        return []
    allowed = loaded.settings.trading.key_may_transfer
    return await check_rights(venue, rest, SystemClock(), credentials, transfers_allowed=allowed)


def _keys(loaded: Loaded) -> Check:
    if loaded.credentials is None:
        return Check("keys", "ok", "none given; not needed for paper trading")
    if loaded.warnings:
        return Check("keys", "warn", f"from {loaded.credentials.origin}", loaded.warnings[0])
    return Check("keys", "ok", f"from {loaded.credentials.origin}")


def _data(paths: DeskPaths) -> list[Check]:
    try:
        prepare_directory(paths.data)
    except ConfigError as error:
        return [Check("data", "fail", str(error))]
    checks = [Check("data", "ok", str(paths.data))]
    if loose := loose_modes(paths.data):
        more = f" and {len(loose) - 1} more" if len(loose) > 1 else ""
        checks = [Check("data", "warn", f"{loose[0]}{more}", f"run `chmod -R go= {paths.data}`")]
    free = shutil.disk_usage(paths.data).free
    remedy = "" if free > LOW_DISK else "free some space: a full disk stops new entries"
    checks.append(Check("disk", "warn" if remedy else "ok", f"{free / 2**30:.1f} GiB free", remedy))
    return [*checks, _journal(paths)]


def _journal(paths: DeskPaths) -> Check:
    try:
        verdict = verify(DirectoryDisk(paths.data))
    except DiskError as error:
        return Check("journal", "fail", str(error))
    if verdict.faults:
        return Check("journal", "fail", verdict.faults[0], "keep the file, see `perpdesk journal verify`")
    return Check("journal", "ok", f"{verdict.records} records in {verdict.segments} segments, chain whole")
