"""The desk over history: equal decisions with and without the cheap judgement, no look-ahead, honest fills."""

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backtest_market import BAR, START, columns, small_history, write
from market_series import CANDLES

from config.flags import FlagBoard
from config.settings import Settings
from engine.backtest.faults import HistoryError
from engine.backtest.funding import read_funding
from engine.backtest.history import read_history
from engine.backtest.prove import first_difference, prove
from engine.backtest.results import hash_of, summarise
from engine.replay import Replay, ReplayRules
from engine.strategy.candidate import Direction


def replayed(history, *, sift=True, start_ms=0, **tables):
    settings = Settings.model_validate(tables)
    return Replay(history, settings, FlagBoard.defaults(0), ReplayRules(sift=sift), start_ms=start_ms).run()


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    return read_history(small_history(tmp_path_factory.mktemp("candles")))


@pytest.fixture(scope="module")
def outcome(history):
    return replayed(history)


def test_the_small_history_gives_every_strategy_something_to_trade(outcome):
    assert {trade.strategy for trade in outcome.trades} == {"ict", "hybrid", "self_learning"}
    assert {trade.cause for trade in outcome.trades} >= {"tp_triggered", "sl_triggered"}


def test_the_cheap_judgement_changes_no_decision(history, outcome):
    plain = replayed(history, sift=False)
    assert outcome.sifted
    assert not plain.sifted
    assert first_difference(outcome.decisions, plain.decisions, "sifted", "plain") == ""
    assert outcome.looked < plain.looked / 5
    assert outcome.trades == plain.trades


FOLDER = CANDLES / "5m"
TAKEN = 9_000
"""Bars of a recorded symbol: 6,000 warm up, the others decide."""


def recorded(*symbols):
    """Return the first bars of recorded symbols."""
    if not FOLDER.is_dir():
        pytest.skip("the recorded market data does not lie beside the repository")
    whole = read_history(FOLDER, symbols=symbols)
    return whole._replace(series=tuple(one.part(0, TAKEN) for one in whole.series))


def recorded_symbols():
    return sorted({path.name.partition("-")[0] for path in FOLDER.glob("*-5m__*.parquet")})


@pytest.mark.parametrize(
    "symbols",
    [
        ("CELRUSDT", "SANDUSDT", "XMRUSDT"),
        *(pytest.param((name,), marks=pytest.mark.long) for name in recorded_symbols()),
    ],
)
def test_the_cheap_judgement_changes_no_decision_on_recorded_candles(symbols):
    history = recorded(*symbols)
    sifted, plain = (replayed(history, sift=sift) for sift in (True, False))
    assert first_difference(sifted.decisions, plain.decisions, "sifted", "plain") == ""
    assert sifted.trades == plain.trades
    assert sifted.looked < plain.looked / 3


def test_a_self_learning_desk_decides_alike_with_and_without_the_cheap_judgement(history):
    settings = {"strategy": {"mode": "self_learning"}}
    runs = [replayed(history, sift=sift, **settings) for sift in (True, False)]
    assert first_difference(runs[0].decisions, runs[1].decisions, "sifted", "plain") == ""
    assert runs[0].decisions


def test_equal_inputs_give_equal_hashes_and_another_setting_another(history, outcome):
    assert hash_of(replayed(history).decisions) == hash_of(outcome.decisions)
    assert hash_of(replayed(history, virtual={"risk_per_position": 0.002}).decisions) != hash_of(outcome.decisions)


def test_random_prefixes_decide_what_the_whole_run_decided(history, outcome):
    proofs = prove(history, outcome.decisions, lambda part: replayed(part).decisions, 4, 7)
    assert [proof.divergence for proof in proofs] == [""] * 4
    assert max(proof.compared for proof in proofs) > 20


def test_a_run_that_looks_ahead_is_found_and_the_first_difference_named(history, outcome):
    def ahead(part):
        decisions = list(replayed(part).decisions)
        decisions[5] = msgspec.structs.replace(decisions[5], digest=b"what the future said")
        return decisions

    (proof,) = prove(history, outcome.decisions, ahead, 1, 7)
    assert proof.divergence.startswith("decision 6: the whole run: ")
    assert "with other figures" in proof.divergence


def test_decisions_wait_for_500_hours_and_for_the_start_asked_for(history, outcome):
    assert min(one.time for one in outcome.decisions) >= START + 500 * 3_600_000
    start = START + 8_000 * BAR
    late = replayed(history, start_ms=start)
    assert late.decisions
    assert min(one.time for one in late.decisions) >= start


def test_a_hole_ends_what_is_open_and_the_symbol_starts_anew(history):
    holed = history.series[3]
    stretches = holed.stretches()
    assert [stretch.end - stretch.first for stretch in stretches] == [7_400, 9_000 - 7_403]
    outcome = replayed(history)
    border = int(holed.open_time[7_399]) + BAR
    assert not [
        trade
        for trade in outcome.trades
        if trade.symbol == holed.symbol and trade.opened_ms <= border < trade.closed_ms
    ]


def test_entries_and_exits_lie_within_the_bars_that_made_them(history, outcome):
    series = {one.symbol: one for one in history.series}
    for trade in outcome.trades:
        one = series[trade.symbol]
        bar = int(np.searchsorted(one.open_time, trade.closed_ms - BAR))
        if trade.cause in ("tp_triggered", "sl_triggered"):
            assert one.low[bar] <= trade.exit <= one.high[bar]
        assert trade.opened_ms <= trade.closed_ms
        assert trade.best >= 0 >= trade.worst


def test_a_stop_that_a_bar_opens_beyond_is_filled_at_the_open(history, outcome):
    series = {one.symbol: one for one in history.series}
    gapped = [
        trade
        for trade in outcome.trades
        if trade.cause == "sl_triggered" and trade.direction.sign * (trade.exit - trade.stop) < 0
    ]
    for trade in gapped:
        one = series[trade.symbol]
        assert trade.exit == one.open[int(np.searchsorted(one.open_time, trade.closed_ms - BAR))]


def test_a_bar_that_opens_beyond_the_liquidation_price_costs_no_more_than_the_margin(tmp_path, history):
    settings = {"risk": {"base_leverage": 5}}
    first = replayed(history, **settings)
    trade = max((one for one in first.trades if one.closed_ms - one.opened_ms > 3 * BAR), key=lambda one: one.leverage)
    crashed = []
    for one in history.series:
        table = {key: getattr(one, key).copy() for key in ("open_time", "open", "high", "low", "close", "volume")}
        if one.symbol == trade.symbol:
            bar = int(np.searchsorted(one.open_time, trade.opened_ms)) + 1
            factor = 0.2 if trade.direction is Direction.LONG else 5.0  # an 8-fold move would be another unit
            for key in ("open", "high", "low", "close"):
                table[key][bar:] = np.round(table[key][bar:] * factor, 6)
        crashed.append(one.symbol)
        write(tmp_path, one.symbol, table)
    second = replayed(read_history(tmp_path), **settings)
    (hit,) = [one for one in second.trades if one.position_id == trade.position_id]
    assert hit.reason.startswith("liquidated at ")
    assert hit.net < 0
    assert -hit.net <= hit.margin * 2


def test_figures_add_up(history, outcome):
    summary = summarise(outcome, history.series)
    assert summary.trades == len(outcome.trades) == sum(one.trades for one in summary.strategies)
    assert summary.trades == sum(count for _, count in summary.r_histogram)
    assert summary.end_balance - summary.start_balance == sum(trade.net for trade in outcome.trades)
    assert summary.equity[-1][1] == pytest.approx(float(summary.end_balance))
    assert summary.bars == outcome.bars == 4 * 9_000 - 3
    assert all(one.targets + one.stops + one.expired + one.others == one.trades for one in summary.strategies)


def test_doubled_and_faulty_bars_are_counted_and_left_out(tmp_path):
    table = columns(3, 300)
    write(tmp_path, "AUSDT", table, "one")
    broken = {key: column[200:].copy() for key, column in table.items()}
    write(tmp_path, "AUSDT", broken, "two")
    other = columns(4, 300)
    other["high"][7] = other["low"][7] / 2
    write(tmp_path, "BUSDT", other)
    found = read_history(tmp_path)
    assert (found.rows, found.doubled, found.refused, found.bars) == (700, 100, 1, 599)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"symbols": ("NONEUSDT",)}, "--symbols NONEUSDT"),
        ({"frame": "15m"}, "--frame 15m"),
        ({"frame": "1m"}, "name another --frame"),
        ({"end_ms": 1}, "name another folder or span"),
    ],
)
def test_a_question_without_candles_is_refused_by_option_and_remedy(tmp_path, options, told):
    write(tmp_path, "AUSDT", columns(3, 300))
    with pytest.raises(HistoryError, match=told):
        read_history(tmp_path, **options)


def test_a_folder_without_candles_says_where_they_lie(tmp_path):
    write(tmp_path / "below" / "5m", "AUSDT", columns(3, 300))
    with pytest.raises(HistoryError, match=r"below/5m"):
        read_history(tmp_path)
    with pytest.raises(HistoryError, match="--data"):
        read_history(tmp_path / "nowhere")


def test_one_minute_candles_make_the_five_minute_bars(tmp_path):
    table = columns(3, 600)
    table["open_time"] = START + 60_000 * np.arange(600)
    write(tmp_path, "AUSDT", table)
    (tmp_path / "AUSDT-5m__made.parquet").rename(tmp_path / "AUSDT-1m__made.parquet")
    (one,) = read_history(tmp_path, frame="1m").series
    assert len(one.open_time) == 120
    assert one.high[3] == table["high"][15:20].max()
    assert one.close[3] == table["close"][19]


def test_a_price_that_changes_its_unit_ends_what_is_open_and_the_symbol_starts_anew(tmp_path):
    table = columns(7, 9_000, price=40.0)
    leap = 7_500
    for name in ("open", "high", "low", "close"):
        table[name][leap:] *= 1000.0
    write(tmp_path / "leap", "S0USDT", table)
    leapt = read_history(tmp_path / "leap")
    assert [tuple(one) for one in leapt.series[0].stretches()] == [(0, leap), (leap, 9_000)]
    outcome = replayed(leapt)
    border = int(table["open_time"][leap])
    assert not [one for one in outcome.trades if one.opened_ms < border < one.closed_ms]
    assert all(0.2 < one.exit / one.entry < 5 for one in outcome.trades)


def test_recorded_funding_is_paid_at_its_instants_and_rates_and_the_constant_rate_elsewhere(tmp_path, history):
    folder = tmp_path / "funding"
    folder.mkdir()
    hours = np.arange(0, 9_000 * 300_000, 3_600_000, np.int64) + int(history.series[0].open_time[0])
    rows = {"funding_time": hours + 3, "funding_rate": np.full(len(hours), -0.0008)}
    pq.write_table(pa.table(rows), folder / f"{history.series[0].symbol}-funding__made.parquet")
    funding, notes = read_funding(folder)
    assert notes == []
    paid = replayed(history._replace(funding=funding))
    first = history.series[0].symbol
    longs = [one for one in paid.trades if one.symbol == first and one.direction.sign > 0]
    lasting = [one for one in longs if one.closed_ms // 3_600_000 > one.opened_ms // 3_600_000]
    assert lasting
    assert all(one.funding > 0 for one in lasting), "a negative rate pays the long"
    day = 8 * 3_600_000
    others = [one for one in paid.trades if one.symbol != first and one.direction.sign > 0]
    spanning = [one for one in others if (one.closed_ms - BAR) // day > one.opened_ms // day]
    assert spanning
    assert all(one.funding < 0 for one in spanning), "the constant rate is positive: longs pay"


def test_a_folder_without_funding_is_named_with_the_remedy(tmp_path):
    with pytest.raises(HistoryError, match=r"no SYMBOL-funding\.parquet is there"):
        read_funding(tmp_path)
