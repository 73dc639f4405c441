"""Real `zlp` processes on loopback, as people start them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

PATIENCE = 60


class Zlp:
    """One running `zlp` command; what it says is in `log`."""

    def __init__(self, log: Path, *arguments: str, **environment: str) -> None:
        self.log = log
        self._file = log.open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from zlp.cli import app; app()", *arguments],
            stdout=self._file,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "200", **environment},
            start_new_session=True,
        )

    @property
    def said(self) -> str:
        """Everything it has said so far."""
        return self.log.read_text()

    def end(self, how: int = signal.SIGINT) -> int:
        """Send a signal and wait; the exit code. Killed if it does not end in time."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._file.close()


@contextlib.contextmanager
def running(log: Path, *arguments: str, **environment: str) -> Iterator[Zlp]:
    """A command that is ended with the block, however that ends."""
    made = Zlp(log, *arguments, **environment)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.end(signal.SIGKILL)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(look: Callable[[], Any], what: str, process: Zlp | None = None) -> Any:
    """Look until something is found. Fails with what the process said."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        if process is not None and process.process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"{what}: never\n{process.said if process is not None else ''}")


def ready(address: str, process: Zlp) -> None:
    """Wait until the venue takes commands."""

    def look() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{address}/ready").status_code == 200
        return False

    eventually(look, "ready", process)
