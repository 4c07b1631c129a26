"""`perpdesk attach`, `status`, `command`, `stop`: an engine that runs in another process."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from config.paths import prepare_directory
from engine.adapters.clock import process_monotonic
from engine.adapters.remote_port import ControlLine, RemotePort, wait_for_ack
from engine.commands import AckState, Shutdown
from engine.control import ControlError, News, Pull, read_snapshot
from engine.health import health
from tui.command_words import RISKY, WordsError, read_command
from tui.desk_start import configuration, paths_of
from tui.exit_codes import ExitCode
from tui.talk import put, say

if TYPE_CHECKING:
    from pathlib import Path

    from engine.commands import Command
    from tui.arguments import GlobalOptions

ACK_S = 15.0
BY = "command line"


def _folder(options: GlobalOptions) -> Path:
    paths = paths_of(configuration(options))
    prepare_directory(paths.data)
    return paths.data


def status(options: GlobalOptions, *, is_probe: bool) -> int:
    """Print the health of a running engine; 0 when it is live and ready, else 1.

    A probe always gets JSON, and 3 where no engine answers or it stands still: only that is a reason to start it again.
    """
    as_json = options.json or is_probe
    try:
        line = ControlLine(_folder(options), writes=False)
        news = line.ask(Pull())
        line.close()
        snapshot = read_snapshot(news.snapshot) if isinstance(news, News) and news.snapshot else None
    except ControlError as error:
        say(str(error))
        if as_json:
            put(json.dumps({"live": False, "ready": False}))
        return ExitCode.NOT_LIVE if is_probe else ExitCode.NOT_FOUND
    answer = health(snapshot, process_monotonic() - snapshot.monotonic if snapshot is not None else 0.0)
    if as_json:
        put(json.dumps(answer))
    else:
        for name, value in answer.items():
            put(f"{name.replace('_', ' '):22} {value}")
    if answer["ready"]:
        return ExitCode.CLEAN
    return ExitCode.NOT_LIVE if is_probe and not answer["live"] else ExitCode.NOT_FOUND


def command(options: GlobalOptions, text: str, *, yes: bool) -> int:
    """Give a running engine one command and print what became of it."""
    try:
        asked = read_command(text)
    except WordsError as error:
        say(str(error))
        return ExitCode.USAGE
    if isinstance(asked, RISKY) and not yes:
        say(f"{text.split(maxsplit=1)[0]} changes what happens to money: give --yes")
        return ExitCode.USAGE
    return _give(options, asked)


def stop(options: GlobalOptions) -> int:
    """End a running engine in an orderly way; stops stay at the exchange."""
    return _give(options, Shutdown("perpdesk stop"))


def _give(options: GlobalOptions, asked: Command) -> int:
    try:
        port = RemotePort(_folder(options), writes=True)
    except ControlError as error:
        say(str(error))
        return ExitCode.NOT_FOUND
    ack = wait_for_ack(port, port.send(asked, BY), ACK_S)
    port.stop()
    if options.json:
        put(json.dumps({"state": str(ack.state), "text": ack.text}))
    else:
        say(ack.text or f"no answer within {ACK_S:g} s: what became of it is not known")
    return ExitCode.CLEAN if ack.state is AckState.DONE else ExitCode.NOT_FOUND


def attach(options: GlobalOptions) -> int:
    """Show a running engine; leaving the screen leaves the engine as it is."""
    from tui.app import LeaveCause, Left, PerpdeskApp  # noqa: PLC0415 - status and command need no screen

    folder = _folder(options)
    try:
        port = RemotePort(folder, writes=not options.read_only)
    except ControlError as error:
        say(str(error))
        return ExitCode.NOT_FOUND
    if port.text:
        say(port.text)

    def desk_ms() -> int:
        snapshot = port.snapshot()
        if snapshot is None:
            return 0
        return snapshot.time + int((process_monotonic() - snapshot.monotonic) * snapshot.speed * 1000)

    screen = configuration(options).settings.screen
    app = PerpdeskApp(
        port,
        desk_ms,
        read_only=options.read_only,
        ascii_only=screen.ascii,
        theme=screen.theme,
        paint_rate=screen.paint_rate,
        monotonic=process_monotonic,
        write_folder=folder,
        attached=True,
    )
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: app.call_later(app.leave, Left(LeaveCause.OPERATOR, "a signal")))
    app.run()
    port.stop()
    say("the screen is closed; the engine goes on")
    return ExitCode.CLEAN
