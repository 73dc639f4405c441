"""What can go wrong for a client.

VenueError
├── Unreachable   no answer, or none that makes sense; the command may or may not have been done
├── Refused       the venue said no, with its reasons; nothing was done
└── OrderEnded    an order that was placed ended without running; what it set aside came back
"""

from __future__ import annotations

from typing import Any


class VenueError(Exception):
    """Base of everything below."""


class Unreachable(VenueError):  # noqa: N818 - named by what happened
    """The venue did not answer. Send the same intent again to learn what became of it: it is done once at most."""


class Refused(VenueError):  # noqa: N818 - named by what happened
    """A problem+json answer. ``code`` is stable; ``limit`` and ``actual`` say what broke, where that is a number."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.code: str = problem.get("code", "unknown")
        self.detail: str = problem.get("detail", "")
        self.limit, self.actual, self.sequence = (
            int(problem[name]) if problem.get(name) is not None else None for name in ("limit", "actual", "sequence")
        )
        said = [self.code]
        if self.limit is not None:
            said.append(f"limit {self.limit}")
        if self.actual is not None:
            said.append(f"actual {self.actual}")
        if self.detail:
            said.append(self.detail)
        super().__init__(", ".join(said))


class OrderEnded(VenueError):  # noqa: N818 - named by what happened
    """``status``: cancelled, expired or failed. ``code``: why, stable; empty if nobody knows."""

    def __init__(self, number: str, status: str, code: str) -> None:
        self.number, self.status, self.code = number, status, code
        super().__init__(f"order {number} {status}: {code or 'no reason given'}")
