"""Credit: how debt, tokens and capacity are shared between vaults and markets without visiting them all.

A market keeps one rising index per thing it distributes (per unit of delegated credit); a vault's part is the
change of the index since it last looked, times the credit it has lent since. USD at 1e30. reference 3 and 5.2.
"""

from __future__ import annotations

from zlp.engine.fixed import RATE, UNITS, mul_div_down, mul_div_toward_zero
from zlp.engine.rejections import Code, Reject

INDEX = 10**45
"""Scale of the indices: fine enough that a distribution loses less than one unit per vault below 1e15 USD."""
SHADOW = 10**15
"""How much smaller an insolvent vault's part is than its last credit."""
SHARE_DECIMALS = 18


def per_credit(amount: int, delegated: int, precision: int = INDEX) -> int:
    """Index change of a signed ``amount`` over ``delegated`` credit, truncated."""
    return mul_div_toward_zero(amount, precision, delegated)


def part_of(index_change: int, credit: int, precision: int = INDEX) -> int:
    """What ``credit`` receives of an index change, truncated toward zero: never more than was put in."""
    return mul_div_toward_zero(index_change, credit, precision)


def vault_debt(realized: int, settled_usd: int, unrealized: int) -> int:
    """What a vault owes (negative: is owed): realised debt less its settlement tokens, plus unrealised debt."""
    return realized - settled_usd + unrealized


def market_realized(issued: int, deposits_usd: int) -> int:
    """Realised debt of a market: stable tokens issued for it less what losers have deposited."""
    return issued - deposits_usd


def capacity(credit: int, debt: int) -> int:
    """What is left of ``credit`` after ``debt``; negative when insolvent. Vaults and markets alike."""
    return credit - debt


def locked(vault_capacity: int, locked_ratio: int) -> int:
    """The part of a vault's capacity that a redemption must leave behind; 0 when insolvent."""
    return mul_div_down(max(vault_capacity, 0), locked_ratio, RATE)


def lent(vault_capacity: int, weight: int, total_weight: int) -> int:
    """Credit lent to one market by weight; all of them together never exceed the capacity."""
    return mul_div_down(max(vault_capacity, 0), weight, total_weight) if total_weight else 0


def bearing(credit: int, last_credit: int, last_bearing: int) -> int:
    """What a vault bears a market's debt by: the credit it lends, or the shadow of what it lent last.

    The shadow is a 1e15th: nothing beside credit, but in proportion among vaults that are all insolvent.
    """
    if credit:
        return credit
    return max(1, mul_div_down(last_credit, 1, SHADOW)) if last_credit else last_bearing


def net_assets(assets: int, decimals: int, debt: int, price: int) -> int:
    """What all shares are worth in base units of the collateral, plus the one unit that guards an empty vault.

    ``assets`` less ``debt`` (USD) at ``price``, reckoned at 18 decimals and rounded down (reference section 4).
    ``vault_insolvent`` when nothing is left.
    """
    if decimals > SHARE_DECIMALS:
        raise Reject(Code.INVALID_SETTING, limit=SHARE_DECIMALS, actual=decimals, detail="decimals of the collateral")
    widening = UNITS[SHARE_DECIMALS - decimals]
    owed = mul_div_toward_zero(debt, UNITS[SHARE_DECIMALS], price)
    net = assets * widening + widening - owed
    if net < widening:
        raise Reject(Code.VAULT_INSOLVENT, limit=assets, actual=owed)
    return mul_div_down(net, 1, widening)


def shares_for(assets: int, net: int, supply: int) -> int:
    """Shares that ``assets`` buy, rounded down."""
    return mul_div_down(assets, supply + 1, net)


def assets_for(shares: int, net: int, supply: int) -> int:
    """Collateral that ``shares`` are worth, rounded down."""
    return mul_div_down(shares, net, supply + 1)


def split_fee(amount: int, protocol_share: int) -> tuple[int, int]:
    """``(protocol, vaults)`` of a fee; the dust goes to the vaults."""
    protocol = mul_div_down(amount, protocol_share, RATE)
    return protocol, amount - protocol


def divided(amount: int, shares: tuple[int, ...]) -> list[int]:
    """``amount`` pro rata to ``shares``, each rounded down; the last receives what is left."""
    total = sum(shares)
    parts = [mul_div_down(amount, share, total) for share in shares[:-1]]
    return [*parts, amount - sum(parts)]


def recipient_parts(amount: int, shares: tuple[int, ...]) -> list[int]:
    """``amount`` for fee recipients by their ``shares`` (1e18); the last receives what is left.

    The share is taken first, then scaled up to the whole, each rounded down as the reference does.
    """
    total = sum(shares)
    parts = [mul_div_down(mul_div_down(amount, share, RATE), RATE, total) for share in shares[:-1]]
    return [*parts, amount - sum(parts)]
