"""Whole venues as a user runs them: ``zlp up`` in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

STARTS_WITHIN = 120
ZLP = (sys.executable, "-c", "from zlp.cli import app; app()")


class Up:
    """One ``zlp up``. ``stop`` and ``start`` again go on with the same folder and port."""

    def __init__(self, profile: str, folder: Path, *options: str) -> None:
        self.profile, self.folder, self.options = profile, folder, options
        self.port = 0
        self.start()

    def start(self) -> None:
        """Run it and wait until it says where its page is."""
        command = [*ZLP, "up", "--profile", self.profile, "--data", str(self.folder)]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port), *self.options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        )
        self._said: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()
        limit = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < limit:
            found = re.search(r"page\s+(http://[\d.]+:(\d+))/", "".join(self._said))
            if found:
                self.address, self.port = found[1], int(found[2])
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(f"zlp up --profile {self.profile} did not start:\n" + "".join(self._said))

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said.append(line)

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=60)
