"""Kill a venue's process at random moments under load, again and again, and prove that nothing was lost.

    python -m tests.storm.crash --kills 200

A real node serves HTTP from a folder on disk. Clients send signed intents, alone and in batches, and repeat with the
same bytes whatever they got no answer to. The process is killed (SIGKILL) while it serves, starts, replays or saves a
snapshot. After each death, damaged copies of the folder are opened too: they must be refused or be undamaged.
In the end: every acknowledged intent is in the journal exactly once with the receipt that was acknowledged, the
digest is that of one uninterrupted run, every signature and digest verifies, and balances add up.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import shutil
import signal
import socket
import tempfile
import time
from pathlib import Path

from tests.storm import crash_checks
from tests.storm.crash_load import Load

DAMAGE_EVERY = 5
STEADY_SECONDS = 0.25
SNAPSHOT_EVERY = 400


def serve(folder: str, port: int) -> None:
    """The process that is killed: a node as ``zlp node`` runs it."""
    import logging

    import structlog

    from tests.node.venue import GENESIS
    from zlp.journal import SnapshotFolder, SqliteJournal
    from zlp.node import Node, NodeSettings
    from zlp.server.app import VenueApp
    from zlp.server.limits import Limits
    from zlp.server.serve import VenueServer, run_on_loop

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    path = Path(folder)
    node = Node(
        SqliteJournal(path),
        snapshots=SnapshotFolder(path / "snapshots"),
        settings=NodeSettings(snapshot_every=SNAPSHOT_EVERY),
    )
    node.start(GENESIS)
    limits = Limits(address_per_second=0, account_per_second=0)
    run_on_loop(VenueServer(VenueApp(node, limits=limits), port=port).run(handle_signals=True))


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def listening(port: int, process: multiprocessing.process.BaseProcess) -> bool:
    """Whether the venue has come up; ``False`` if its process died on the way."""
    while process.is_alive():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.005)
        else:
            writer.close()
            return True
    return False


async def lives(folder: Path, port: int, kills: int, load: Load, chooser: random.Random) -> int:
    """Start and kill, ``kills`` times; how many damaged copies were refused."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["zlp.server.serve", "tests.node.venue"])
    refused = 0
    for number in range(kills):
        process = context.Process(target=serve, args=(str(folder), port), daemon=True)
        process.start()
        if number % 7 == 3:  # while it starts and replays
            await asyncio.sleep(chooser.uniform(0, 0.2))
        else:
            if not await listening(port, process):
                raise AssertionError(f"life {number}: the venue did not start; exit code {process.exitcode}")
            await asyncio.sleep(chooser.uniform(0, 2 * STEADY_SECONDS))
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        if number % DAMAGE_EVERY == 0:
            refused += crash_checks.damaged_copy(folder, chooser)
        if number % 20 == 19:
            print(
                f"{number + 1:4} kills, {load.count} intents acknowledged, {refused} damaged copies refused", flush=True
            )
    return refused


async def storm(folder: Path, kills: int, seed: int, clients: int) -> dict[str, object]:
    """The whole run; what it proved."""
    chooser, port = random.Random(seed), free_port()
    load = Load(f"http://127.0.0.1:{port}", random.Random(seed + 1))
    sending = [asyncio.create_task(load.client(number)) for number in range(clients)]
    refused = await lives(folder, port, kills, load, chooser)
    load.ending = True
    process = multiprocessing.get_context("forkserver").Process(target=serve, args=(str(folder), port), daemon=True)
    process.start()
    await asyncio.wait_for(asyncio.gather(*sending), 60)
    os.kill(process.pid or 0, signal.SIGTERM)
    process.join(20)
    if process.exitcode != 0:
        raise AssertionError(f"the last life did not stop in order: exit code {process.exitcode}")
    return {
        "kills": kills,
        **crash_checks.prove(folder, load),
        "answers that came only after a restart": load.repeated,
        "damaged copies refused": refused,
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    folder = Path(tempfile.mkdtemp(prefix="zlp-crash-"))
    try:
        report = asyncio.run(storm(folder / "venue", options.kills, options.seed, options.clients))
    except BaseException:
        print(f"kept for inspection: {folder}")
        raise
    shutil.rmtree(folder)
    for name, value in report.items():
        print(f"{name:<42} {value}")


if __name__ == "__main__":
    main()
