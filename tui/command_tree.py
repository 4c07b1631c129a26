"""Commands and options. What is slow is imported by the command that needs it, so that help comes at once."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.arguments import GlobalOptions, seconds
from tui.talk import put

app = typer.Typer(
    name="perpdesk",
    add_completion=False,
    no_args_is_help=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
config_app = typer.Typer(help="Settings, each with where it came from.", no_args_is_help=True, rich_markup_mode=None)
journal_app = typer.Typer(help="What happened, and why.", no_args_is_help=True, rich_markup_mode=None)
data_app = typer.Typer(help="Historical candles.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(config_app, name="config")
app.add_typer(data_app, name="data")
app.add_typer(journal_app, name="journal")


def _duration(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _options(context: typer.Context) -> GlobalOptions:
    options = context.find_root().obj
    assert isinstance(options, GlobalOptions)
    return options


@app.callback(invoke_without_command=True)
def desk(
    context: typer.Context,
    config: Annotated[str | None, typer.Option(metavar="FILE", help="Configuration file.")] = None,
    data_dir: Annotated[str | None, typer.Option(metavar="DIR", help="Folder of journal, models and logs.")] = None,
    exchange: Annotated[str | None, typer.Option(metavar="VENUE", help="simulator, demo, live or a URL.")] = None,
    mode: Annotated[str | None, typer.Option(metavar="MODE", help="ict, self_learning or hybrid.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Data as JSON lines on stdout.")] = False,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Say more; twice: show tracebacks.")] = 0,
    headless: Annotated[bool, typer.Option("--headless", help="The engine without a screen.")] = False,
    duration: Annotated[
        float | None, typer.Option("--for", parser=_duration, metavar="DURATION", help="End after 120s, 10m, 1h30m.")
    ] = None,
    sim_market: Annotated[
        str | None,
        typer.Option(metavar="MARKET", help="synthetic, replay:DIR or session:DIR, for the desk's own simulator."),
    ] = None,
    sim_symbols: Annotated[int | None, typer.Option(metavar="N", help="Perpetuals of the simulator.")] = None,
    sim_seed: Annotated[int | None, typer.Option(metavar="SEED", help="Seed of the simulator.")] = None,
    sim_speed: Annotated[float | None, typer.Option(metavar="X", help="Simulated seconds per real second.")] = None,
    ascii_only: Annotated[bool, typer.Option("--ascii", help="Draw with ASCII characters only.")] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="A screen that sends no commands.")] = False,
    theme: Annotated[str | None, typer.Option(metavar="THEME", help="normal, red-up or blue-orange.")] = None,
    record_inputs: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="With --headless: record what reaches the desk, for backtest --data run:DIR."),
    ] = None,
) -> None:
    """Trade Binance USDT-margined perpetuals from a terminal; without a command the workstation starts.

    The first start needs no configuration: paper trading on its own simulated exchange. The options here may stand
    before or after a command.
    """
    context.obj = GlobalOptions(
        config=config,
        data_dir=data_dir,
        exchange=exchange,
        mode=mode,
        json=json,
        verbose=verbose,
        headless=headless,
        duration=duration,
        sim_market=sim_market,
        sim_symbols=sim_symbols,
        sim_seed=sim_seed,
        sim_speed=sim_speed,
        ascii=ascii_only,
        read_only=read_only,
        theme=theme,
        record_inputs=record_inputs,
    )
    if context.invoked_subcommand is None:
        from tui.commands_run import run_desk

        raise typer.Exit(run_desk(context.obj))


@app.command("exchange")
def exchange_command(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Loopback port, 0 for any free one.")] = 0,
    symbols: Annotated[int, typer.Option(min=1, max=1000, help="Perpetuals of the synthetic market.")] = 240,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random path.")] = 1,
    speed: Annotated[float, typer.Option(min=0.01, max=1000, help="Simulated seconds per real second.")] = 1.0,
    market: Annotated[str, typer.Option(help="synthetic, replay:DIR or session:DIR.")] = "synthetic",
    strict: Annotated[bool, typer.Option("--strict", help="Be silent where production is silent.")] = False,
    start: Annotated[str, typer.Option(help="Simulated start, ISO 8601 in UTC; without it the market's choice.")] = "",
    step_ms: Annotated[int, typer.Option(help="Simulated ms per market step.")] = 250,
    api_key: Annotated[str, typer.Option(help="Key the simulator accepts instead of its own.")] = "",
    api_secret: Annotated[str, typer.Option(help="Its secret, never a real one, or its PEM public key.")] = "",
    faults: Annotated[str, typer.Option(metavar="FILE", help="Fault plan: what goes wrong, and when.")] = "",
    switch: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Answer to an open question of the contract.")
    ] = None,
    control_token: Annotated[str, typer.Option(help="Token of POST /sim/control; random where not given.")] = "",
) -> None:
    """Run the simulated exchange alone; it prints one JSON line with its URLs when it is ready."""
    from tui.commands_exchange import run_simulator

    code = run_simulator(
        port=port,
        symbols=symbols,
        seed=seed,
        speed=speed,
        market=market,
        strict=strict,
        start=start,
        step_ms=step_ms,
        api_key=api_key,
        api_secret=api_secret,
        faults=faults,
        switches=tuple(switch or ()),
        control_token=control_token,
    )
    raise typer.Exit(code)


@app.command("record")
def record_command(
    context: typer.Context,
    out: Annotated[str, typer.Option(metavar="DIR", help="New folder of the session.")],
    symbols: Annotated[str, typer.Option(help="BTCUSDT,ETHUSDT or top:N by turnover.")] = "top:50",
    streams: Annotated[str, typer.Option(help="Streams of every symbol; without it what a desk needs.")] = "",
) -> None:
    """Record a venue's market as it comes, for --for DURATION once its history is recorded, or until Ctrl-C.

    --exchange names the venue; no key is used. `perpdesk --sim-market session:DIR` plays the session again.
    """
    from tui.commands_record import record

    raise typer.Exit(record(_options(context), out=out, symbols=symbols, streams=streams))


@app.command("backtest")
def backtest_command(
    context: typer.Context,
    data: Annotated[
        str, typer.Option(metavar="DATA", help="Folder of Parquet candles, session:DIR or run:DIR (--record-inputs).")
    ],
    symbols: Annotated[str, typer.Option(help="BTCUSDT,ETHUSDT ...; without it every symbol of the folder.")] = "",
    begin: Annotated[str, typer.Option("--from", metavar="WHEN", help="First decision; bars before it warm up.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="WHEN", help="Last bar, a UTC date or time.")] = "",
    frame: Annotated[str, typer.Option(help="Candles to read, 5m or 1m.")] = "5m",
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is drawn at random.")] = 1,
    prove: Annotated[int, typer.Option(min=0, metavar="N", help="Look for look-ahead: run N random prefixes.")] = 0,
    html: Annotated[str, typer.Option(metavar="FILE", help="Write a report with the trades on their candles.")] = "",
    funding: Annotated[
        str, typer.Option(metavar="DIR", help="Recorded funding; else looked for beside the candles; none: 0.01 %.")
    ] = "",
    rules: Annotated[
        str, typer.Option(metavar="DIR", help="exchangeInfo.json, leverageBracket.json; else as for --funding.")
    ] = "",
    against: Annotated[
        str, typer.Option(metavar="DATA_DIR", help="run:DIR only: compare with that journal, not the stored decisions.")
    ] = "",
    as_configured: Annotated[
        bool, typer.Option("--as-configured", help="run:DIR only: with the settings of now, not the recorded ones.")
    ] = False,
) -> None:
    """Replay history through the desk's own decisions, all three strategies at once.

    --mode names the acting strategy, --json prints one object; its `hash` is equal for equal inputs. run:DIR repeats a
    recorded run with the very desk that lived it: both hashes are printed, and exit code 18 says that they differ.
    """
    if data.startswith("run:"):
        from tui.commands_rerun import run_again

        given = {"--symbols": symbols, "--from": begin, "--to": end, "--prove": prove, "--html": html}
        needless = [name for name, value in (given | {"--funding": funding, "--rules": rules}).items() if value]
        code = run_again(_options(context), data, against, as_configured=as_configured, needless=needless)
        raise typer.Exit(code)
    if against or as_configured:
        raise typer.BadParameter("only a recorded run is compared; give --data run:DIR", param_hint="--against")
    from tui.commands_backtest import Wanted, backtest

    wanted = Wanted(data, symbols, begin, end, frame, seed, prove, html, funding, rules)
    raise typer.Exit(backtest(_options(context), wanted))


@data_app.command("import")
def data_import(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILES...", help="Zip or CSV files, or folders of them.")],
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder of candle files; bars there are kept.")],
) -> None:
    """Import klines and aggTrades of Binance's public archive; exit code 18 when a file was refused.

    Aggregate trades become 1m bars. A CHECKSUM file beside a zip is verified.
    """
    from tui.commands_data import import_archive

    raise typer.Exit(import_archive(_options(context), files, out=out))


@data_app.command("fetch")
def data_fetch(
    context: typer.Context,
    symbols: Annotated[str, typer.Option(help="BTCUSDT,ETHUSDT or top:N by turnover.")],
    begin: Annotated[str, typer.Option("--from", metavar="WHEN", help="UTC date or time, or a duration before now.")],
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder of candle files.")],
    end: Annotated[str, typer.Option("--to", metavar="WHEN", help="The same; without it the last closed bar.")] = "",
    interval: Annotated[str, typer.Option(help="One or more of 1m, 5m, 15m, 1h ..., with commas.")] = "5m",
) -> None:
    """Fetch candles over REST within the request budget; given again, an interrupted fetch goes on.

    --exchange names the venue; no key is used.
    """
    from tui.commands_data import fetch

    code = fetch(_options(context), symbols=symbols, intervals=interval, begin=begin, end=end, out=out)
    raise typer.Exit(code)


@data_app.command("check")
def data_check(
    context: typer.Context,
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder of candle files, or session.")],
) -> None:
    """Report gaps, defects and coverage of candle files, or faults of a recorded session; exit code 18 for any."""
    from tui.commands_data import check

    raise typer.Exit(check(_options(context), folder))


@config_app.command("show")
def config_show(context: typer.Context) -> None:
    """List every setting with its value and origin."""
    from tui.commands_config import show

    raise typer.Exit(show(_options(context)))


@config_app.command("set")
def config_set(context: typer.Context, key: str, value: str) -> None:
    """Write one setting into the configuration file; VALUE `default` takes it out again."""
    from tui.commands_config import change

    raise typer.Exit(change(_options(context), key, value))


@config_app.command("init")
def config_init(
    context: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file, keeping its old text.")] = False,
) -> None:
    """Write a commented configuration file with every setting at its default."""
    from tui.commands_config import init

    raise typer.Exit(init(_options(context), force=force))


@journal_app.command("show")
def journal_show(
    context: typer.Context,
    kind: Annotated[str, typer.Option(help="signal, decision, position, event, command, cycle, change ...")] = "",
    symbol: Annotated[str, typer.Option(help="One symbol.")] = "",
    since: Annotated[str, typer.Option(help="A UTC time, or a duration before the newest record.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Most records.")] = 100,
) -> None:
    """List the newest records."""
    from tui.commands_journal import show

    raise typer.Exit(show(_options(context), kind=kind, symbol=symbol, since=since, limit=limit))


@journal_app.command("export")
def journal_export(context: typer.Context) -> None:
    """Print every record as one JSON line."""
    from tui.commands_journal import export

    raise typer.Exit(export(_options(context)))


@journal_app.command("verify")
def journal_verify(context: typer.Context) -> None:
    """Prove that every record is what was written; exit code 14 when not."""
    from tui.commands_journal import check

    raise typer.Exit(check(_options(context)))


@journal_app.command("why")
def journal_why(
    context: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="ID|SYMBOL")],
    at: Annotated[str, typer.Option(help="Of a symbol: a UTC time, or a duration before the newest record.")] = "",
    cycle: Annotated[int, typer.Option(min=0, help="Of a symbol: the newest cycle of this number.")] = 0,
) -> None:
    """Show what led to a signal, rejected candidate, decision or position; of a symbol, the gate that stopped it."""
    from tui.commands_journal import why

    raise typer.Exit(why(_options(context), ref, at=at, cycle=cycle))


@app.command("attach")
def attach_command(context: typer.Context) -> None:
    """Show an engine that runs without a screen; leaving leaves it as it is. With --read-only it only looks."""
    from tui.commands_attach import attach

    raise typer.Exit(attach(_options(context)))


@app.command("status")
def status_command(
    context: typer.Context,
    health: Annotated[
        bool, typer.Option("--health", help="JSON for a probe: 0 ready, 1 live but not ready, 3 no engine lives.")
    ] = False,
) -> None:
    """Tell the health of a running engine; 0 when it is live and ready."""
    from tui.commands_attach import status

    raise typer.Exit(status(_options(context), is_probe=health))


@app.command("command")
def command_command(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="WORDS", help='Such as "mode ict" or "halt".')],
    yes: Annotated[bool, typer.Option("--yes", help="Confirm a command that risks money.")] = False,
) -> None:
    """Give a running engine one command and wait for its answer."""
    from tui.commands_attach import command

    raise typer.Exit(command(_options(context), text, yes=yes))


@app.command("stop")
def stop_command(context: typer.Context) -> None:
    """End a running engine in an orderly way; stops stay at the exchange."""
    from tui.commands_attach import stop

    raise typer.Exit(stop(_options(context)))


@app.command("halt")
def halt_command(
    context: typer.Context,
    level: Annotated[str, typer.Argument(metavar="[pause|cancel|flatten|halt]", help="How far to stop.")] = "pause",
) -> None:
    """Ask a desk to stop through a file it obeys within a second; the file stays until it is removed."""
    from tui.commands_stop import halt

    raise typer.Exit(halt(_options(context), level))


@app.command("flatten")
def flatten_command(
    context: typer.Context,
    symbol: Annotated[str, typer.Option(metavar="SYMBOL", help="Only this contract.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the word.")] = False,
) -> None:
    """Close every position and order of the account with nothing but the key; needs no running desk."""
    from tui.commands_stop import flatten

    raise typer.Exit(flatten(_options(context), symbol=symbol, yes=yes))


@app.command("doctor")
def doctor_command(context: typer.Context) -> None:
    """Check configuration, exchange, files, clock and kernels; each line is ok, warn or fail and says what to do."""
    from tui.commands_doctor import doctor

    raise typer.Exit(doctor(_options(context)))


@app.command("version")
def version_command() -> None:
    """Print the version."""
    from importlib.metadata import version

    put(version("perpdesk"))
