"""Run the screen on the fake port with moving numbers: `python tests/screens/demo.py [--ascii] [--theme NAME] …`."""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from fake_port import START_MS, FakePort, rich_port

from engine.events import EventKind, Severity
from tui.app import PerpdeskApp


class Moving:
    """Publishes a changed snapshot ten times a second; about every second row moves each time."""

    def __init__(self, port: FakePort) -> None:
        self.port = port
        self.began = time.monotonic()
        self.dice = random.Random(7)

    def clock_ms(self) -> int:
        return START_MS + int((time.monotonic() - self.began) * 1000)

    def step(self) -> None:
        now, dice, old = self.clock_ms(), self.dice, self.port.latest
        assert old is not None
        replace = msgspec.structs.replace
        signals = tuple(
            replace(row, last=row.last * (1 + dice.gauss(0, 0.0002)), updated_ms=now) if dice.random() < 0.5 else row
            for row in old.signals
        )
        prices = {row.symbol: row.last for row in signals}
        virtual = tuple(
            replace(row, price=prices[row.symbol], pnl_percent=row.pnl_percent + dice.gauss(0, 0.01))
            if dice.random() < 0.3
            else row
            for row in old.virtual
        )
        positions = tuple(
            replace(row, mark=prices[row.symbol], pnl=row.pnl + dice.gauss(0, 0.05)) for row in old.positions
        )
        feed = replace(old.feed, last_message_ms=now - dice.randrange(90), messages_per_s=2_000 + dice.gauss(0, 60))
        engine = replace(
            old.engine,
            next_live_ms=now + 60_000 - (now - START_MS) % 60_000,
            next_virtual_ms=now + 10_000 - (now - START_MS) % 10_000,
        )
        self.port.latest = replace(
            old, seq=old.seq + 1, time=now, monotonic=time.monotonic(), signals=signals, virtual=virtual,
            positions=positions, feed=feed, engine=engine,
        )  # fmt: skip
        if dice.random() < 0.03:
            row = virtual[dice.randrange(12)]
            self.port.emit(
                EventKind.POSITION, Severity.INFO, f"{row.position_id} {row.symbol} new max", row.symbol, now
            )

    def run(self) -> None:
        while True:
            self.step()
            time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--theme", default="normal")
    options = parser.parse_args()
    moving = Moving(rich_port())
    moving.step()
    threading.Thread(target=moving.run, daemon=True).start()
    sys.setswitchinterval(0.0005)
    app = PerpdeskApp(
        moving.port, moving.clock_ms, ascii_only=options.ascii, read_only=options.read_only, theme=options.theme
    )
    app.run()
    sys.stdout.write("\n".join(app.left or ("no outcome",)) + "\n")


if __name__ == "__main__":
    main()
