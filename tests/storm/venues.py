"""A fresh venue of any profile, its roles held by accounts that bear the role's name."""

from __future__ import annotations

from pathlib import Path

from zlp.engine import Envelope
from zlp.engine.leaves.access import Role
from zlp.profiles.loader import Profile, load

GENESIS_TIME = 1_700_000_000
OURS = {"mixed": Path(__file__).parents[1] / "profiles" / "mixed.toml"}
"""Profiles that only tests know."""


def profile(name: str) -> Profile:
    """A shipped profile, one of ours, or a file."""
    return load(OURS.get(name, name))


def genesis(name: str) -> list[Envelope]:
    """The first envelopes of a log of that profile."""
    roles = {role.value: (role.value,) for role in Role}
    return profile(name).genesis(identity=f"storm-{name}", time=GENESIS_TIME, roles=roles)
