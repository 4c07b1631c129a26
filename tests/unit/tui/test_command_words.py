"""One line to one command, or a sentence that says what is known."""

from decimal import Decimal

import pytest

from engine import commands
from engine.commands import Arm, CancelOrder, ClosePosition, MoveStop, SetFlag, SetMode
from tui.command_words import WORDS, WordsError, read_command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("mode ict", SetMode("ict")),
        ("flag enable_quantization off", SetFlag("ENABLE_QUANTIZATION", value=False)),
        ("arm", Arm()),
        ("arm 2.5", Arm(2.5)),
        ("close btcusdt", ClosePosition("BTCUSDT", "BOTH")),
        ("close BTCUSDT long", ClosePosition("BTCUSDT", "LONG")),
        ("move-stop BTCUSDT 79000.5", MoveStop("BTCUSDT", "BOTH", Decimal("79000.5"))),
        ("move-stop BTCUSDT SHORT 81000", MoveStop("BTCUSDT", "SHORT", Decimal(81000))),
        ("cancel BTCUSDT 17 conditional", CancelOrder("BTCUSDT", 17, conditional=True)),
        ("reset the exchange is back", commands.ResetBreaker("the exchange is back")),
    ],
)
def test_words_become_the_command_they_say(text, command):
    assert read_command(text) == command


@pytest.mark.parametrize(
    "text",
    ["", "make money", "mode", "flag X maybe", "move-stop BTCUSDT", "move-stop BTCUSDT nan", "move-stop BTCUSDT -1",
     "cancel BTCUSDT x", "halt now", "arm 0", "arm soon", "bypass 5", "reset", "close"],
)  # fmt: skip
def test_other_words_are_refused_with_what_is_known(text):
    with pytest.raises(WordsError, match=r"\w"):
        read_command(text)


def test_every_command_has_its_words():
    made = {"CloseVirtual", "SetTrading"}  # trading live|paper is arm and disarm
    kinds = {kind.__name__ for kind in commands.Command.__args__} - made
    samples = {
        "mode": "mode ict", "flag": "flag X on", "close": "close A", "move-stop": "move-stop A 1",
        "cancel": "cancel A 1", "bypass": "bypass 5 why", "reset": "reset why", "rearm": "rearm why",
        "shutdown": "shutdown why", "close-virtual": "close-virtual V1",
    }  # fmt: skip
    assert kinds <= {type(read_command(samples.get(word, word))).__name__ for word in WORDS}
