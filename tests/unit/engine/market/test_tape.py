import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_series import random_candles, recorded_candles

from engine.analysis.bars import bars_of
from engine.analysis.layout import FRAME_15M
from engine.analysis.tables import row_of
from engine.market.tape import Outcome, Tape, build_frame, differences, newest_part
from exchange.market_data import Candles, KlineUpdate

FIVE = 300_000


def cut(candles, first, last):
    return Candles(**{name: getattr(candles, name)[first:last].copy() for name in Candles.__struct_fields__})


def changed(candles, **values):
    copy = cut(candles, 0, len(candles))
    for name, (place, value) in values.items():
        getattr(copy, name)[place] = value
    return copy


def without(candles, *places):
    return Candles(**{name: np.delete(getattr(candles, name), places) for name in Candles.__struct_fields__})


def rescaled(candles, first, factor, *, within=False):
    """The series whose prices are `factor` times as high from bar `first` on; `within` splits that bar itself."""
    copy = cut(candles, 0, len(candles))
    for name in ("open", "high", "low", "close"):
        getattr(copy, name)[first:] *= factor
    if within:
        copy.open[first] /= factor
        copy.low[first] = min(copy.low[first], copy.open[first])
        copy.high[first] = max(copy.high[first], copy.open[first])
    return copy


def update(candles, k, symbol="AAAUSDT", frame="5m", **values):
    fields = {name: getattr(candles, name)[k].item() for name in Candles.__struct_fields__}
    fields |= {"symbol": symbol, "interval": frame, "closed": True, "event_time": 0}
    fields["close_time"] = fields["open_time"] + FIVE - 1
    return KlineUpdate(**(fields | values))


def end(candles, k=-1):
    """The instant at which bar k closed."""
    return int(candles.open_time[k]) + FIVE


def loaded(candles, history=100):
    tape = Tape(2, history)
    tape.assign("AAAUSDT")
    assert tape.load("AAAUSDT", "5m", candles, end(candles)) == ""
    return tape


def test_the_forming_bar_never_enters():
    candles = random_candles(1, 120)
    tape = Tape(1, 100)
    tape.assign("AAAUSDT")
    assert tape.load("AAAUSDT", "5m", candles, end(candles) - 1) == ""
    assert tape.last_open("AAAUSDT", "5m") == candles.open_time[-2]
    verdict = tape.append(update(candles, -1, closed=False))
    assert verdict.outcome is Outcome.FORMING
    assert tape.last_open("AAAUSDT", "5m") == candles.open_time[-2]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"high": (50, 1.0)}, "is below max(open"),
        ({"low": (50, 1e9)}, "is above min(open"),
        ({"close": (50, float("nan"))}, "not a finite number"),
        ({"low": (50, 0.0)}, "not positive"),
        ({"volume": (50, -1.0)}, "negative"),
    ],
)
def test_an_inconsistent_bar_makes_the_series_not_ready_and_names_bar_and_fault(fault, reason):
    candles = changed(random_candles(1, 120), **fault)
    tape = Tape(1, 100)
    tape.assign("AAAUSDT")
    said = tape.load("AAAUSDT", "5m", candles, end(candles))
    assert said.startswith("5m: bar 2024-03-09 07:10: ")
    assert reason in said
    assert said in tape.reasons("AAAUSDT")
    assert len(tape.candles("AAAUSDT", "5m")) == 0


@pytest.mark.parametrize(
    ("steps", "reason"),
    [(3 * FIVE, "hole of 2 bars after 2024-03-09 07:05"), (-FIVE, "do not ascend"), (FIVE + 7, "off the grid")],
)
def test_open_times_that_are_not_consecutive_are_refused(steps, reason):
    candles = random_candles(1, 120)
    candles.open_time[50:] += steps - FIVE
    tape = Tape(1, 100)
    tape.assign("AAAUSDT")
    assert reason in tape.load("AAAUSDT", "5m", candles, end(candles))


def test_too_short_a_history_is_said_with_its_numbers():
    tape = Tape(1)
    tape.assign("AAAUSDT")
    candles = random_candles(1, 120)
    assert tape.load("AAAUSDT", "5m", candles, end(candles)) == "5m: 120 of 500 bars"
    assert tape.readiness("AAAUSDT", "15m") == "15m: no candles yet"
    assert tape.readiness("BBBUSDT", "5m") == "not in the universe"


def test_the_next_closed_bar_is_appended_and_comes_back_ready_for_the_kernels():
    candles = random_candles(1, 130)
    tape = loaded(cut(candles, 0, 128))
    taken = tape.append_many([update(candles, 128), update(candles, 128), update(candles, 129)])
    assert [v.outcome for v in taken.verdicts] == [Outcome.APPENDED, Outcome.DUPLICATE, Outcome.APPENDED]
    assert taken.rows.tolist() == [tape.row("AAAUSDT", "5m")] * 2
    assert taken.bars.tobytes() == bars_of(candles)[128:].tobytes()
    assert tape.candles("AAAUSDT", "5m").close.tolist() == candles.close.tolist()


def test_a_bar_that_comes_again_with_other_values_replaces_the_held_one():
    candles = random_candles(1, 120)
    tape = loaded(candles)
    verdict = tape.append(update(candles, 110, volume=12345.0))
    assert verdict.outcome is Outcome.CORRECTED
    assert "came again" in verdict.reason
    assert tape.candles("AAAUSDT", "5m").volume[110] == 12345.0
    assert tape.readiness("AAAUSDT", "5m") == ""


def test_a_hole_is_reported_fetched_and_healed():
    candles = random_candles(1, 130)
    tape = loaded(cut(candles, 0, 120))
    assert tape.needs("AAAUSDT", "5m", end(candles, 119)) is None
    verdict = tape.append(update(candles, 124))
    assert verdict.outcome is Outcome.GAP
    assert "hole of 4 bars" in tape.readiness("AAAUSDT", "5m")
    now = end(candles, 124)
    assert tape.needs("AAAUSDT", "5m", now) == (candles.open_time[120], candles.open_time[124])
    bars = tape.extend("AAAUSDT", "5m", cut(candles, 118, 126), now)
    assert bars.tobytes() == bars_of(candles)[120:125].tobytes()
    assert tape.readiness("AAAUSDT", "5m") == ""
    assert tape.append(update(candles, 125)).outcome is Outcome.APPENDED


def test_a_repair_that_leaves_a_hole_appends_nothing_and_asks_for_the_whole_history():
    candles = random_candles(1, 130)
    tape = loaded(cut(candles, 0, 120))
    assert len(tape.extend("AAAUSDT", "5m", cut(candles, 122, 126), end(candles))) == 0
    assert "the repair begins only at" in tape.readiness("AAAUSDT", "5m")
    assert tape.needs("AAAUSDT", "5m", end(candles))[0] == candles.open_time[30]
    assert tape.load("AAAUSDT", "5m", without(candles, 120, 121), end(candles)) == (
        "5m: 8 of 100 bars since the hole of 2 bars after 2024-03-09 12:55"
    )


def test_a_bad_bar_from_the_stream_makes_the_whole_history_needed():
    candles = random_candles(1, 130)
    tape = loaded(cut(candles, 0, 120))
    verdict = tape.append(update(candles, 120, high=0.5))
    assert verdict.outcome is Outcome.BAD
    assert tape.readiness("AAAUSDT", "5m") == f"5m: {verdict.reason}"
    now = end(candles, 120)
    assert tape.needs("AAAUSDT", "5m", now) == (candles.open_time[21], candles.open_time[120])
    assert tape.load("AAAUSDT", "5m", cut(candles, 21, 121), now) == ""


def test_bars_of_strangers_are_refused_without_harm():
    candles = random_candles(1, 120)
    tape = loaded(candles)
    assert tape.append(update(candles, 3, symbol="ZZZUSDT")).outcome is Outcome.UNKNOWN
    assert tape.append(update(candles, 3, frame="1m")).outcome is Outcome.UNKNOWN


def test_slots_are_given_back_empty_and_their_number_is_a_limit():
    tape = loaded(random_candles(1, 120))
    assert tape.row("AAAUSDT", "15m") == row_of(tape.slot_of("AAAUSDT"), FRAME_15M)
    slot = tape.slot_of("AAAUSDT")
    tape.assign("BBBUSDT")
    with pytest.raises(ValueError, match="no free slot for CCCUSDT"):
        tape.assign("CCCUSDT")
    tape.release("AAAUSDT")
    assert tape.assign("CCCUSDT") == slot
    assert tape.readiness("CCCUSDT", "5m") == "5m: no candles yet"
    assert tape.symbols == ("BBBUSDT", "CCCUSDT")


def test_a_long_history_keeps_its_newest_bars():
    candles = random_candles(1, 700)
    tape = loaded(candles, 500)
    assert tape.candles("AAAUSDT", "5m", 10).close.tolist() == candles.close[-10:].tolist()
    assert len(tape.candles("AAAUSDT", "5m")) == 512
    assert tape.append(update(candles, 5)).outcome is Outcome.DUPLICATE


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.integers(0, 40), st.lists(st.integers(0, 60), max_size=80))
def test_whatever_order_bars_arrive_in_the_tape_holds_a_series_without_holes(seed, start, order):
    candles = random_candles(seed, 101)
    tape = loaded(cut(candles, 0, 10 + start), 10)
    for k in order:
        tape.append(update(candles, 10 + k))
        held = tape.candles("AAAUSDT", "5m")
        assert held.close.tolist() == candles.close[: len(held)].tolist()


def test_longer_frames_are_built_of_whole_groups_only():
    candles = random_candles(2, 100)
    part = cut(candles, 1, 99)
    built = build_frame(part, "5m", "15m")
    assert built.open_time[0] == candles.open_time[3]
    assert len(built) == 32
    group = slice(6, 9)
    assert built.open[1] == candles.open[6]
    assert built.close[1] == candles.close[8]
    assert built.high[1] == candles.high[group].max()
    assert built.low[1] == candles.low[group].min()
    assert built.volume[1] == pytest.approx(candles.volume[group].sum())
    assert built.trades[1] == 3


def test_built_bars_are_compared_with_the_exchange_where_they_overlap():
    built = build_frame(random_candles(2, 99), "5m", "15m")
    assert differences(built, cut(built, 3, 20)) == ()
    said = differences(built, changed(cut(built, 3, 20), close=(2, 1.5), volume=(4, 0.25)))
    assert len(said) == 2
    assert "close built" in said[0]
    assert "exchange 1.5" in said[0]


def test_building_refuses_a_holed_series_and_a_shorter_frame():
    candles = random_candles(2, 99)
    with pytest.raises(ValueError, match="hole of 1 bars"):
        build_frame(Candles(**{n: np.delete(getattr(candles, n), 50) for n in Candles.__struct_fields__}), "5m", "15m")
    with pytest.raises(ValueError, match="longer multiple"):
        build_frame(candles, "15m", "5m")


def test_a_symbol_the_exchange_has_no_bar_of_is_not_asked_for_again_before_a_bar_may_have_closed():
    candles = random_candles(1, 130)
    tape = Tape(1, 100)
    tape.assign("AAAUSDT")
    now = end(candles, 120) + 2_000
    assert tape.needs("AAAUSDT", "5m", now) is not None
    assert tape.load("AAAUSDT", "5m", cut(candles, 0, 0), now) == "5m: 0 of 100 bars"
    assert tape.begun("AAAUSDT", "5m")
    assert tape.needs("AAAUSDT", "5m", now + 60_000) is None
    assert tape.needs("AAAUSDT", "5m", now + FIVE) == (candles.open_time[22], candles.open_time[121])
    assert tape.append(update(candles, 121)).outcome is Outcome.APPENDED
    assert tape.readiness("AAAUSDT", "5m") == "5m: 1 of 100 bars"


def test_one_bar_is_a_series_that_is_not_ready():
    candles = random_candles(1, 1)
    tape = Tape(1, 100)
    tape.assign("AAAUSDT")
    assert tape.load("AAAUSDT", "5m", candles, end(candles)) == "5m: 1 of 100 bars"
    assert len(tape.bars("AAAUSDT", "5m")) == 1


@pytest.mark.parametrize("factor", [1000.0, 0.001, 10.0])
@pytest.mark.parametrize("within", [False, True])
def test_a_history_whose_price_changed_its_unit_begins_after_the_change_and_says_so(factor, within):
    candles = rescaled(random_candles(1, 120), 50, factor, within=within)
    tape = Tape(1, 100)
    tape.assign("AAAUSDT")
    first = 51 if within else 50
    said = tape.load("AAAUSDT", "5m", candles, end(candles))
    assert said.startswith(f"5m: {120 - first} of 100 bars since the price {'rose' if factor > 1 else 'fell to 1/'}")
    assert ("within the bar of" in said) is within
    assert tape.candles("AAAUSDT", "5m").close.tolist() == candles.close[first:].tolist()
    assert tape.unit_since("AAAUSDT", "5m") == candles.open_time[first]


@pytest.mark.parametrize("within", [False, True])
def test_a_streamed_bar_in_another_unit_is_not_taken_and_the_history_is_read_again(within):
    candles = rescaled(random_candles(1, 121), 120, 1000.0, within=within)
    tape = loaded(cut(candles, 0, 120))
    verdict = tape.append(update(candles, 120))
    assert verdict.outcome is Outcome.BAD
    assert "the price rose" in verdict.reason
    assert verdict.reason.endswith("the history is read again")
    assert tape.needs("AAAUSDT", "5m", end(candles)) == (candles.open_time[21], candles.open_time[120])
    said = tape.load("AAAUSDT", "5m", cut(candles, 21, 121), end(candles))
    assert said.startswith(f"5m: {0 if within else 1} of 100 bars since the price rose")
    assert tape.unit_since("AAAUSDT", "5m") == end(candles, 119) + (FIVE if within else 0)


def test_a_history_that_the_exchange_itself_has_rescaled_is_ready_at_once():
    candles = random_candles(1, 121)
    tape = loaded(cut(candles, 0, 120))
    tape.append(update(rescaled(candles, 120, 1000.0), 120))
    assert tape.load("AAAUSDT", "5m", rescaled(candles, 0, 1000.0), end(candles)) == ""
    assert tape.unit_since("AAAUSDT", "5m") == 0


def test_a_repair_over_a_change_of_the_unit_asks_for_the_whole_history():
    candles = rescaled(random_candles(1, 130), 122, 0.001)
    tape = loaded(cut(candles, 0, 120))
    assert tape.append(update(candles, 121)).outcome is Outcome.GAP
    assert len(tape.extend("AAAUSDT", "5m", cut(candles, 120, 126), end(candles, 125))) == 0
    assert tape.needs("AAAUSDT", "5m", end(candles, 125))[0] == candles.open_time[26]


@pytest.mark.parametrize(
    "name", ["1h/ETHUSDT-1h__Roshan7869", "5m/1000PEPEUSDT-5m__catman77", "5m/ADAUSDT-5m__Alpergulsen"]
)
def test_recorded_prices_never_look_like_another_unit(name):
    candles = recorded_candles(name, 0, 1_000_000)
    assert len(candles) > 5_000
    assert not newest_part(candles, int(np.diff(candles.open_time).min())).leapt


def test_a_duplicated_bar_in_a_history_is_named_and_the_history_is_not_kept():
    candles = random_candles(1, 120)
    doubled = Candles(
        **{n: np.insert(getattr(candles, n), 50, getattr(candles, n)[50]) for n in candles.__struct_fields__}
    )
    tape = Tape(1, 100)
    tape.assign("AAAUSDT")
    assert (
        tape.load("AAAUSDT", "5m", doubled, end(candles)) == "5m: open times do not ascend after bar 2024-03-09 07:10"
    )
    assert len(tape.bars("AAAUSDT", "5m")) == 0
