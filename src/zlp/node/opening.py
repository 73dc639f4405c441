"""Opening a venue's folder: the journal, its snapshots, and the profile that founded it or founds it now."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from zlp.engine import Envelope
from zlp.engine.version import VERSION
from zlp.journal import JournalMismatch, SnapshotFolder, SqliteJournal
from zlp.node.node import Node, NodeSettings
from zlp.profiles.loader import load

SNAPSHOTS = "snapshots"


def open_node(
    folder: Path,
    *,
    profile: str = "",
    identity: str = "",
    roles: Mapping[str, tuple[str, ...]] | None = None,
    upgrade: bool = False,
    settings: NodeSettings | None = None,
    progress: Callable[[int], None] | None = None,
) -> Node:
    """A started node on ``folder``.

    An empty folder is founded with ``profile`` under ``identity`` (made up if none is given), with ``roles`` in
    place of the profile's holders. A used folder continues; ``profile`` may be left out, and is checked if given.
    ``upgrade`` accepts that an older engine version wrote the journal and this one goes on.
    """
    journal = SqliteJournal(folder)
    node = Node(journal, snapshots=SnapshotFolder(folder / SNAPSHOTS), settings=settings)
    try:
        if upgrade:
            _upgrade(journal, node)
        node.start(_genesis(profile, identity, roles), progress)
    except BaseException:
        journal.close()
        raise
    return node


def _genesis(profile: str, identity: str, roles: Mapping[str, tuple[str, ...]] | None) -> list[Envelope]:
    if not profile:
        return []
    loaded = load(profile)
    name = identity or f"{loaded.title} {secrets.token_hex(8)}"
    return loaded.genesis(identity=name, roles=dict(roles or {}))


def _upgrade(journal: SqliteJournal, node: Node) -> None:
    """Let this engine version go on from a snapshot at the very end, which the older version's ``stop`` left."""
    header = journal.header
    if header is None or header.engine_version == VERSION:
        return
    newest = node.snapshots.sequences()[-1:] if node.snapshots is not None else []
    if newest != [journal.last]:
        raise JournalMismatch(
            f"stop the venue with engine {header.engine_version} first: its last snapshot is of "
            f"{newest[0] if newest else 'nothing'}, the journal ends at {journal.last}"
        )
    journal.upgrade(VERSION)
