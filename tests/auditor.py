"""A second bookkeeper, written apart from the engine: it sees only what was asked and what the receipts say.

From `Transferred`, `Issued` and `Retired` alone it re-derives every balance and supply, from `PositionChanged`
every open position and with them what a basket pool owes and is owed, from `FeeCharged` what a pool collected.
`observe` compares what one command touched, `faults` the whole state. It imports no branch, ledger or mechanism.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, TypeAlias

from zlp.engine import Envelope, Receipt, Root, pricing
from zlp.engine.commands.governance import Approve, Propose
from zlp.engine.events.ledger import Issued, Retired, Transferred
from zlp.engine.events.liquidity import FeeCharged, Swapped
from zlp.engine.events.revenue import EpochClaimed, FeesCollected
from zlp.engine.events.trading import PositionChanged
from zlp.engine.leaves.isolated import IsolatedSettings, Market, Position
from zlp.engine.leaves.ledger import Balance, Supply, Withdrawal
from zlp.engine.leaves.orders import Order
from zlp.engine.leaves.pool import AssetSettings, PoolAsset, PoolSettings
from zlp.engine.leaves.prices import PriceSettings
from zlp.engine.leaves.revenue import Epoch
from zlp.engine.mechanisms.shorts import SoundShorts

USD = 10**30
BOUND = 2**256
ENTRANCES = ("Deposit", "Faucet")
"""The only commands that may bring a token of the outside world into being."""
EXITS = ("SettleWithdrawal",)
"""The only commands that may make one disappear."""

SET_ASIDE: dict[str, type[Any]] = {"order": Order, "withdrawal": Withdrawal, "epoch": Epoch}
"""Holders named after a record, by their prefix."""
Moved: TypeAlias = tuple[PositionChanged, list[Transferred]]
"""A change of a position with the transfers that led to it."""
ROUNDINGS_OF_LONG = 4
"""Most base units that one action on a long leaves in the pool by truncating what it pays and books."""


class Disagreement(AssertionError):  # noqa: N818 - named by what it is
    """The engine's state is not what its own events say."""


class Auditor:
    """Balances, supplies and isolated positions by the events so far.

    ``observe`` every receipt in order; it raises ``Disagreement`` at the first command whose events do not
    explain the state. ``faults`` compares everything, the slow way.
    """

    def __init__(self) -> None:
        self.balances: dict[tuple[str, str], int] = defaultdict(int)
        self.supplies: dict[str, int] = defaultdict(int)
        self.positions: dict[str, PositionChanged] = {}
        self.fees: dict[tuple[str, str], int] = defaultdict(int)
        self.roundings: dict[tuple[str, str], int] = defaultdict(int)
        self.claims: set[tuple[int, str]] = set()
        self.backing: dict[str, int] = {}
        self.reserves: dict[str, int] = {}
        self.entries: dict[str, int] = {}
        self.commands = 0

    @classmethod
    def of(cls, envelopes: Iterable[Envelope], root: Root) -> Auditor:
        """Apply ``envelopes`` to ``root``, observing each; every one has to succeed (genesis)."""
        auditor = cls()
        for envelope in envelopes:
            receipt = root.apply(envelope)
            if receipt.rejection is not None:
                raise Disagreement(f"{envelope.command}: {receipt.rejection}")
            auditor.observe(envelope, receipt, root)
        return auditor

    def observe(self, envelope: Envelope, receipt: Receipt, root: Root) -> None:
        """Book one receipt and compare what it touched with the state. O(events)."""
        self.commands += 1
        if receipt.rejection is not None:
            self._require(not receipt.events, "a rejected command has events")
            return
        touched: set[tuple[str, str]] = set()
        change: dict[str, int] = defaultdict(int)
        transfers: list[Transferred] = []
        moved: dict[str, list[Moved]] = defaultdict(list)
        for event in receipt.events:
            if isinstance(event, Transferred):
                transfers.append(event)
                self._move(event.token, event.source, event.target, event.amount, touched)
            elif isinstance(event, Issued):
                self._move(event.token, "", event.target, event.amount, touched)
                change[event.token] += event.amount
                self._check_passage(envelope, event.token, ENTRANCES, root)
            elif isinstance(event, Retired):
                self._move(event.token, event.source, "", event.amount, touched)
                change[event.token] -= event.amount
                self._check_passage(envelope, event.token, EXITS, root)
            elif isinstance(event, PositionChanged):
                self._position(event)
                moved[event.position].append((event, transfers))
                transfers = []
            elif isinstance(event, EpochClaimed):
                claim = event.number, event.account
                self._require(claim not in self.claims, f"{event.account} claimed epoch {event.number} twice")
                self.claims.add(claim)
            elif isinstance(event, FeesCollected):
                routed = event.treasury + event.soulbound + event.buyback + event.providers
                self.fees[event.pool, event.token] -= routed
            elif isinstance(event, Swapped) and root.state.get(PoolSettings, (event.pool,)) is not None:
                most = event.gross_out * (event.fee_scale - event.fee_rate)
                self._require(event.amount_out * event.fee_scale <= most, "a swap's fee was rounded down")
            elif isinstance(event, FeeCharged):
                self._require(0 <= event.to_pool <= event.amount, "more of a fee went to the pool than there was")
                self.fees[event.pool, event.token] += event.amount - event.to_pool
        self._compare(touched, change, root)
        for events in moved.values():
            self._check_terms(events, root)

    def _move(self, token: str, source: str, target: str, amount: int, touched: set[tuple[str, str]]) -> None:
        """Both sides of one movement; the outside world is the empty name."""
        self._require(0 < amount < BOUND, f"{amount} {token} moved")
        for owner, signed in ((source, -amount), (target, amount)):
            if owner:
                self.balances[owner, token] += signed
                touched.add((owner, token))
                self._require(self.balances[owner, token] >= 0, f"{owner} went below zero {token}")

    def _check_passage(self, envelope: Envelope, token: str, allowed: tuple[str, ...], root: Root) -> None:
        """Tokens that have a market price come from outside: only custody creates or destroys them (A3)."""
        if root.state.get(PriceSettings, (token,)) is None or isinstance(envelope.command, (Propose, Approve)):
            return
        name = type(envelope.command).__name__
        self._require(name in allowed, f"{name} created or destroyed {token}")

    def _position(self, event: PositionChanged) -> None:
        """The position's story has no gap: it goes on from the size where it stopped."""
        known = self.positions.get(event.position)
        size = 0 if known is None else known.size_after
        self._require(event.size_before == size, f"{event.position}: {event.size_before} follows {size}")
        if event.size_after:
            self.positions[event.position] = event
        elif event.position in self.positions:
            del self.positions[event.position]
        if event.is_long:
            self.roundings[event.position.split("/")[0], event.collateral] += ROUNDINGS_OF_LONG

    def _check_money(
        self, event: PositionChanged, transfers: list[Transferred], settings: AssetSettings, root: Root
    ) -> None:
        """Tokens paid in and out are worth what the position's figures say, at the price that favours the pool."""
        known, holder = self.backing.get(event.position, 0), f"pool:{settings.pool}"
        low, high = pricing.bounds_at(root.state, event.collateral, root.time)
        gained = event.collateral_usd + event.fee_usd + event.carry_usd - event.pnl_usd - known
        if event.action in ("open", "extend", "deposit"):
            paid = [move.amount for move in transfers if (move.target, move.token) == (holder, event.collateral)]
            most = (paid[-1] if paid else 0) * low // 10**settings.decimals
            self._require(gained in (0, most), f"{event.position} got {gained} for tokens worth {most}")
        elif event.action in ("reduce", "close", "withdraw"):
            paid = [move.amount for move in transfers if (move.source, move.token) == (holder, event.collateral)]
            most = -gained * 10**settings.decimals // high
            self._require(
                most == 0 or (paid[-1] if paid else 0) == most, f"{event.position} paid out {paid}, owed {most}"
            )

    def _check_terms(self, events: list[Moved], root: Root) -> None:
        """What an isolated position has reserved and owes for funding, reckoned again from its size and the clock.

        Several changes in one command are followed but not judged: the state between them is gone.
        """
        event, transfers = events[-1]
        leaf = _isolated(root, event)
        pool = root.state.get(PoolSettings, (event.position.split("/")[0],))
        if pool is None:
            return
        asset = root.state.get(PoolAsset, (pool.pool, event.collateral))
        settings = root.state.get(AssetSettings, (pool.pool, event.collateral))
        assert asset is not None
        assert settings is not None
        if len(events) == 1:
            self._check_money(event, transfers, settings, root)
        before, entry = self.reserves.pop(event.position, 0), self.entries.pop(event.position, 0)
        if len(events) == 1 and pool.funding is not None and event.size_before and event.action != "liquidate":
            owed = event.size_before * (asset.funding_index - entry) // pool.funding.scale
            self._require(event.carry_usd == owed, f"{event.position} paid {event.carry_usd} funding, owed {owed}")
        self.backing.pop(event.position, None)
        if leaf is None:
            return
        self.backing[event.position] = event.collateral_usd
        self.reserves[event.position], self.entries[event.position] = leaf.reserved, asset.funding_index
        if len(events) > 1:
            return
        change = event.size_after - event.size_before
        if change > 0:
            least = before + (change * 10**settings.decimals // event.price if event.is_long else 0)
            self._require(leaf.reserved >= least, f"{event.position} reserved {leaf.reserved}, needs {least}")
        elif change < 0:
            left = before - before * -change // event.size_before
            self._require(leaf.reserved == left, f"{event.position} keeps {leaf.reserved} reserved of {left}")

    def _compare(self, touched: set[tuple[str, str]], change: dict[str, int], root: Root) -> None:
        sums: dict[str, int] = defaultdict(int)
        for owner, token in touched:
            leaf = root.state.get(Balance, (owner, token))
            held = 0 if leaf is None else leaf.amount
            expected = self.balances[owner, token]
            self._require(held == expected, f"{owner} holds {held} {token}, events say {expected}")
            self._require(held < BOUND, f"{owner} holds {held} {token}, beyond 2**256")
            sums[token] += held
        for token, difference in change.items():
            self.supplies[token] += difference
            supply = root.state.get(Supply, (token,))
            amount = 0 if supply is None else supply.amount
            expected = self.supplies[token]
            self._require(amount == expected, f"supply of {token} is {amount}, events say {expected}")

    def _require(self, holds: bool, sentence: str) -> None:
        if not holds:
            raise Disagreement(f"command {self.commands}: {sentence}")

    def faults(self, root: Root) -> list[str]:
        """Every difference between the whole state and what the events say."""
        return [
            *self._ledger_faults(root),
            *_orphan_faults(root),
            *self._asset_faults(root),
            *self._pool_faults(root),
        ]

    def _ledger_faults(self, root: Root) -> Iterator[str]:
        held = {leaf.key: leaf.amount for leaf in root.state.each(Balance) if leaf.amount}
        expected = {key: amount for key, amount in self.balances.items() if amount}
        for key in sorted(held.keys() | expected.keys()):
            if held.get(key, 0) != expected.get(key, 0):
                yield f"{key}: balance {held.get(key, 0)}, events say {expected.get(key, 0)}"
        supplies = {leaf.token: leaf.amount for leaf in root.state.each(Supply)}
        for token in sorted(supplies.keys() | self.supplies.keys()):
            amount, sum_of_events = supplies.get(token, 0), self.supplies.get(token, 0)
            if amount != sum_of_events:
                yield f"supply of {token}: {amount}, events say {sum_of_events}"

    def _asset_faults(self, root: Root) -> Iterator[str]:
        """A pool's uncollected fees are those charged; a token that backs no short lies in it with no remainder.

        The remainder is what truncated payouts of longs have left behind: at most a few units each.
        """
        for asset in root.state.each(PoolAsset):
            fees = self.fees[asset.pool, asset.token]
            if asset.fees != fees:
                yield f"{asset.key}: fees {asset.fees}, events say {fees}"
            settings = root.state.get(AssetSettings, (asset.pool, asset.token))
            remainder = self.balances[f"pool:{asset.pool}", asset.token] - asset.amount - asset.fees
            most = self.roundings[asset.pool, asset.token]
            if settings is not None and not settings.stable and not 0 <= remainder <= most:
                yield f"{asset.key}: {remainder} units belong to nobody, roundings explain {most}"

    def _pool_faults(self, root: Root) -> Iterator[str]:
        """What each basket pool reports of its traders, against the positions the events left open."""
        pools = [settings.pool for settings in root.state.each(IsolatedSettings)]
        for pool in pools:
            events = [event for event in self.positions.values() if event.position.startswith(f"{pool}/")]
            yield from _open_interest_faults(root, pool, events)
            yield from _reserve_faults(root, pool, {event.position for event in events})


def _isolated(root: Root, event: PositionChanged) -> Position | None:
    pool = event.position.split("/")[0]
    return root.state.get(Position, (pool, event.account, event.collateral, event.market, event.is_long))


def _orphan_faults(root: Root) -> Iterator[str]:
    """What is set aside for a record must not outlive it."""
    for balance in root.state.each(Balance):
        prefix, _, name = balance.owner.partition(":")
        kind = SET_ASIDE.get(prefix)
        if balance.amount and kind is not None and root.state.get(kind, (int(name),)) is None:
            yield f"{balance.owner} is gone and holds {balance.amount} {balance.token}"


def _open_interest_faults(root: Root, pool: str, events: list[PositionChanged]) -> Iterator[str]:
    longs: dict[str, int] = defaultdict(int)
    shorts: dict[str, int] = defaultdict(int)
    entries: dict[str, int] = defaultdict(int)
    guaranteed: dict[str, int] = defaultdict(int)
    for event in events:
        if event.is_long:
            longs[event.market] += event.size_after
            guaranteed[event.collateral] += event.size_after - event.collateral_usd
        else:
            shorts[event.market] += event.size_after
            entries[event.market] += event.size_after * USD // event.average_price
    rules = root.state.get(IsolatedSettings, (pool,))
    sound = rules is not None and isinstance(rules.shorts, SoundShorts)
    for market in root.state.each(Market):
        if market.pool != pool:
            continue
        pairs = [("longs", market.long_size, longs[market.token]), ("shorts", market.short_size, shorts[market.token])]
        if sound:
            pairs.append(("short entries", market.shorts.entry_tokens, entries[market.token]))
        for name, actual, expected in pairs:
            if actual != expected:
                yield f"{pool}:{market.token}: {name} {actual}, events say {expected}"
    for asset in root.state.each(PoolAsset):
        if asset.pool == pool and asset.guaranteed != guaranteed[asset.token]:
            yield f"{asset.key}: guaranteed {asset.guaranteed}, events say {guaranteed[asset.token]}"


def _reserve_faults(root: Root, pool: str, expected: set[str]) -> Iterator[str]:
    """Reserved tokens are those of the open positions; the events know every position and no other."""
    reserved: dict[str, int] = defaultdict(int)
    names = set()
    for position in root.state.each(Position):
        if position.pool == pool:
            reserved[position.collateral] += position.reserved
            names.add(position.name)
    for name in sorted(names ^ expected):
        yield f"{name}: in {'the state' if name in names else 'the events'} only"
    for asset in root.state.each(PoolAsset):
        if asset.pool != pool:
            continue
        if asset.reserved != reserved[asset.token]:
            yield f"{asset.key}: reserved {asset.reserved}, positions {reserved[asset.token]}"
        if asset.reserved > asset.amount:
            yield f"{asset.key}: reserved {asset.reserved} of {asset.amount}"


def slow_pool_value(root: Root, pool_name: str, prices: dict[str, int]) -> Fraction:
    """USD at 1e30 of a basket pool by its definition, exactly: one position after the other, no running sums.

    Its tokens, less what is set aside for longs, plus what each long owes, less what each short gains at
    ``prices`` (USD 1e30 per whole token). May be negative.
    """
    pool = root.state.get(PoolSettings, (pool_name,))
    assert pool is not None
    units: dict[str, int] = {}
    value = Fraction(pool.value_addition - pool.value_deduction)
    for token in pool.tokens:
        settings = root.state.get(AssetSettings, (pool_name, token))
        if settings is None or not settings.listed:
            continue
        units[token] = 10**settings.decimals
        asset = root.state.get(PoolAsset, (pool_name, token))
        value += Fraction((0 if asset is None else asset.amount) * prices[token], units[token])
    for position in root.state.each(Position):
        if position.pool != pool_name or position.index not in units:
            continue
        if position.is_long:
            value += position.size - position.collateral_usd
            value -= Fraction(position.reserved * prices[position.collateral], units[position.collateral])
        else:
            value -= position.size - Fraction(position.size * prices[position.index], position.average)
    return value
