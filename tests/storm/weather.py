"""Running one storm: generate, apply, observe, audit; replay and restore piece by piece."""

from __future__ import annotations

import importlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from tests.auditor import Auditor, Disagreement, slow_pool_value
from tests.storm.fund_scene import fund_faults
from tests.storm.venues import GENESIS_TIME, genesis
from zlp.engine import Envelope, Root, pricing
from zlp.engine.branches.basket.valuation import pool_value
from zlp.engine.codec import decode_envelope, wire
from zlp.engine.leaves.isolated import IsolatedSettings, Position
from zlp.engine.leaves.pool import AssetSettings, PoolSettings
from zlp.engine.mechanisms.shorts import SoundShorts
from zlp.engine.rejections import Reject

Generator: TypeAlias = Callable[[Random, Root, int], Envelope]

STEPS = (0, 1, 4, 30, 700, 3_700, 40_000, 400_000)
STEP_WEIGHTS = (450, 300, 220, 25, 4, 1, 0.1, 0.02)
"""Seconds between commands, and how often: mostly none, sometimes past a cool-down, rarely days."""
CUMULATIVE = tuple(itertools.accumulate(STEP_WEIGHTS))


class StormFailed(AssertionError):  # noqa: N818 - named by what it is
    """Something that must never happen has happened at command ``index``."""

    def __init__(self, index: int, envelope: Envelope | None, reason: str) -> None:
        super().__init__(f"command {index}: {reason}")
        self.index, self.envelope, self.reason = index, envelope, reason


def generator(profile: str) -> Generator:
    """The generator of a profile: the module of this package with its name."""
    found: Generator = importlib.import_module(f"tests.storm.{profile}").next_command
    return found


@dataclass
class Storm:
    """One run. ``audit_every``: commands between full audits; ``replay_every``: between replays of what passed.

    A piece of the log (the commands since the last replay) is applied again, from its wire form, to a root
    restored from the snapshot taken where the piece began; digest and state must come out the same.
    """

    profile: str
    seed: int
    commands: int
    audit_every: int = 4_000
    replay_every: int = 100_000
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.next_command = generator(self.profile)
        self.root = Root()
        self.snapshot = self.root.snapshot()
        first = genesis(self.profile)
        self.auditor = Auditor.of(first, self.root)
        self.piece: list[bytes] = [wire(envelope) for envelope in first]

    def run(self) -> Iterator[int]:
        """Go through the storm, yielding the number of commands done. Raises ``StormFailed``."""
        now = GENESIS_TIME
        for index in range(1, self.commands + 1):
            now = max(now, self.root.time) + self.random.choices(STEPS, cum_weights=CUMULATIVE)[0]
            envelope: Envelope | None = None
            try:
                envelope = self.next_command(self.random, self.root, now)
                self._apply(envelope)
                if index % self.audit_every == 0 or index == self.commands:
                    self._audit()
                if index % self.replay_every == 0 or index == self.commands:
                    self._replay()
            except Exception as fault:
                raise StormFailed(index, envelope, f"{type(fault).__name__}: {fault}") from fault
            yield index

    def _apply(self, envelope: Envelope) -> None:
        self.piece.append(wire(envelope))
        receipt = self.root.apply(envelope)
        self.auditor.observe(envelope, receipt, self.root)
        name = type(envelope.command).__name__
        if receipt.rejection is None:
            self.accepted[name] += 1
        else:
            self.refused[name] += 1
            self.reasons[f"{name} {receipt.rejection.code}"] += 1

    def _audit(self) -> None:
        faults = [
            *self.root.audit(),
            *self.auditor.faults(self.root),
            *value_faults(self.root),
            *fund_faults(self.root),
        ]
        if faults:
            raise Disagreement("; ".join(faults))

    def _replay(self) -> None:
        again = Root.restore(self.snapshot)
        if again.snapshot() != self.snapshot:
            raise Disagreement("a restored root is not the one the snapshot was taken of")
        for line in self.piece:
            again.apply(decode_envelope(line))
        if (again.chain, again.sequence) != (self.root.chain, self.root.sequence):
            raise Disagreement("a replay of the log ends in another digest")
        snapshot = self.root.snapshot()
        if again.state_hash() != snapshot["state_hash"]:
            raise Disagreement("a replay of the log ends in another state")
        self.snapshot, self.piece = snapshot, []


def value_faults(root: Root) -> Iterator[str]:
    """Pools whose value is not the sum over their positions, to within the rounding of each (sound shorts)."""
    for pool in root.state.each(PoolSettings):
        rules = root.state.get(IsolatedSettings, (pool.pool,))
        if rules is not None and not isinstance(rules.shorts, SoundShorts):
            continue
        for maximise in (False, True):
            yield from _value_fault(root, pool, maximise)


def _value_fault(root: Root, pool: PoolSettings, maximise: bool) -> Iterator[str]:
    prices = {}
    for token in pool.tokens:
        settings = root.state.get(AssetSettings, (pool.pool, token))
        if settings is not None and settings.listed:
            try:
                prices[token] = pricing.bounds_at(root.state, token, root.time)[1 if maximise else 0]
            except Reject:
                return
    fast = pool_value(root.state, pool, root.time, maximise=maximise)
    slow = slow_pool_value(root, pool.pool, prices)
    dust = value_dust(root, pool.pool, prices)
    if not slow - dust <= fast <= max(slow, 0):
        yield f"{pool.pool}: value {fast}, sum over positions {float(slow)} (off by {float(fast - slow)}, dust {dust})"


def value_dust(root: Root, pool: str, prices: dict[str, int]) -> int:
    """How far below the exact sum a pool's value may lie, USD at 1e30.

    One unit for each rounded term of a token, and for each short its entry rounded down by at most 1e-30 tokens.
    """
    shorts = Counter(p.index for p in root.state.each(Position) if p.pool == pool and not p.is_long)
    return 3 * len(prices) + sum(count * (prices.get(token, 0) // 10**30 + 1) for token, count in shorts.items())
