"""Draw docs/*.svg from the running workstation in a real terminal: `make screenshots`."""

import re
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.ansi import AnsiDecoder
from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from terminal import Terminal  # noqa: E402

PROGRAM = str(Path(sys.executable).with_name("perpdesk"))


def picture(terminal, name, columns):
    """Write what the terminal shows as an SVG."""
    console = Console(
        record=True, width=columns, file=StringIO(), force_terminal=True, color_system="truecolor", legacy_windows=False
    )
    for line in AnsiDecoder().decode(terminal.coloured()):
        console.print(line, no_wrap=True, overflow="crop", crop=True, highlight=False, markup=False)
    svg = re.sub(r"<text ", '<text xml:space="preserve" ', console.export_svg(title="perpdesk"))
    (ROOT / "docs" / f"{name}.svg").write_text(svg, encoding="utf-8")


def main():
    """Open the workstation, let it work for a while, and draw its main screen and a detail."""
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(Path(folder), "pictures", (200, 50))
        try:
            terminal.start([PROGRAM, "--data-dir", f"{folder}/data"], {"COLORTERM": "truecolor"})
            terminal.wait(r"cycle 1[2-9]", 180)
            picture(terminal, "desk", 200)
            terminal.keys("Enter")
            terminal.wait("Why", 20)
            picture(terminal, "why", 200)
        finally:
            terminal.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
