"""Founding or reopening a local venue's folder."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from pathlib import Path

import msgspec

from zlp.cli.local.clock import DemoClock
from zlp.engine.leaves.base import Settings
from zlp.engine.leaves.ledger import Token
from zlp.engine.version import VERSION
from zlp.journal import SnapshotFolder, SqliteJournal
from zlp.node.node import Node
from zlp.node.opening import SNAPSHOTS
from zlp.profiles.loader import Profile

DAY, HOUR = 86_400, 3_600
FAUCET_TOKENS = 1_000_000
"""Whole tokens a demo's faucet gives at once."""


def founded(folder: Path, profile: Profile, clock: DemoClock, *, demo: bool) -> tuple[Node, bool]:
    """The node on this folder, and whether nothing has happened in it yet. A demo's genesis opens the faucet."""
    journal = SqliteJournal(folder)
    node = Node(journal, snapshots=SnapshotFolder(folder / SNAPSHOTS), clock=clock, engine_version=VERSION)
    is_new = journal.last == 0
    if is_new and demo:
        clock.set(_yesterday())
        profile = replace(profile, settings=tuple(_generous(record) for record in profile.settings))
    genesis = profile.genesis(identity=f"{profile.title} {secrets.token_hex(4)}")
    try:
        node.start(genesis)
    except BaseException:
        journal.close()
        raise
    # A start that was interrupted before anything happened is made up for.
    return node, node.root.sequence == len(genesis) and node.root.time <= _yesterday() + HOUR


def _yesterday() -> int:
    """A moment before the day a demo lives before its doors open."""
    return int(time.time()) - DAY - HOUR


def _generous(record: Settings) -> Settings:
    """The faucet gives every foreign token; the venue's own, out of thin air, would take from its providers."""
    if isinstance(record, Token) and record.transferable and not record.issued:
        return msgspec.structs.replace(record, faucet_limit=FAUCET_TOKENS * record.unit)
    return record
