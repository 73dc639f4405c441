"""Receipts of a stormy day on any profile, with its pools measured now and then; and of what a test sends itself."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from tests.storm.venues import GENESIS_TIME, genesis
from tests.storm.weather import CUMULATIVE, STEPS, generator
from zlp.engine import Command, Envelope, Receipt, Root
from zlp.engine.commands.liquidity import MeasurePool
from zlp.engine.leaves import SETTINGS
from zlp.projections import Fact, ReadModel

MEASURED_EVERY = 25


class Told(NamedTuple):
    """A journalled command as far as the read model asks."""

    account: str
    receipt: Receipt


def facts(profile: str, seed: int, commands: int) -> list[Told]:
    """The whole log of a storm, from the founding on."""
    return list(storm(profile, seed, commands, Root()))


def storm(profile: str, seed: int, commands: int, root: Root) -> Iterator[Told]:
    """The same one by one, ``root`` being the state after each."""
    for envelope in genesis(profile):
        yield Told(envelope.account, root.apply(envelope))
    random, now, next_command = Random(seed), GENESIS_TIME, generator(profile)
    for index in range(commands):
        now = max(now, root.time) + random.choices(STEPS, cum_weights=CUMULATIVE)[0]
        if index % MEASURED_EVERY == 0:
            for pool in pools(root):
                yield sent(root, "keeper", MeasurePool(pool=pool), now)
        envelope = next_command(random, root, now)
        yield Told(envelope.account, root.apply(envelope))


def sent(root: Root, account: str, command: Command, now: int) -> Told:
    """One command."""
    return Told(account, root.apply(Envelope(time=now, account=account, command=command)))


def pools(root: Root) -> list[str]:
    """Names of everything that has shares."""
    kinds = [kind for kind in SETTINGS.values() if "share" in kind.__struct_fields__]
    return [settings.key[0] for kind in kinds for settings in root.state.each(kind)]


def model(path, told: list[Fact], *, batches: Random | int = 500) -> ReadModel:
    """A read model in a SQLite file that has seen these facts, in batches of one size or of random ones."""
    made = ReadModel(f"sqlite:///{path}")
    start = 0
    while start < len(told):
        size = batches if isinstance(batches, int) else batches.randrange(1, 60)
        made.apply(told[start : start + size])
        start += size
    return made
