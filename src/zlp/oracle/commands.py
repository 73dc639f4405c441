"""`zlp oracle` and `zlp prices`: watch and record the feeds, prove reports, and fetch or make price files."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from zlp.oracle.observation import FeedError, Observation

if TYPE_CHECKING:
    from zlp.oracle.settings import OracleSettings
    from zlp.oracle.source_group import SourceGroup

oracle_app = typer.Typer(help="Watch, record and prove price feeds.", no_args_is_help=True)
prices_app = typer.Typer(help="Fetch and make price files for backtests.", no_args_is_help=True)

SettingsFile = Annotated[Path, typer.Argument(help="TOML file that names the sources; see docs/oracle.md.")]
Seconds = Annotated[float | None, typer.Option(help="Stop after so many seconds; without it, on Ctrl-C.")]


@oracle_app.command("watch")
def watch(
    settings_file: SettingsFile,
    every: Annotated[float, typer.Option(help="Seconds between two pictures.")] = 1.0,
    seconds: Seconds = None,
) -> None:
    """Show the sources side by side, live: price, age, deviation, status, and what a venue would use and why.

    Example: zlp oracle watch oracle.toml
    """
    from rich.live import Live

    from zlp.oracle.pricing import Pricing
    from zlp.oracle.watching import render

    async def run() -> None:
        settings, group = _group(settings_file)
        pricing = Pricing(group, settings)
        with Live(console=Console(), refresh_per_second=4) as live:

            async def draw() -> None:
                while True:
                    live.update(render(pricing, int(time.time())))
                    await asyncio.sleep(every)

            drawing = asyncio.create_task(draw())
            async with _until(group, seconds) as stream:
                async for observation in stream:
                    pricing.take(observation)
            drawing.cancel()
            live.update(render(pricing, int(time.time())))

    _run(run())


@oracle_app.command("record")
def record(
    settings_file: SettingsFile,
    output: Annotated[Path, typer.Argument(help="File to append to: .jsonl, or .jsonl.gz to compress.")],
    seconds: Seconds = None,
) -> None:
    """Store what the sources say, line by line, for later replay (source type "recording").

    Example: zlp oracle record oracle.toml friday.jsonl.gz --seconds 3600
    """
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from zlp.oracle.recording import Recorder

    recorder = Recorder(output)

    async def run() -> None:
        _, group = _group(settings_file)
        columns = (SpinnerColumn(), TextColumn("{task.completed} observations"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task("recording", total=None)
            async with _until(group, seconds) as stream:
                async for observation in stream:
                    recorder.write(observation)
                    progress.advance(task)

    try:
        _run(run())
    finally:
        recorder.close()
    typer.echo(f"{recorder.count} observations in {output}")


@oracle_app.command("candles")
def candles(
    recording: Annotated[Path, typer.Argument(help="A file of `zlp oracle record`.")],
    output: Annotated[Path, typer.Argument(help="Price file to write: .parquet or .csv.")],
    source: Annotated[str, typer.Option(help="The source in the recording.")],
    step: Annotated[int, typer.Option(help="Seconds of one candle.")] = 60,
) -> None:
    """Turn one source of a recording into candles for the backtester.

    Example: zlp oracle candles friday.jsonl.gz friday.parquet --source bybit
    """
    from zlp.oracle.recording import candles_of, read_recording
    from zlp.oracle.replay import save_prices

    with _explained():
        found = [one for one in read_recording(recording) if one.source == source]
        if not found:
            raise FeedError(f"{recording} holds nothing of a source named {source!r}")
        path = candles_of(found, step)
        save_prices(path, output)
    typer.echo(f"{len(path.steps)} steps of {step} s for {', '.join(path.assets)} in {output}")


@oracle_app.command("verify")
def verify(
    settings_file: SettingsFile,
    archive: Annotated[Path, typer.Argument(help="An archive of verified reports.")],
    digest: Annotated[str | None, typer.Option(help="Only this evidence digest.")] = None,
) -> None:
    """Verify archived Data Streams reports again, as of the second they were received.

    Example: zlp oracle verify oracle.toml reports.jsonl --digest 5c1f...
    """
    from zlp.oracle.data_streams.archive import read_archive
    from zlp.oracle.data_streams.source import DataStreamsSettings
    from zlp.oracle.data_streams.verification import Verifier, reverify

    good = bad = 0
    with _explained():
        settings, _ = _group(settings_file)
        sets = [one.signer_sets for one in settings.sources if isinstance(one, DataStreamsSettings)]
        verifier = Verifier(tuple(signer_set for found in sets for signer_set in found))
        for archived in read_archive(archive):
            if digest is not None and archived.digest != digest.removeprefix("0x"):
                continue
            fault = reverify(verifier, archived.digest, bytes.fromhex(archived.full_report), archived.received_at)
            good, bad = good + (not fault), bad + bool(fault)
            if fault or digest is not None:
                typer.echo(f"{archived.digest} {fault or 'verified'}")
    typer.echo(f"{good} reports verified, {bad} refused")
    if bad or (digest is not None and not good):
        raise typer.Exit(1)


@oracle_app.command("signers")
def signers(
    rpc: Annotated[str, typer.Option(help="JSON-RPC endpoint of the chain.")],
    verifier: Annotated[str, typer.Option(help="Address of the verifier contract.")],
    feed: Annotated[str, typer.Option(help="Stream id, 32 bytes in hex.")],
    from_block: Annotated[int, typer.Option(help="Block to begin at.")],
) -> None:
    """Print the signer sets of a stream from its verifier's events, ready for the settings file.

    Example: zlp oracle signers --rpc https://... --verifier 0x... --feed 0x0003... --from-block 150000000
    """
    from web3 import AsyncHTTPProvider, AsyncWeb3

    from zlp.oracle.data_streams.signer_sets import read_signer_sets

    async def run() -> None:
        web3 = AsyncWeb3(AsyncHTTPProvider(rpc))
        try:
            newest = await web3.eth.block_number
            feed_id = bytes.fromhex(feed.removeprefix("0x"))
            for found in await read_signer_sets(web3, verifier, feed_id, from_block, newest):
                listed = ", ".join(f'"{signer}"' for signer in found.signers)
                typer.echo(f'{{ config_digest = "{found.config_digest}", f = {found.f}, signers = [{listed}] }},')
        finally:
            await web3.provider.disconnect()

    _run(run())


@prices_app.command("fetch")
def fetch(
    output: Annotated[Path, typer.Argument(help="Price file to write or extend: .parquet or .csv.")],
    market: Annotated[list[str], typer.Option(help="Asset and symbol, such as BTC=BTC/USDT; may repeat.")],
    start: Annotated[str, typer.Option(help="First day or moment, ISO 8601 (UTC).")],
    end: Annotated[str, typer.Option(help="End (exclusive), ISO 8601 (UTC), or now.")] = "now",
    exchange: Annotated[str, typer.Option(help="Any exchange that ccxt knows.")] = "bybit",
    timeframe: Annotated[str, typer.Option(help="1m, 5m, 1h, 1d, ...")] = "1h",
) -> None:
    """Download candles into the backtester's format. Run the same command again to resume or to extend.

    Example: zlp prices fetch btc.parquet --market BTC=BTC/USDT --start 2024-01-01 --timeframe 1h
    """
    from rich.progress import Progress

    from zlp.oracle.candle_download import Download, download

    with _explained():
        markets = dict(_market(text) for text in market)
        wanted = Download(
            exchange=exchange, markets=markets, timeframe=timeframe, output=output,
            start=_moment(start), end=int(time.time()) if end == "now" else _moment(end),
        )  # fmt: skip
    with Progress(console=Console(stderr=True)) as progress:
        tasks = {asset: progress.add_task(f"{asset} {symbol}", total=None) for asset, symbol in markets.items()}

        def show(asset: str, done: int, total: int) -> None:
            progress.update(tasks[asset], completed=done, total=total)

        made = _run(download(wanted, progress=show))
    steps = made.prices.steps
    first, last = (datetime.fromtimestamp(step.time, UTC).isoformat() for step in (steps[0], steps[-1]))
    typer.echo(f"{output}: {len(steps)} steps from {first} to {last}, sha256 {made.sha256}")


@prices_app.command("generate")
def generate_prices(
    settings_file: SettingsFile,
    output: Annotated[Path, typer.Argument(help="Price file to write: .parquet or .csv.")],
) -> None:
    """Write the path of the first synthetic source of a settings file as a price file.

    Example: zlp prices generate oracle.toml stress.parquet
    """
    from zlp.oracle.replay import save_prices
    from zlp.oracle.settings import SyntheticSettings, load_settings
    from zlp.oracle.synthetic import generate

    with _explained():
        found = [one for one in load_settings(settings_file).sources if isinstance(one, SyntheticSettings)]
        if not found:
            raise FeedError(f"{settings_file} has no source of type synthetic")
        one = found[0]
        path = generate(one.seed, one.assets, one.steps, one.step_seconds, market=one.market)
        save_prices(path, output)
    typer.echo(f"{len(path.steps)} steps of {path.step_seconds} s for {', '.join(path.assets)} in {output}")


def _group(settings_file: Path) -> tuple["OracleSettings", "SourceGroup"]:
    from zlp.oracle.settings import build_source, load_settings
    from zlp.oracle.source_group import SourceGroup

    settings = load_settings(settings_file)
    return settings, SourceGroup([build_source(one) for one in settings.sources])


@contextlib.asynccontextmanager
async def _until(group: "SourceGroup", seconds: float | None) -> AsyncIterator[AsyncIterator[Observation]]:
    """The stream of a group; leaving it, or the end of the time, closes every source."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), contextlib.aclosing(group.observations()) as stream:
            yield stream


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    with _explained(), contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(work)


@contextlib.contextmanager
def _explained() -> Any:
    """Show what went wrong in one line instead of a traceback."""
    try:
        yield
    except (FeedError, ValueError) as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        raise typer.Exit(1) from error


def _market(text: str) -> tuple[str, str]:
    asset, equals, symbol = text.partition("=")
    if not (asset and equals and symbol):
        raise FeedError(f"--market {text!r} is not an asset and a symbol such as BTC=BTC/USDT")
    return asset, symbol


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FeedError(f"{text!r} is not a moment such as 2024-01-31 or 2024-01-31T12:00") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
