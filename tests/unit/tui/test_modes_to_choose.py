from types import SimpleNamespace

from tui import texts
from tui.modes import modes


def standing(*names):
    return SimpleNamespace(standings=tuple(SimpleNamespace(strategy=name) for name in names))


def test_the_three_of_the_desk_come_first_and_those_from_outside_follow():
    offered = modes(standing("ict", "self_learning", "hybrid", "channel_breakout"))
    assert [name for name, _, _ in offered] == ["ict", "self_learning", "hybrid", "channel_breakout"]
    assert offered[3] == ("channel_breakout", "CHANNEL-BREAKOUT", texts.MODE_GUEST)


def test_without_a_picture_there_are_the_three():
    assert modes(None) == texts.MODES
