"""A clock that can begin in the past: a demo's first day is lived before its doors open."""

from __future__ import annotations

import time


class DemoClock:
    """Nanoseconds. Real time, unless set to a moment of the past; it never goes back."""

    def __init__(self) -> None:
        self._set: int | None = None

    def __call__(self) -> int:
        """Now."""
        return time.time_ns() if self._set is None else self._set

    def set(self, second: int) -> None:
        """It is this second."""
        self._set = second * 1_000_000_000

    def go_real(self) -> None:
        """From here on it is the machine's clock."""
        self._set = None
