"""What a service manager hears of a desk."""

from types import SimpleNamespace

from engine.service_notice import STARTING, STOPPING, notice


def desk(**changes):
    words = {"trading": "PAPER", "environment": "simulator", "phase": "running", "phase_text": "", "entries": "open"}
    return SimpleNamespace(**{**words, "hand": None, **changes})


def test_before_the_desk_runs_it_is_starting_and_not_ready():
    assert notice(None, 0.0) == (STARTING,)


def test_a_desk_that_publishes_is_ready_and_alive_with_one_line_of_status():
    assert notice(desk(), 0.3) == (
        "READY=1", "WATCHDOG=1", "STATUS=PAPER on simulator, running, entries open",
    )  # fmt: skip


def test_a_desk_that_waits_for_its_exchange_is_alive():
    told = notice(desk(phase="starting"), 0.3)
    assert "READY=1" in told
    assert "WATCHDOG=1" in told


def test_a_desk_that_stands_still_does_not_feed_the_watchdog():
    assert notice(desk(), 12.0) == ("STATUS=standing still for 12 s",)


def test_an_ending_desk_says_so_and_why():
    assert notice(desk(phase="stopping", phase_text="SIGTERM"), 60.0) == (STOPPING, "STATUS=stopping: SIGTERM")


def test_live_orders_show_protection_in_the_status():
    hand = SimpleNamespace(arming=SimpleNamespace(armed=True), step="READY", coverage=(1, 2), naked=1, unknown=0)
    assert "READY, armed, 2 positions, 1 naked, 0 unknown" in notice(desk(trading="LIVE", hand=hand), 0.1)[2]


def test_a_text_from_outside_cannot_add_an_assignment():
    (_, status) = notice(desk(phase="stopping", phase_text="bad\nMAINPID=1\x1b[0m"), 0.0)
    assert status == "STATUS=stopping: bad MAINPID=1 [0m"
