"""The venue end to end, beside the bare cryptography of the same run: python -m bench.venue

Durable signed commands a second over HTTP with 1 and 64 connections (wrk on another core), the same without
signatures, in batches, and in process; the share of each stage; 200 WebSocket subscribers that get every event.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from bench import venue_load as load
from bench.timing import interpreter, line
from zlp import signing
from zlp.engine.commands.custody import Transfer
from zlp.journal import MemoryJournal, SqliteJournal
from zlp.node import Node, Submission
from zlp.server.app import VenueApp
from zlp.server.limits import Limits
from zlp.server.serve import VenueServer, run_on_loop
from zlp.server.verifier import Verifier

BATCH = 64
SUBSCRIBERS = 200
FREE = Limits(address_per_second=0, account_per_second=0, batch_commands=BATCH, connections_per_address=4_096)
MARK = b'"op":"event"'
STAGE = re.compile(r'zlp_stage_seconds_total{stage="(\w+)"} (\S+)')


class Unsigned(Verifier):
    """Believes everybody: what is left when signatures cost nothing."""

    async def signer_of(self, intent: signing.Intent, signature: bytes) -> str:  # noqa: ARG002 - the port's shape
        return intent.account


def pin(core: int) -> None:
    """Stay on one core, so that server and load do not disturb each other."""
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})


def serve(folder: str, signed: bool, threads: int, cores: int, told: Connection) -> None:
    """The server's process."""
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if cores == 1:
        pin(0)
    node = Node(SqliteJournal(Path(folder)))
    node.start(load.genesis())
    app = VenueApp(node, limits=FREE, verifier_threads=threads)
    if not signed:
        app.verifier = app.intake.verifier = Unsigned(node.identity)
    run_on_loop(VenueServer(app, port=0).run(told.send, handle_signals=True))


@contextlib.contextmanager
def served(*, signed: bool = True, threads: int = 0, cores: int = 1) -> Iterator[str]:
    """A venue on a fresh folder; its address."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    folder = tempfile.mkdtemp(prefix="zlp-bench-")
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(folder, signed, threads, cores, there))
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join(20)
        shutil.rmtree(folder)


def stages(address: str) -> dict[str, float]:
    """Seconds per stage so far, and the process's own time under "cpu"."""
    text = urllib.request.urlopen(f"{address}/metrics").read().decode()
    return {name: float(seconds) for name, seconds in STAGE.findall(text)}


def wrk(address: str, path: str, bodies: Path, connections: int, seconds: int) -> dict[str, float]:
    """Drive the venue with a compiled generator on the last core."""
    script = Path(__file__).with_name("venue_load.lua")
    core = (os.cpu_count() or 1) - 1
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), address + path]
    done = subprocess.run(
        ["taskset", "-c", str(core), *command],
        env={**os.environ, "BODIES": str(bodies)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    if found is None:
        raise RuntimeError(done.stdout + done.stderr)
    requests, micros, half, most, errors = map(int, found.groups())
    if errors:
        raise RuntimeError(f"{errors} requests were refused:\n{done.stdout}")
    return {"rate": requests / micros * 1e6, "p50": half / 1_000, "p99": most / 1_000, "seconds": micros / 1e6}


def timed(batch: Callable[[], int], seconds: float = 2.0) -> float:
    """Operations a second of a function that says how many it did."""
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        done += batch()
    return done / (time.perf_counter() - start)


def bare_recover() -> float:
    """Digests and recovered signers a second on one core: the floor under every signed command."""
    made = [load.intent(number) for number in range(200)]

    def batch() -> int:
        for intent, signature in made:
            signing.recover(signing.digest(load.SEPARATOR, intent), signature)
        return len(made)

    return timed(batch)


def in_process(journal: MemoryJournal | SqliteJournal, group: int) -> float:
    """Commands a second through the node without HTTP and signatures."""
    node = Node(journal)
    node.start(load.genesis())

    async def run() -> float:
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < 2:
            commands = [
                Submission.trusted(
                    load.ACCOUNTS[done % 512], Transfer(token="USDC", to=load.TARGET, amount=1), local="x"
                )
                for _ in range(group)
            ]
            await asyncio.gather(*(node.submit(each) for each in commands))
            done += group
        return done / (time.perf_counter() - start)

    return asyncio.run(run())


def report_http(bare: float, seconds: int, scratch: Path) -> None:
    """HTTP with and without signatures, alone and in batches."""
    bodies = {
        connections: load.write_bodies(scratch / f"{connections}", seconds * (3_000 if connections == 1 else 12_000))
        for connections in (1, 64)
    }
    batches = load.write_bodies(scratch / "batch", seconds * 600, BATCH)
    for name, options in (
        ("signed, one core", {}),
        ("signed, recovering thread, two cores", {"threads": 1, "cores": 2}),
        ("unsigned, one core", {"signed": False}),
    ):
        for connections in (1, 64):
            with served(**options) as address:  # type: ignore[arg-type]
                before = stages(address)
                got = wrk(address, "/v1/command", bodies[connections], connections, seconds)
                spent = {stage: value - before[stage] for stage, value in stages(address).items()}
            note = f"p50 {got['p50']:.1f} ms  p99 {got['p99']:.1f} ms"
            print(line(f"HTTP {name}, {connections} connections", got["rate"], bare, note))
            if connections == 64 and options.get("cores") is None:
                print(f"  {shares(spent, got['seconds'])}")
    with served() as address:
        got = wrk(address, "/v1/commands", batches, 8, seconds)
        note = f"p50 {got['p50']:.1f} ms  p99 {got['p99']:.1f} ms"
        print(line(f"HTTP batches of {BATCH} under one signature, 8 connections", got["rate"] * BATCH, bare, note))


def shares(spent: dict[str, float], seconds: float) -> str:
    """Where the time went. The journal's thread works beside the others; HTTP is what is left of them."""
    rest = seconds - sum(value for name, value in spent.items() if name != "journal")
    parts = {"HTTP and idle": rest, **spent}
    return "  ".join(f"{name} {value / seconds:.0%}" for name, value in parts.items()) + " (journal overlaps the rest)"


async def subscribe(port: int, count: int, until: int) -> tuple[int, int]:
    """Follow the log with many plain sockets; messages and bytes received until each saw ``until`` of them."""
    upgrade = b"GET /v1/stream HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    key = b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n"
    ask = b'{"op":"subscribe","channel":"log","id":""}'

    async def one() -> tuple[int, int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
        writer.write(upgrade + key)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x81" + bytes((0x80 | len(ask),)) + bytes(4) + ask)
        messages = size = 0
        tail = b""
        while messages < until:
            data = await reader.read(2**20)
            if not data:
                break
            size += len(data)
            data = tail + data
            messages += data.count(MARK)
            tail = data[1 - len(MARK) :]
        writer.close()
        return messages, size

    got = await asyncio.gather(*(one() for _ in range(count)))
    return sum(messages for messages, _ in got), sum(size for _, size in got)


def watch(port: int, until: int, told: Connection) -> None:
    """The subscribers' process, on the last core."""
    pin((os.cpu_count() or 1) - 1)
    told.send(asyncio.run(subscribe(port, SUBSCRIBERS, until)))


def report_streams(scratch: Path) -> None:
    """200 subscribers of every receipt while batches come in."""
    bodies = load.write_bodies(scratch / "stream", 200, BATCH).read_bytes().splitlines()
    commands = len(bodies) * BATCH
    with served() as address:
        here, there = multiprocessing.get_context("spawn").Pipe()
        port = int(address.rsplit(":", 1)[1])
        watcher = multiprocessing.get_context("spawn").Process(target=watch, args=(port, commands - BATCH, there))
        watcher.start()
        while f"zlp_subscribers {SUBSCRIBERS}.0" not in urllib.request.urlopen(f"{address}/metrics").read().decode():
            time.sleep(0.05)
        time.sleep(0.5)
        start = time.perf_counter()
        for body in bodies:
            request = urllib.request.Request(
                f"{address}/v1/commands", data=body, headers={"content-type": "application/json"}
            )
            urllib.request.urlopen(request).read()
        messages, size = here.recv()
        seconds = time.perf_counter() - start
        dropped = (
            "zlp_subscribers_dropped_total 0.0" not in urllib.request.urlopen(f"{address}/metrics").read().decode()
        )
        watcher.join()
    print(
        line(
            f"messages to {SUBSCRIBERS} subscribers, every receipt",
            messages / seconds,
            None,
            f"{size / seconds / 1e6:.0f} MB/s",
        )
    )
    print(
        line(
            "  commands a second meanwhile",
            commands / seconds,
            None,
            "some were dropped" if dropped else "none dropped",
        )
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("needs wrk, a compiled load generator: apt-get install wrk")
    print(interpreter())
    scratch = Path(tempfile.mkdtemp(prefix="zlp-bodies-"))
    try:
        bare = bare_recover()
        print(line("bare digest and recover, one core (baseline)", bare))
        print(line("in process, memory, groups of 64", in_process(MemoryJournal(), 64), bare))
        journal = SqliteJournal(scratch / "one")
        print(line("in process, durable, groups of 64", in_process(journal, 64), bare))
        report_http(bare, options.seconds, scratch)
        report_streams(scratch)
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
