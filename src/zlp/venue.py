"""A venue in this process: the notebook-friendly way to use the engine.

    >>> from zlp import Venue
    >>> venue = Venue("zeus")
    >>> venue.set_prices(ETH="1800", BTC="30000", USDC="1", USDT="1")
    >>> venue.deposit("alice", "ETH", "10")
    >>> venue.mint("alice", "ETH", "5")
    >>> venue.open_position("alice", "ETH", "long", amount="1", leverage=5)
    >>> venue.positions()

Amounts go in as text, ``Decimal`` or ``int`` (never float) in whole tokens or USD, and come out as ``Decimal``.
"""

from __future__ import annotations

import time as clock
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from zlp.desks import Desk, PoolView, decimals_of, desk_of
from zlp.engine import Code, Command, Envelope, Receipt, Rejection, Root, ledger, pricing
from zlp.engine.codec import canonical
from zlp.engine.commands.credit import RedeemShares, RequestRedemption
from zlp.engine.commands.custody import Deposit, Transfer
from zlp.engine.commands.liquidity import Burn, Mint, Swap
from zlp.engine.commands.orders import ExecuteOrder, PlaceOrder
from zlp.engine.commands.prices import FastPrice, PostPrices, PostRounds, Round
from zlp.engine.commands.staking import UnstakeShares
from zlp.engine.events.orders import OrderCancelled
from zlp.engine.fixed import BPS, UNITS, USD, mul_div_down, value_of
from zlp.engine.leaves.access import Role, RoleHolder
from zlp.engine.leaves.credit import CreditCollateral, CreditVaultSettings
from zlp.engine.leaves.ledger import Balance
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.leaves.prices import FastFeedSettings, PriceFeed, PriceSettings
from zlp.engine.leaves.staking import Stake
from zlp.engine.rejections import Reject
from zlp.profiles.loader import Profile, load
from zlp.profiles.quantities import scaled
from zlp.tables import Table, decimal_of, markets_table, pools_table, positions_table

Amount = str | Decimal | int
"""A number of whole tokens or of USD."""


class Rejected(ValueError):  # noqa: N818 - named like the value it carries
    """A command was refused; nothing changed. ``rejection`` has the code, the limit and the value."""

    def __init__(self, rejection: Rejection) -> None:
        parts = [str(rejection.code)]
        if rejection.detail:
            parts.append(rejection.detail)
        if rejection.limit is not None:
            parts.append(f"limit {rejection.limit}, got {rejection.actual}")
        super().__init__("; ".join(parts))
        self.rejection = rejection


@contextmanager
def _planning() -> Iterator[None]:
    """What a desk refuses to plan is refused like what the engine refuses to do."""
    try:
        yield
    except Reject as refused:
        raise Rejected(refused.rejection) from None


class Outcome:
    """What a command did: ``receipt`` as the engine gave it, readable in a notebook."""

    def __init__(self, receipt: Receipt, venue: Venue) -> None:
        self.receipt = receipt
        self._venue = venue

    @property
    def events(self) -> tuple[Any, ...]:
        """The facts it made true."""
        return self.receipt.events

    def event(self, name: str) -> Any:
        """The last event of this type; ``LookupError`` if there is none."""
        for event in reversed(self.receipt.events):
            if type(event).__name__ == name:
                return event
        raise LookupError(f"no {name} among {[type(event).__name__ for event in self.receipt.events]}")

    def table(self) -> Table:
        """The events with amounts in whole units."""
        return Table.of_events(self.receipt.events, self._venue.scales)

    def __repr__(self) -> str:
        return f"#{self.receipt.sequence}\n{self.table()}"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


class Venue:
    """One venue of one profile, in memory. Every change goes through ``root.apply``."""

    def __init__(self, profile: str | Path | Profile = "zeus", *, time: int | None = None) -> None:
        self.profile = profile if isinstance(profile, Profile) else load(profile)
        self.root = Root()
        self.now = int(clock.time()) if time is None else time
        for envelope in self.profile.genesis(time=self.now):
            self._apply(envelope)

    @property
    def decimals(self) -> dict[str, int]:
        """Decimals of every token, as people count it; also of shares that a vault's first deposit will make."""
        return decimals_of(self.root.state)

    @property
    def scales(self) -> dict[str, int]:
        """Decimals of every token, and of every pool's share by ``pool:<name>``."""
        decimals = self.decimals
        shares = {f"pool:{view.pool}": decimals.get(view.share, 18) for view in self._pools()}
        return {**decimals, **shares}

    def _pools(self) -> list[PoolView]:
        return self.desk.pools(self.root.state, self.now)

    @property
    def desk(self) -> Desk:
        """The desk of this venue's trading design."""
        return desk_of(self.root.state)

    # commands ---------------------------------------------------------------------------------------------

    def apply(self, account: str, command: Command) -> Outcome:
        """Any command on behalf of an account; raises ``Rejected``."""
        return self._apply(Envelope(time=self.now, account=account, command=command))

    def quote(self, account: str, command: Command) -> Outcome:
        """What ``apply`` would do, without doing it; raises ``Rejected``."""
        receipt = self.root.quote(Envelope(time=self.now, account=account, command=command)).receipt
        if receipt.rejection is not None:
            raise Rejected(receipt.rejection)
        return Outcome(receipt, self)

    def _apply(self, envelope: Envelope) -> Outcome:
        receipt = self.root.apply(envelope)
        if receipt.rejection is not None:
            raise Rejected(receipt.rejection)
        return Outcome(receipt, self)

    def advance(self, seconds: int) -> None:
        """Let time pass; commands from here on carry the later second."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self.now += seconds

    def set_prices(self, **prices: Amount) -> Outcome:
        """Let prices be these from now on: ``set_prices(ETH="1800")``.

        As many rounds of the primary feed as the profile samples, so that no older one counts, and the same as
        fast price where the profile has a fast feed. Post rounds by ``apply`` to have them differ.
        """
        rounds = tuple(Round(asset, self._answer(asset, price)) for asset, price in prices.items())
        return self._post(tuple(item for item in rounds for _ in range(self._sampled(item.asset))))

    def _sampled(self, asset: str) -> int:
        settings = self.root.state.get(PriceSettings, (asset,))
        return 1 if settings is None else settings.sample_rounds

    def _post(self, rounds: tuple[Round, ...]) -> Outcome:
        keeper = self._holder(Role.KEEPER)
        outcome = self.apply(keeper, PostRounds(rounds=rounds))
        if self.root.state.get(FastFeedSettings, ()) is not None:
            fast = {item.asset: FastPrice(item.asset, self._scaled_answer(item)) for item in rounds}
            self.apply(keeper, PostPrices(prices=tuple(fast.values()), timestamp=self.now))
        return outcome

    def _scaled_answer(self, item: Round) -> int:
        settings = self.root.state.get(PriceSettings, (item.asset,))
        return mul_div_down(item.answer, USD, UNITS[8 if settings is None else settings.answer_decimals])

    def _answer(self, asset: str, price: Amount) -> int:
        settings = self.root.state.get(PriceSettings, (asset,))
        return scaled(price, UNITS[8 if settings is None else settings.answer_decimals])

    def deposit(self, account: str, token: str, amount: Amount) -> Outcome:
        """Credit tokens, as the bridge would."""
        return self.apply(
            self._holder(Role.BRIDGE), Deposit(account=account, token=token, amount=self.units(token, amount))
        )

    def transfer(self, account: str, token: str, to: str, amount: Amount) -> Outcome:
        """Send tokens to another account."""
        return self.apply(account, Transfer(token=token, to=to, amount=self.units(token, amount)))

    def mint(self, account: str, token: str, amount: Amount, *, pool: str = "", min_shares: Amount = 0) -> Outcome:
        """Put tokens into a pool for shares."""
        name, share = self._pool(pool)
        return self.act(
            account,
            Mint(
                pool=name,
                token=token,
                amount=self.units(token, amount),
                min_shares=self.units(share, min_shares),
            ),
        )

    def burn(self, account: str, token: str, shares: Amount, *, pool: str = "", min_amount: Amount = 0) -> Outcome:
        """Take tokens out of a pool for shares. Vaults that pay out after a delay want ``request`` and ``redeem``."""
        name, share = self._pool(pool)
        if self.root.state.get(CreditVaultSettings, (name,)) is not None:
            raise Rejected(Rejection(Code.ACTION_NOT_ALLOWED, detail="request(), advance() by the delay, redeem()"))
        wanted = self.units(share, shares)
        self._unstake(account, name, wanted - ledger.balance_of(self.root.state, account, share))
        return self.act(
            account,
            Burn(
                pool=name,
                token=token,
                shares=wanted,
                min_amount=self.units(token, min_amount),
            ),
        )

    def _unstake(self, account: str, pool: str, missing: int) -> None:
        """Free what is staked, as far as it is needed."""
        stake = self.root.state.get(Stake, (pool, account))
        if stake is not None and missing > 0:
            self.apply(account, UnstakeShares(pool=pool, amount=min(missing, stake.amount)))

    def request(self, account: str, shares: Amount, *, pool: str = "") -> Outcome:
        """Ask to leave a vault that pays out after a delay; the number of the request is in the event."""
        name, share = self._pool(pool)
        return self.apply(account, RequestRedemption(vault=name, shares=self.units(share, shares)))

    def redeem(self, account: str, redemption: int) -> Outcome:
        """Take what a request is worth, once its delay has passed."""
        return self.apply(account, RedeemShares(redemption=redemption))

    def swap(self, account: str, *path: str, amount: Amount, pool: str = "", min_amount: Amount = 0) -> Outcome:
        """Trade along a path of tokens: ``swap("bob", "USDC", "ETH", amount="1000")``."""
        name, _ = self._pool(pool)
        return self.act(
            account,
            Swap(
                pool=name,
                path=path,
                amount=self.units(path[0], amount),
                min_amount=self.units(path[-1], min_amount),
            ),
        )

    def open_position(
        self,
        account: str,
        market: str,
        side: str,
        *,
        amount: Amount,
        collateral: str = "",
        leverage: Amount | None = None,
        size: Amount | None = None,
        pool: str = "",
    ) -> Outcome:
        """Open or extend a position of ``size`` USD, or of ``leverage`` times what ``amount`` is worth."""
        if side not in ("long", "short"):
            raise ValueError("side is long or short")
        if (leverage is None) == (size is None):
            raise ValueError("give either size (USD) or leverage")
        views = (view for view in self.desk.markets(self.root.state, self.now) if view.market == market)
        view = next((view for view in views if not pool or view.pool in ("", pool)), None)
        if view is None:
            raise LookupError(f"no market {market}{f' of pool {pool}' if pool else ''}")
        accepted = view.long_collaterals if side == "long" else view.short_collaterals
        token = collateral or accepted[0]
        units = self.units(token, amount)
        size_usd = scaled(size, USD) if size is not None else self._leveraged(token, units, leverage or 0)
        with _planning():
            commands = self.desk.open(
                self.root.state,
                self.now,
                pool=view.pool,
                market=market,
                is_long=side == "long",
                collateral=token,
                amount=units,
                size_usd=size_usd,
            )
        return self._acts(account, commands)

    def _leveraged(self, token: str, units: int, leverage: Amount) -> int:
        terms = self.root.state.get(CreditCollateral, (token,))
        asset = token if terms is None else terms.asset
        low = pricing.bounds_at(self.root.state, asset, self.now)[0] if asset else USD
        worth = value_of(units, low, UNITS[self.decimals[token]])
        return mul_div_down(worth, scaled(leverage, BPS), BPS)

    def close_position(self, account: str, position: str, *, fraction: Amount = 1) -> Outcome:
        """Close a position (its name as ``positions()`` shows it), or a fraction of it."""
        share = scaled(fraction, 10_000)
        with _planning():
            commands = self.desk.close(self.root.state, self.now, position=position, fraction_bps=share)
        return self._acts(account, commands)

    def add_margin(self, account: str, position: str, amount: Amount, *, token: str = "") -> Outcome:
        """Back a position with ``amount`` more whole tokens: of what backs it, or of ``token`` where a design takes it.

        Where positions share the margin of an account, an empty ``position`` is the account's first.
        """
        return self._change_margin(account, amount, {"position": position, "token": token, "adds": True})

    def take_margin(self, account: str, position: str, amount: Amount, *, token: str = "") -> Outcome:
        """Take margin out, as far as the position can spare it; in USD where a design counts collateral so (ZEUS)."""
        return self._change_margin(account, amount, {"position": position, "token": token, "adds": False})

    def _change_margin(self, account: str, amount: Amount, asked: dict[str, Any]) -> Outcome:
        with _planning():
            token = self.desk.margin_token(self.root.state, self.now, **asked)
            units = self.units(token, amount) if token else scaled(amount, USD)
            if not units:
                raise ValueError("an amount of margin is above 0")
            commands = self.desk.margin(self.root.state, self.now, amount=units, **asked)
        return self._acts(account, commands)

    def _acts(self, account: str, commands: list[Command]) -> Outcome:
        for command in commands[:-1]:
            self.act(account, command)
        return self.act(account, commands[-1])

    def act(self, account: str, command: Command) -> Outcome:
        """An action; where the profile lets it run only at newer prices, by an order, a post and a keeper.

        The order pays the profile's execution fee from the account. The prices posted are the standing ones.
        """
        settings = self.root.state.get(OrderSettings, ())
        if settings is None or not command.orderable or type(command).__name__ in settings.immediate:
            return self._filled(account, self.apply(account, command))
        self.quote(account, command)
        placed = self.apply(account, PlaceOrder(action=canonical(command).decode(), fee=settings.minimum_fee))
        self.now += max(1, settings.keeper_delay)
        self._repost()
        number = placed.event("OrderPlaced").number
        done = self.apply(self._holder(Role.KEEPER), ExecuteOrder(number=number))
        for event in done.events:
            if isinstance(event, OrderCancelled):
                raise Rejected(Rejection(Code(event.reason), detail=f"order {number} was cancelled"))
        return done

    def _filled(self, account: str, outcome: Outcome) -> Outcome:
        """What came of an action that a keeper fills at a newer price, where the design has such; else the action."""
        if not self.desk.expected(self.root.state, self.now, account):
            return outcome
        self.now += 1
        self._repost()
        for keeper, fill in self.desk.expected(self.root.state, self.now, account):
            outcome = self.apply(keeper, fill)
        return outcome

    def _repost(self) -> None:
        feeds = [feed for feed in self.root.state.each(PriceFeed) if feed.rounds]
        self._post(tuple(Round(feed.asset, feed.rounds[-1]) for feed in feeds))

    # readings ---------------------------------------------------------------------------------------------

    def units(self, token: str, amount: Amount) -> int:
        """Base units of an amount in whole tokens; ``ValueError`` for floats and too many digits."""
        decimals = self.decimals
        if token not in decimals:
            raise LookupError(f"no token {token}; there are {', '.join(decimals)}")
        return scaled(amount, UNITS[decimals[token]])

    def price(self, asset: str) -> tuple[Decimal, Decimal]:
        """Minimum and maximum price in USD."""
        low, high = pricing.bounds_at(self.root.state, asset, self.now)
        return decimal_of(low, USD), decimal_of(high, USD)

    def balance(self, account: str, token: str) -> Decimal:
        """What an account holds of a token."""
        return decimal_of(ledger.balance_of(self.root.state, account, token), UNITS[self.decimals[token]])

    def balances(self, account: str) -> dict[str, Decimal]:
        """Everything an account holds."""
        return {
            held.token: decimal_of(held.amount, UNITS[self.decimals[held.token]])
            for held in self.root.state.each(Balance)
            if held.owner == account and held.amount
        }

    def pools(self) -> Table:
        """Every pool: value, share price, utilisation."""
        return pools_table(self._pools(), self.decimals)

    def markets(self) -> Table:
        """Every market with prices, open interest and carry."""
        return markets_table(self.desk.markets(self.root.state, self.now))

    def positions(self, account: str = "") -> Table:
        """Open positions with PnL, health and liquidation price."""
        return positions_table(self.desk.positions(self.root.state, self.now, account))

    def audit(self) -> list[str]:
        """Every fault of the whole state; empty when all is well."""
        return self.root.audit()

    @property
    def digest(self) -> str:
        """The digest of the log so far: equal logs have equal digests on every machine."""
        return self.root.chain.hex()

    def _pool(self, name: str) -> tuple[str, str]:
        views = self._pools()
        view = next((view for view in views if not name or view.pool == name), None)
        if view is None:
            raise LookupError(f"no pool {name}; there are {', '.join(view.pool for view in views)}")
        return view.pool, view.share

    def _holder(self, role: Role) -> str:
        held = next((leaf.holder for leaf in self.root.state.each(RoleHolder) if leaf.role == role), None)
        if held is None:
            raise LookupError(f"nobody holds the role {role}")
        return held

    def __repr__(self) -> str:
        return f"Venue({self.profile.title}, {self.root.sequence} commands, digest {self.digest[:12]})"
