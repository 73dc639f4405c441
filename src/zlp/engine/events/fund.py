"""Facts about a fund's own books. Values are USD at 1e30."""

from __future__ import annotations

from zlp.engine.commands.base import Signed
from zlp.engine.events.base import Event


class ProfitUnpaid(Event, frozen=True):
    """The fund could not pay ``value_usd`` now; ``claim`` records it (0: it is lost, reference arithmetic)."""

    pool: str
    owner: str
    account: int
    claim: int
    value_usd: int


class ClaimPaid(Event, frozen=True):
    """``amount`` of ``token`` went to a claim; ``left_usd`` of it still waits."""

    pool: str
    owner: str
    account: int
    claim: int
    token: str
    amount: int
    value_usd: int
    left_usd: int


class FundingReceived(Event, frozen=True):
    """An account received funding; ``lent`` when the reserve was short and the fund lent it."""

    pool: str
    owner: str
    account: int
    token: str
    amount: int
    value_usd: int
    lent: bool


class FundingPaid(Event, frozen=True):
    """An account paid funding it owed; ``repaid`` when it went to the fund for its loan."""

    pool: str
    owner: str
    account: int
    token: str
    amount: int
    value_usd: int
    repaid: bool


class FundingReserveConverted(Event, frozen=True):
    """The funding reserve's ``amount_in`` of ``token_in`` became ``amount_out`` of ``token_out``."""

    pool: str
    token_in: str
    amount_in: int
    token_out: str
    amount_out: int


class FundingSurplusSwept(Event, frozen=True):
    """The fund took what the funding reserve held beyond the ``owed_usd`` of all markets."""

    pool: str
    token: str
    amount: int
    value_usd: int
    owed_usd: int


class BufferMeasured(Event, frozen=True):
    """The fund's buffer when a deleverage began or ended: ``1 + net_pnl / assets`` in bps."""

    pool: str
    buffer_bps: Signed
    net_pnl_usd: Signed
    assets_usd: int
    closed: int
    restored: bool
