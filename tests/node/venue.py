"""A node on the small venue of the journal's tests, and a clock that tests move."""

from pathlib import Path

from tests.journal.venue_log import ALICE, FOUNDING, GOVERNOR, IDENTITY, KEY, START
from zlp import signing
from zlp.engine import Envelope
from zlp.engine.codec import wire
from zlp.engine.commands.base import Command
from zlp.journal import MemoryJournal, SnapshotFolder, SqliteJournal
from zlp.node import Node, NodeSettings, Submission

GENESIS = [Envelope(time=0, account=GOVERNOR, command=command) for command in FOUNDING]
SEPARATOR = signing.domain_separator(IDENTITY)


class Clock:
    """Nanoseconds that only tests advance."""

    def __init__(self) -> None:
        self.now = START * 10**9

    def __call__(self) -> int:
        return self.now


def memory_node(**changes) -> Node:
    """A started node that keeps nothing."""
    node = Node(changes.pop("journal", None) or MemoryJournal(), clock=Clock(), settings=NodeSettings(**changes))
    node.start(GENESIS)
    return node


def disk_node(folder: Path, **changes) -> Node:
    """A started node on disk."""
    node = Node(
        SqliteJournal(folder),
        clock=Clock(),
        snapshots=SnapshotFolder(folder / "snapshots"),
        settings=NodeSettings(**changes),
    )
    node.start(GENESIS)
    return node


def signed(*commands: Command, nonce: int, key: bytes = KEY, account: str = ALICE, **changes) -> Submission:
    """A submission as the server makes it of a signed intent."""
    texts = tuple(wire(command) for command in commands)
    intent = signing.Intent(
        account=account,
        commands=texts,
        nonce=nonce,
        deadline=changes.pop("deadline", START + 60),
        client_id=changes.pop("client_id", ""),
    )
    signer = signing.address_of(key)
    return Submission(
        account=account,
        commands=commands,
        texts=texts,
        signer="" if signer == account else signer,
        nonce=nonce,
        deadline=intent.deadline,
        client_id=intent.client_id,
        signature=signing.sign(signing.digest(SEPARATOR, intent), key),
    )
