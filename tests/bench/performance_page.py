"""The page `make bench` writes beside its results: measurements by topic, next to what other programs need."""

HEAD = (
    "| measurement | unit | min | median | max | ratio | target |",
    "|---|---|---|---|---|---|---|",
)
INTRODUCTION = """
Written by `make bench`. Every row of a table was measured in the same run on the same machine, as CPU time of a process
with all its threads. Absolute values belong to that machine and moment and move up to twofold; the ratios hold. A ratio
says how many times perpdesk beats the row's program at the same work. All measurements stand in
[benchmarks/results.md](../benchmarks/results.md).
"""
CLOSED_CANDLE = """
The indicator values of one new candle for 600 series: 200 symbols on three frames. A program that cannot go on from
where it stood computes the 500 bars up to the candle again, as its users do. The other programs give 18 to 20 of the 24
values: efficiency ratio, realised volatility, width percentile and mostly VWAP are missing there, which flatters them.
Bit-identical in replay: `tests/laws/test_analysis_laws.py` compares bar by bar with batch.
"""
STRUCTURE = """
Everything of section 3 of the trading specification: swings of two layers, breaks, gaps, blocks, pools, sweeps, and
their lives. smartmoneyconcepts knows fewer objects and has no incremental call.
"""
CYCLE = """
CPU of what a live cycle computes, in groups as the loop runs them; models, journal and screen are not in it. The screen
shows the wall time of a cycle, which holds the turns of other tasks between the groups.
"""
REPLAY = """
The other programs run a crossing of two averages on one frame of one symbol. perpdesk runs three frames, indicators,
structure, three strategies, risk and the virtual book, and takes a digest of every decision; the programs' starts are
left out on both sides, and what is compared is one symbol. The judging pass over all bars is compiled; every close at
which something may happen then goes through the code of the live desk, and how many there are decides the rate: hence
the decisions per 1,000 bars beside it.
Not measured: freqtrade 2026.9 installs, but its backtest loads the markets of its exchange over the network first;
nautilus and jesse were not installed.
"""
HAND = """
From a decision to the first byte of an order: checks, intent, journal, budget, signature, query. The journal of these
rows lies in memory; what a disk adds is the last row. No network is in it: before an entry the desk reads position
mode, margin type and leverage, two round trips.
"""
TOPICS = {
    "closed candle": ("A closed candle", CLOSED_CANDLE),
    "structure": ("Structure and zones", STRUCTURE),
    "cycle": ("One cycle", CYCLE),
    "replay": ("Backtest and replay", REPLAY),
    "positions": ("Virtual positions", "\nOne pass of the book over all positions, beside a plain Python loop.\n"),
    "hand": ("Orders and journal", HAND),
}


def page(machine, topics, versions):
    """Return the text of docs/performance.md from the lines on the machine, table rows by topic and peers' versions."""
    peers = ", ".join(f"{name} {number}" for name, number in sorted(versions.items()))
    said = ["# Performance beside other programs", INTRODUCTION, *machine]
    said.append(f"- other programs: {peers or 'not installed (`make bench-peers`)'}")
    for topic, (title, text) in TOPICS.items():
        said += ["", f"## {title}", text, *HEAD, *topics[topic]]
    return "\n".join(said) + "\n"
