"""Cross-margin accounts: screening plus exact confirmation finds what the slow exact scan finds."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.screening.exact import (
    BPS,
    RATE,
    USD,
    CrossAccount,
    CrossRules,
    Held,
    Tick,
    cross_margin_due,
    turning_point,
)
from zlp.screening import (
    AccountTable,
    CrossCollateral,
    CrossPosition,
    Headroom,
    Leg,
    Ratio,
    cross_margin_variables,
    fold_cross_margin,
)

MARKETS = ("BTC", "ETH", "SOL", "XRP")


def pair(low: int, spread: int = 0) -> tuple[int, int]:
    """A low and a high price."""
    return low, low + spread


def fold(account: CrossAccount, rules: CrossRules) -> Headroom:
    return fold_cross_margin(
        collaterals=[
            CrossCollateral(asset=token, amount=amount, unit=rules.unit, factor_bps=rules.factor_bps)
            for token, amount in account.collateral.items()
        ],
        positions=[
            CrossPosition(
                market=held.market,
                asset_class="crypto",
                size=held.size,
                average_price=held.average_price,
                profit_cap=held.reserve,
                entry_borrow=held.entry_borrow,
                entry_funding=held.entry_funding,
                closing_fee=Ratio(max(rules.maker, rules.taker), 10**8),
                maximum_skew_scale=rules.maximum_skew_scale,
                maintenance_margin_bps=rules.maintenance_bps,
            )
            for held in account.positions
        ],
        debts=account.debts,
        liquidation_fee=rules.liquidation_fee,
        profit_share_bps=rules.profit_share_bps,
    )


def variables(tick: Tick, markets: tuple[str, ...] = MARKETS) -> dict[object, int]:
    """The variables of a tick in these markets alone."""
    return cross_margin_variables(
        prices={market: tick.prices[market] for market in markets},
        markets={market: (tick.skews[market], tick.funding[market]) for market in markets},
        borrow={"crypto": tick.borrow},
    )


usd = st.integers(1, 500) | st.integers(0, 150).flatmap(lambda bits: st.integers(1, 2**bits))
signed_usd = st.builds(lambda amount, sign: amount * sign, usd, st.sampled_from([1, -1]))
scales = st.sampled_from([0, 1_000 * USD, 300_000_000 * USD, 2**150])


@st.composite
def ticks(draw: st.DrawFn, scale: int) -> Tick:
    """Any prices; skews within what keeps the adaptive price positive."""
    bound = min(scale // 4, 2**140) if scale else 2**140
    return Tick(
        prices={market: pair(draw(usd), draw(st.integers(0, 3))) for market in MARKETS},
        skews={market: draw(st.integers(-bound, bound)) for market in MARKETS},
        funding={market: draw(st.integers(-RATE, RATE)) for market in MARKETS},
        borrow=RATE + draw(st.integers(0, RATE)),
    )


@st.composite
def cross_accounts(draw: st.DrawFn) -> CrossAccount:
    """Any account: up to four positions and tokens, with debts."""
    held = st.builds(
        Held,
        market=st.sampled_from(MARKETS),
        size=signed_usd,
        average_price=usd,
        reserve=st.just(0) | usd,
        entry_borrow=st.integers(0, RATE),
        entry_funding=st.integers(-RATE, RATE),
    )
    return CrossAccount(
        collateral=draw(st.dictionaries(st.sampled_from(MARKETS), usd, max_size=3)),
        positions=tuple(draw(st.lists(held, max_size=4, unique_by=lambda each: each.market))),
        debts=draw(st.just(0) | usd),
    )


small = st.integers(1, 1_000)


@given(
    collateral=st.integers(0, 400),
    sizes=st.lists(st.integers(-1_000, 1_000).filter(bool), min_size=1, max_size=4),
    averages=st.lists(small, min_size=4, max_size=4),
    prices=st.lists(small, min_size=4, max_size=4),
    skews=st.lists(st.integers(-2_000, 2_000), min_size=4, max_size=4),
    rates=st.lists(st.integers(-RATE // 10, RATE // 10), min_size=9, max_size=9),
    rules=st.builds(
        CrossRules,
        unit=st.just(1),
        factor_bps=st.integers(5_000, BPS),
        liquidation_fee=st.integers(0, 3),
        maintenance_bps=st.integers(0, 1_000),
        taker=st.sampled_from([0, 70_000]),
        maker=st.just(0),
        maximum_skew_scale=st.sampled_from([0, 4_000, 10**9]),
        profit_share_bps=st.integers(0, BPS),
    ),
)
@settings(max_examples=500)
def test_single_units_are_not_lost(
    collateral: int,
    sizes: list[int],
    averages: list[int],
    prices: list[int],
    skews: list[int],
    rates: list[int],
    rules: CrossRules,
) -> None:
    """N3, N11: amounts of a few units, where every truncation of the exact rule is larger than any float margin."""
    held = tuple(
        Held(market, size, average, abs(size) // 3, abs(rates[-1]), rate)
        for market, size, average, rate in zip(MARKETS, sizes, averages, rates, strict=False)
    )
    account = CrossAccount({"BTC": collateral, "XRP": 1}, held, collateral % 7)
    tick = Tick(
        prices=dict(zip(MARKETS, map(pair, prices), strict=True)),
        skews=dict(zip(MARKETS, skews, strict=True)),
        funding=dict(zip(MARKETS, rates[4:8], strict=True)),
        borrow=RATE // 5,
    )
    table: AccountTable[int] = AccountTable()
    table.upsert(0, fold(account, rules))

    def is_due(price: int) -> bool:
        tick.prices["BTC"] = pair(price)
        return cross_margin_due(account, tick, rules)

    for price in (prices[0], *turning_point(is_due, 1, 3_000)):
        due = is_due(price)
        assert table.due(variables(tick)) == [0] or not due


@given(st.data(), scales)
@settings(max_examples=200)
def test_screening_and_confirmation_agree_with_the_exact_scan(data: st.DataObject, scale: int) -> None:
    """N3, N11: no account below its maintenance margin is missed, at any magnitude, premium included."""
    rules = CrossRules(
        maximum_skew_scale=scale,
        unit=data.draw(st.sampled_from([1, 10**8])),
        liquidation_fee=data.draw(st.sampled_from([0, 5 * USD])),
        maintenance_bps=data.draw(st.sampled_from([0, 50, 9_000])),
    )
    accounts = data.draw(st.lists(cross_accounts(), min_size=1, max_size=6))
    table: AccountTable[int] = AccountTable()
    for key, account in enumerate(accounts):
        table.upsert(key, fold(account, rules))

    tick = data.draw(ticks(scale))
    one, market = data.draw(st.sampled_from(accounts)), data.draw(st.sampled_from(MARKETS))

    def one_is_due(price: int) -> bool:
        tick.prices[market] = pair(price)
        return cross_margin_due(one, tick, rules)

    for price in (tick.prices[market][0], *turning_point(one_is_due, 1, data.draw(usd))):
        tick.prices[market] = pair(price)
        candidates = table.due(variables(tick))
        exact = {key for key, account in enumerate(accounts) if cross_margin_due(account, tick, rules)}
        assert exact <= set(candidates)
        assert len(candidates) == len(set(candidates))


def made_accounts(draw: random.Random, count: int, prices: dict[str, int]) -> list[CrossAccount]:
    accounts = []
    for _ in range(count):
        positions = []
        for market in draw.sample(MARKETS, draw.randrange(1, 4)):
            size = int(draw.lognormvariate(8, 1.5) * 1e6) * 10**24 * draw.choice([1, -1])
            average = int(prices[market] / USD * draw.uniform(0.9, 1.1) * 1e6) * 10**24
            reserve = abs(size) * 9 // 100
            entry_borrow, entry_funding = draw.randrange(RATE // 50), draw.randrange(-(RATE // 50), RATE // 50)
            positions.append(Held(market, size, average, reserve, entry_borrow, entry_funding))
        gross = sum(abs(held.size) for held in positions)
        token = draw.choice(MARKETS)
        worth = gross / draw.uniform(2, 40)
        collateral = {token: int(worth / prices[token] * 1e8)}
        accounts.append(CrossAccount(collateral, tuple(positions), int(gross / 1e4 * draw.random())))
    return accounts


def made_tick(draw: random.Random, prices: dict[str, int]) -> Tick:
    return Tick(
        prices={
            market: pair(int(price * draw.uniform(0.93, 1.07)), price // 2_000) for market, price in prices.items()
        },
        skews={market: int(draw.uniform(-30e6, 30e6)) * USD for market in MARKETS},
        funding={market: draw.randrange(-(RATE // 50), RATE // 50) for market in MARKETS},
        borrow=RATE // 50,
    )


@pytest.mark.parametrize("seed", [3, 4])
def test_a_large_book_is_found_exactly(seed: int) -> None:
    """N3: 10,000 seeded accounts, ticks of single markets, changes in between; false candidates are rare.

    The fold takes the greater closing fee, so an account within that fee of its margin may be a candidate.
    """
    draw, rules = random.Random(seed), CrossRules()
    prices = {"BTC": 60_000 * USD, "ETH": 1_800 * USD, "SOL": 150 * USD, "XRP": USD // 2}
    accounts = dict(enumerate(made_accounts(draw, 10_000, prices)))
    table: AccountTable[int] = AccountTable()
    for key, account in accounts.items():
        table.upsert(key, fold(account, rules))
    now = made_tick(draw, prices)
    table.due(variables(now))

    for step in range(6):
        market = draw.choice(MARKETS)
        new = made_tick(draw, prices)
        for part in ("prices", "skews", "funding"):
            getattr(now, part)[market] = getattr(new, part)[market]
        for key in draw.sample(sorted(accounts), 2_000):
            table.remove(key)
            del accounts[key]
        for key, account in enumerate(made_accounts(draw, 2_000, prices), start=20_000 + 2_000 * step):
            accounts[key] = account
            table.upsert(key, fold(account, rules))

        exact = {key for key, account in accounts.items() if cross_margin_due(account, now, rules)}
        candidates = set(table.due(variables(now, (market,))))

        assert exact <= candidates, f"seed {seed}, step {step}: due accounts were missed"
        assert len(candidates - exact) < len(accounts) // 50
        assert 100 < len(exact) < len(accounts) - 100
        assert len(table) == len(accounts)


def single(constant: int, **legs: tuple[int, int]) -> Headroom:
    """An account with one leg per named variable: coefficient and constant."""
    return Headroom(
        constant=Ratio(constant),
        legs=tuple(
            Leg(terms=((name, Ratio(coefficient)),), constant=Ratio(offset))
            for name, (coefficient, offset) in legs.items()
        ),
    )


def test_an_account_with_exactly_no_headroom_is_a_candidate() -> None:
    """N3: the sharpest case. Terms cancel to exactly zero; any rounding the wrong way would miss the account."""
    draw = random.Random(5)

    def number(bits: int) -> Fraction:
        return Fraction(draw.randrange(-(2**bits), 2**bits), draw.randrange(1, 2 ** draw.randrange(1, 60)))

    def ratio(number: Fraction) -> Ratio:
        return Ratio(number.numerator, number.denominator)

    for _ in range(3_000):
        values = {name: draw.randrange(-(2**60), 2**60) for name in ("x", "y", "z")}
        share, headroom, groups = Fraction(draw.randrange(100), 100), Fraction(0), []
        for _ in range(2):
            legs, total = [], Fraction(0)
            for _ in range(draw.randrange(12)):
                names = draw.sample(sorted(values), 2)
                coefficients = [number(100), number(100)]
                constant, cap = number(160), abs(number(155)) if draw.random() < 0.5 else None
                value = constant + sum(c * values[name] for c, name in zip(coefficients, names, strict=True))
                total += value if cap is None else min(value, cap)
                terms = tuple((name, ratio(c)) for name, c in zip(names, coefficients, strict=True))
                legs.append(Leg(terms=terms, constant=ratio(constant), cap=None if cap is None else ratio(cap)))
            headroom += min(total, share * total) if not groups else total
            groups.append(tuple(legs))
        table: AccountTable[str] = AccountTable()
        account = Headroom(constant=ratio(-headroom), profit_legs=groups[0], legs=groups[1], profit_share=ratio(share))
        table.upsert("row", account)

        assert table.due(values) == ["row"]


@pytest.mark.parametrize("group", ["legs", "profit_legs"])
def test_terms_that_cancel_within_a_leg_do_not_hide_an_account(group: str) -> None:
    """N3: c * x = -d * y exactly, so all that is left is rounding error; only the terms tell how large it is."""
    draw = random.Random(6)
    for _ in range(500):
        x, y = draw.randrange(1, 2**60), draw.randrange(1, 2**60)
        first = Ratio(draw.randrange(2**100), draw.randrange(1, 2**50))
        second = Ratio(-first.numerator * x, first.denominator * y)
        table: AccountTable[str] = AccountTable()
        table.upsert("row", Headroom(constant=0, **{group: (Leg(terms=(("x", first), ("y", second))),)}))

        assert table.due({"x": x, "y": y}) == ["row"]


def test_only_exposed_changed_or_due_accounts_are_returned() -> None:
    """N3: a tick looks at the accounts exposed to it, at those changed since, and at those still due."""
    table: AccountTable[str] = AccountTable()
    table.upsert("a", single(-100, x=(1, 0)))
    table.upsert("b", single(-100, y=(1, 0)))
    assert set(table.due({"x": 150})) == {"b"}, "an account exposed to an unknown value is a candidate"
    assert table.due({"y": 150}) == []
    assert table.due({"x": 50}) == ["a"]
    assert table.due({"y": 140}) == ["a"], "still due, although its variable did not change"
    assert table.due({}) == ["a"]
    table.upsert("a", single(-10, x=(1, 0)))
    assert table.due({}) == []
    table.upsert("b", single(-1_000, y=(1, 0)))
    assert table.due({}) == ["b"], "changed, so evaluated without a tick"
    table.remove("b")
    assert table.due({"y": 0}) == []


def test_more_variables_than_bits() -> None:
    """N3: variables share bits; sharing costs time, never an account."""
    table: AccountTable[int] = AccountTable()
    for key in range(200):
        table.upsert(key, single(-100, **{f"v{key}": (1, 0)}))
    assert table.due({f"v{key}": 200 for key in range(200)}) == []
    for key in range(200):
        assert table.due({f"v{key}": 100}) == [key]
        assert table.due({f"v{key}": 200}) == []


def test_a_profit_is_capped_by_leg_and_counted_by_its_share() -> None:
    """N6, N7: min(cap, profit) for each position, then the share of a net profit; losses count in full."""
    winner = Leg(terms=(("x", Ratio(1)),), cap=Ratio(50))
    loser = Leg(terms=(("y", Ratio(-1)),))
    table: AccountTable[int] = AccountTable()
    table.upsert(0, Headroom(constant=Ratio(-39), profit_legs=(winner, loser), profit_share=Ratio(80, 100)))
    table.upsert(1, Headroom(constant=Ratio(61), profit_legs=(winner, loser), profit_share=Ratio(80, 100)))

    assert table.due({"x": 1_000, "y": 0}) == []  # 0.8 * 50 = 40
    assert table.due({"x": 1_000, "y": 2}) == [0]  # 0.8 * 48 < 39
    assert table.due({"x": 0, "y": 60}) == [0]
    assert set(table.due({"x": 0, "y": 62})) == {0, 1}


def test_an_account_too_large_for_floats_is_always_a_candidate() -> None:
    """A row that no column can hold is confirmed exactly at every tick: slow for one account, never wrong."""
    table: AccountTable[str] = AccountTable()
    table.upsert("huge", single(10**300, x=(10**200, 0)))
    table.upsert("huge loss", single(-(10**400), x=(1, 0)))
    table.upsert("plain", single(1, x=(1, 0)))

    assert set(table.due({"x": 2**200})) == {"huge", "huge loss"}
    assert set(table.due({"x": 1})) == {"huge", "huge loss"}


def test_what_does_not_fit_is_refused_and_changes_nothing() -> None:
    """A4: clear errors, and the account that was there stays."""
    table: AccountTable[str] = AccountTable()
    table.upsert("a", single(-100, x=(1, 0)))
    term = ("x", Ratio(1))
    bad = [
        (Headroom(constant=Ratio(1), legs=(Leg(terms=(term, term, term)),)), "at most two terms"),
        (Headroom(constant=Ratio(1), legs=(Leg(terms=(term,), cap=Ratio(-1)),)), "not negative"),
        (Headroom(constant=Ratio(1), legs=(Leg(terms=(term,)),) * 1_001), "at most 1000 legs"),
        (Headroom(constant=Ratio(1), profit_share=Ratio(11, 10)), "between 0 and 1"),
    ]
    for headroom, message in bad:
        with pytest.raises(ValueError, match=message):
            table.upsert("a", headroom)
    with pytest.raises(KeyError):
        table.remove("b")
    with pytest.raises(ValueError, match=r"2\*\*500"):
        table.due({"x": 2**500})

    assert table.due({"x": 100}) == ["a"]
    assert table.due({"x": 101}) == []
    assert len(table) == 1


def test_an_account_without_positions_owes_no_liquidation_fee() -> None:
    """N3: with debts and no position, an account is due only when its collateral does not cover them."""
    rules = CrossRules(factor_bps=BPS)
    account = CrossAccount({"ETH": 10**8}, (), 1_800 * USD)
    table: AccountTable[int] = AccountTable()
    table.upsert(0, fold(account, rules))
    tick = Tick({"ETH": pair(1_801 * USD)}, {"ETH": 0}, {"ETH": 0}, 0)

    assert table.due(variables(tick, ("ETH",))) == []
    tick.prices["ETH"] = pair(1_800 * USD - 1)
    assert cross_margin_due(account, tick, rules)
    assert table.due(variables(tick, ("ETH",))) == [0]


def test_the_value_of_each_collateral_is_truncated() -> None:
    """N3: three collaterals of 1.9 units count 1 each, so a debt of 4 makes the account due."""
    rules = CrossRules(unit=10, factor_bps=BPS)
    account = CrossAccount(dict.fromkeys(("BTC", "ETH", "SOL"), 1), (), 4)
    tick = Tick(dict.fromkeys(MARKETS, pair(19)), dict.fromkeys(MARKETS, 0), dict.fromkeys(MARKETS, 0), 0)
    table: AccountTable[int] = AccountTable()
    table.upsert(0, fold(account, rules))

    assert cross_margin_due(account, tick, rules)
    assert table.due(variables(tick)) == [0]
