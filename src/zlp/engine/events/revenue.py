"""Facts about revenue."""

from __future__ import annotations

from zlp.engine.events.base import Event


class FeesCollected(Event, frozen=True):
    """Fees of one token reached their buckets."""

    pool: str
    token: str
    treasury: int
    soulbound: int
    buyback: int
    providers: int


class FeesAllocated(Event, frozen=True):
    """The treasurer paid out of a bucket."""

    bucket: str
    token: str
    amount: int
    to: str


class BoughtBack(Event, frozen=True):
    """The buyback bucket swapped tokens."""

    token_in: str
    token_out: str
    amount_in: int
    amount_out: int


class SoulboundMinted(Event, frozen=True):
    """An account became a soulbound holder."""

    account: str
    token: str
    paid: int


class EpochFunded(Event, frozen=True):
    """An epoch opened."""

    number: int
    pool: str
    token: str
    budget: int
    starts: int
    ends: int
    score: str


class EpochJoined(Event, frozen=True):
    """A participant joined."""

    number: int
    account: str


class EpochClaimed(Event, frozen=True):
    """A participant took his share."""

    number: int
    account: str
    token: str
    amount: int
    points: int
    total: int


class EpochClosed(Event, frozen=True):
    """What nobody claimed went back to its bucket."""

    number: int
    token: str
    returned: int
