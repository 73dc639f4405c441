"""Random sequences of commands over whole profiles, every command checked from all sides."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.properties.venue import BASES, TRADERS, USD, Venue
from zlp.engine import Receipt
from zlp.engine.commands.custody import Deposit, RequestWithdrawal, SettleWithdrawal, Transfer
from zlp.engine.commands.governance import SetParameter
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition, LiquidatePosition
from zlp.engine.commands.liquidity import Burn, Donate, Mint, Swap
from zlp.engine.events.liquidity import FeeCharged, SharesBurned, SharesMinted, Swapped
from zlp.engine.leaves.isolated import Position
from zlp.engine.leaves.pool import PoolAsset

traders = st.sampled_from(TRADERS)
whole = st.integers(0, 3)
worths = st.sampled_from((0, 1, 50, 1_000, 77_777, 1_000_000))
stakes = st.sampled_from((0, 6, 100, 100, 2_500, 2_500, 20_000, 150_000))
"""USD of collateral."""
shares = st.sampled_from((1, 3_333, 5_000, 9_999, 10_000, 10_001))
"""Parts of what somebody holds, in bps; one of them is too much."""


class VenueMachine(RuleBasedStateMachine):
    """Deposits, liquidity, swaps, positions, liquidations and prices over one profile; subclasses name it."""

    profile = ""

    @initialize()
    def open_venue(self) -> None:
        """Genesis, prices, some money for everybody, a first deposit in each token."""
        self.venue = Venue(self.profile)
        self.venue.post()
        for trader in TRADERS:
            for token in self.venue.pool.tokens:
                amount = self.venue.amount(token, 2_000_000)
                self.venue.ask("bridge", Deposit(account=trader, token=token, amount=amount))
        for token in self.venue.pool.tokens:
            self.mint("ann", self.venue.pool.tokens.index(token), 1_000_000)
        for is_long in (True, False):
            self.increase("ben", 0, 0, is_long, 20_000, 5)

    def token(self, index: int) -> str:
        """One of the pool's tokens."""
        tokens = self.venue.pool.tokens
        return tokens[index % len(tokens)]

    @rule(trader=traders, index=whole, worth=worths)
    def mint(self, trader: str, index: int, worth: int) -> None:
        """E2, E3."""
        token = self.token(index)
        command = Mint(pool=self.venue.pool.pool, token=token, amount=self.venue.amount(token, worth))
        worth = self.venue.value(maximise=True)
        receipt = self.venue.ask(trader, command)
        self.fees_bounded(receipt)
        for event in receipt.events:
            if isinstance(event, SharesMinted):
                assert event.pool_value_usd + USD // 10**18 >= worth - self.venue.dust()
                if event.supply and event.pool_value_usd:
                    assert event.shares * event.pool_value_usd <= event.value_usd * event.supply

    @rule(trader=traders, index=whole, part=shares)
    def burn(self, trader: str, index: int, part: int) -> None:
        """E2, E3."""
        held = self.venue.held(trader, self.venue.pool.share)
        command = Burn(pool=self.venue.pool.pool, token=self.token(index), shares=held * part // 10_000)
        worth = self.venue.value(maximise=False)
        receipt = self.venue.ask(trader, command)
        self.fees_bounded(receipt)
        for event in receipt.events:
            if isinstance(event, SharesBurned):
                assert event.pool_value_usd <= max(0, worth)
                assert event.value_usd * event.supply <= event.shares * event.pool_value_usd

    @rule(trader=traders, index=whole, out=whole, worth=worths)
    def mint_then_burn(self, trader: str, index: int, out: int, worth: int) -> None:
        """E2: who mints and burns what he got at the same prices gets no more than he gave, at the worse prices."""
        venue, token = self.venue, self.token(index)
        before = venue.held(trader, venue.pool.share)
        paid, prices = venue.amount(token, worth), venue.prices()
        if venue.ask(trader, Mint(pool=venue.pool.pool, token=token, amount=paid)).rejection is not None:
            return
        venue.now += venue.pool.cooldown
        got = venue.held(trader, venue.pool.share) - before
        other = self.token(out)
        worth_in = paid * venue.price(token)[0] * 10 ** venue.asset(other).decimals
        held = venue.held(trader, other)
        venue.ask(trader, Burn(pool=venue.pool.pool, token=other, shares=got))
        back = venue.held(trader, other) - held
        if venue.prices() == prices:
            assert back * venue.price(other)[1] * 10 ** venue.asset(token).decimals <= worth_in

    @rule(trader=traders, index=whole, out=whole, worth=worths, back=st.booleans())
    def swap(self, trader: str, index: int, out: int, worth: int, back: bool) -> None:
        """E9: a swap never gives more than it takes, and a round trip loses."""
        venue, token, other = self.venue, self.token(index), self.token(out)
        amount, held = venue.amount(token, worth), venue.held(trader, other)
        receipt = venue.ask(trader, Swap(pool=venue.pool.pool, path=(token, other), amount=amount))
        self.fees_bounded(receipt)
        if back and receipt.rejection is None:
            got = venue.held(trader, other) - held
            before = venue.held(trader, token)
            venue.ask(trader, Swap(pool=venue.pool.pool, path=(other, token), amount=got))
            assert venue.held(trader, token) - before <= amount

    @rule(trader=traders, index=whole, worth=worths)
    def donate(self, trader: str, index: int, worth: int) -> None:
        """A gift moves the price of shares, never their number."""
        token, supply = self.token(index), self.venue.supply(self.venue.pool.share)
        amount = self.venue.amount(token, worth) // 100
        self.venue.ask(trader, Donate(pool=self.venue.pool.pool, token=token, amount=amount))
        assert self.venue.supply(self.venue.pool.share) == supply

    @rule(trader=traders, index=whole, stable=whole, is_long=st.booleans(), worth=stakes, leverage=st.integers(0, 31))
    def increase(self, trader: str, index: int, stable: int, is_long: bool, worth: int, leverage: int) -> None:
        """E6, E7, E10."""
        volatile, stables = self.venue.tokens(stable=False), self.venue.tokens(stable=True)
        market = volatile[index % len(volatile)]
        collateral = market if is_long else stables[stable % len(stables)]
        command = IncreasePosition(
            pool=self.venue.pool.pool,
            market=market,
            collateral=collateral,
            is_long=is_long,
            amount=self.venue.amount(collateral, worth),
            size_delta=worth * USD * leverage,
        )
        self.fees_bounded(self.venue.act(trader, command))

    def position(self, index: int) -> Position | None:
        """One of the open positions."""
        found = list(self.venue.root.state.each(Position))
        return found[index % len(found)] if found else None

    @rule(index=st.integers(0, 20), part=shares, withdrawn=st.sampled_from((0, 0, 100, 5_000, 10_000)))
    def decrease(self, index: int, part: int, withdrawn: int) -> None:
        """E6, E10."""
        position = self.position(index)
        if position is None:
            return
        command = DecreasePosition(
            pool=position.pool,
            market=position.index,
            collateral=position.collateral,
            is_long=position.is_long,
            size_delta=position.size * part // 10_000,
            collateral_delta=position.collateral_usd * withdrawn // 10_000,
        )
        self.fees_bounded(self.venue.act(position.account, command))

    @rule(index=st.integers(0, 20), further_bps=st.sampled_from((0, 0, -100, -1, 1, 100, 3_000)))
    def liquidate(self, index: int, further_bps: int) -> None:
        """E11: the price moves to where the collateral is lost, or not quite, or beyond; the keeper tries."""
        position = self.position(index)
        if position is None:
            return
        move = position.average * position.collateral_usd // position.size * (10_000 + further_bps) // 10_000
        price = position.average - move if position.is_long else position.average + move
        base = self.venue.base(position.index)
        answer = price * base // (BASES[position.index] * USD)
        self.venue.post(**{position.index: max(base // 10, min(base * 10, answer))})
        command = LiquidatePosition(
            pool=position.pool,
            account=position.account,
            market=position.index,
            collateral=position.collateral,
            is_long=position.is_long,
        )
        self.venue.ask("keeper", command)

    @rule(index=whole, bps=st.sampled_from((-6_000, -1_000, -300, -10, 0, 10, 300, 1_000, 9_000)))
    def move_price(self, index: int, bps: int) -> None:
        """Prices jump; stable ones a tenth as far; all stay within a factor of ten."""
        token = self.token(index)
        base = self.venue.base(token)
        stable = self.venue.asset(token).stable
        last = base if stable else self.venue.answers[token]
        answer = last + last * bps // (100_000 if stable else 10_000)
        self.venue.post(**{token: max(base // 10, min(base * 10, answer))})

    @rule(away_bps=st.sampled_from((-300, -20, 0, 0, 20, 300)))
    def fast_price(self, away_bps: int) -> None:
        """E5: the keeper's fast price, near the primary or far from it."""
        self.venue.post_fast(away_bps)

    @rule(seconds=st.sampled_from((1, 60, 900, 3_600, 30_000, 100_000)))
    def wait(self, seconds: int) -> None:
        """Time passes; prices come back fresh now and then."""
        self.venue.now += seconds
        if seconds != 3_600:
            self.venue.post()

    @rule(trader=traders, to=traders, part=shares)
    def transfer(self, trader: str, to: str, part: int) -> None:
        """Shares change hands."""
        held = self.venue.held(trader, self.venue.pool.share)
        self.venue.ask(trader, Transfer(token=self.venue.pool.share, to=to, amount=held * part // 10_000))

    @rule(trader=traders, index=whole, part=shares, paid=st.booleans())
    def withdraw(self, trader: str, index: int, part: int, paid: bool) -> None:
        """Tokens leave, or come back."""
        token = self.token(index)
        amount = self.venue.held(trader, token) * part // 100_000
        receipt = self.venue.ask(trader, RequestWithdrawal(token=token, amount=amount, destination="bank"))
        for event in receipt.events:
            number = getattr(event, "number", None)
            if number is not None:
                self.venue.ask("bridge", SettleWithdrawal(withdrawal=number, paid=paid))

    @rule(field=st.sampled_from(("fee_to_pool_bps", "skew_surcharge_bps", "cooldown")), value=st.integers(0, 1_100))
    def govern(self, field: str, value: int) -> None:
        """A8: governance moves a number while everything goes on."""
        command = SetParameter(leaf="PoolSettings", key=f'["{self.venue.pool.pool}"]', field=field, value=str(value))
        self.venue.ask("governor", command)

    def fees_bounded(self, receipt: Receipt) -> None:
        """E3: no fee above the highest the mechanisms allow; every fee is what its rate says."""
        highest = highest_rate(self.venue)
        for event in receipt.events:
            if isinstance(event, (SharesMinted, SharesBurned, Swapped)):
                assert 0 <= event.fee_rate * 10**18 <= highest * event.fee_scale
            if isinstance(event, Swapped):
                kept = event.gross_out * (event.fee_scale - event.fee_rate) // event.fee_scale
                assert event.amount_out == kept
            if isinstance(event, FeeCharged):
                assert 0 <= event.to_pool <= event.amount

    @precondition(lambda self: hasattr(self, "venue"))
    @invariant()
    def everything_adds_up(self) -> None:
        """A3 and solvency: the engine's audit, ours, and the value of the pool the slow way."""
        assert self.venue.faults() == []
        for asset in self.venue.root.state.each(PoolAsset):
            assert asset.reserved <= asset.amount

    def teardown(self) -> None:
        """A2: replay and snapshot lead to the same digest."""
        if hasattr(self, "venue"):
            self.venue.require_repeatable()


def highest_rate(venue: Venue) -> int:
    """The highest swap, mint or burn fee the profile can charge, at 1e18."""
    fees = venue.pool.swap_fees
    surcharge = venue.pool.skew_surcharge_bps * 10**14
    names = ("mint_burn_bps", "swap_bps", "stable_swap_bps"), ("tax_bps", "mint_burn_tax_bps")
    if hasattr(fees, "tax_bps"):
        base, tax = (max(getattr(fees, name) for name in group) for group in names)
        return (base + tax) * 10**14 + surcharge
    return int(fees.max_fee) + surcharge


class ZeusMachine(VenueMachine):
    """The shipped profile."""

    profile = "zeus"


class MixedMachine(VenueMachine):
    """The same pool with other mechanisms."""

    profile = "mixed"


TestZeus = ZeusMachine.TestCase
TestMixed = MixedMachine.TestCase
TestZeus.settings = settings(settings.default, max_examples=100, stateful_step_count=50)
TestMixed.settings = settings(settings.default, max_examples=100, stateful_step_count=50)
