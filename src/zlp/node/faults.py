"""Why a node did not take a submission. None of these leaves anything in the journal."""

from __future__ import annotations

from zlp.engine import Rejection


class NodeFull(Exception):  # noqa: N818 - named by what happened
    """Back-pressure: too many commands wait already. Try again shortly."""


class NodeDown(Exception):  # noqa: N818 - named by what happened
    """The node is not ready: it starts, stops, or has stopped because of a fault."""


class NotAdmitted(Exception):  # noqa: N818 - named by what happened
    """Too late, already used, or signed by a key that may not: refused at the door, not sequenced."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.code)
        self.rejection = rejection


class ClientIdReused(Exception):  # noqa: N818 - named by what happened
    """The same client id (or nonce) came before with other commands. ``sequence``: where, 0 if still waiting."""

    def __init__(self, sequence: int) -> None:
        super().__init__(f"used at sequence {sequence}")
        self.sequence = sequence


class PastGone(Exception):  # noqa: N818 - named by what happened
    """These sequences were compacted away. ``oldest``: the first that can still be read."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"the log starts at {oldest}")
        self.oldest = oldest
