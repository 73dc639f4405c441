"""Credit: delegation by weight, distribution of debt, profits as debt, the deleverage curve, settlement."""

import pytest
from msgspec.structs import replace

from tests.profiles.zaros.venue import UNIT, CreditVenue, market, vault
from zlp.engine import Envelope
from zlp.engine.commands import credit, credit_positions, liquidity
from zlp.engine.events.credit import ProfitMinted
from zlp.engine.fixed import RATE, USD
from zlp.engine.leaves.credit import CreditVault, CreditVaultSettings, CreditWeight, Delegation
from zlp.engine.leaves.credit_positions import CreditPosition
from zlp.engine.mechanisms.deleverage_curve import DeleverageCurve
from zlp.engine.rejections import Code

BTC = 100_000 * USD


def two_vaults() -> CreditVenue:
    """A vault of 3 million USD and one of 1 million behind one market; no fees on trades."""
    scene = CreditVenue([market(), vault("big", "ETHx"), vault("small", "WETH")])
    scene.deposit("lp1", "big", 1_500 * UNIT)
    scene.deposit("lp2", "small", 500 * UNIT)
    return scene


def test_credit_lent_never_exceeds_capacity() -> None:
    """Z3: weights split a vault's capacity; the parts add up to no more than the whole."""
    scene = CreditVenue([market("BTC"), market("ETH")])
    scene.configure(vault("v", "ETHx", markets=(("BTC", 2), ("ETH", 1))))
    scene.deposit("lp", "v", UNIT)

    lent = [scene.leaf(Delegation, "v", name).credit for name in ("BTC", "ETH")]
    assert lent == [4_000 * USD // 3, 2_000 * USD // 3]
    assert sum(lent) <= scene.owed("v")[1]


def test_a_market_left_out_is_settled_and_released() -> None:
    """Z3: a vault that stops lending to a market takes its part of the debt so far, and of none after it."""
    scene = CreditVenue([market("BTC"), market("ETH"), vault("v", "ETHx", markets=(("BTC", 1), ("ETH", 1)))])
    scene.deposit("lp", "v", 1_000 * UNIT)
    trader = scene.trader("t", USDC=10**11)
    scene.trade("t", trader, "BTC", UNIT, BTC)
    scene.price(BTC=101_000)
    settings = scene.leaf(CreditVaultSettings, "v")
    scene.configure(replace(settings, markets=(CreditWeight("ETH", 1),)))
    scene.refresh("v")
    borne = scene.owed("v")[0]
    scene.price(BTC=105_000)

    assert borne > 999 * USD
    assert scene.owed("v")[0] == borne
    assert scene.market("BTC").delegated == 0
    assert scene.market("ETH").delegated == scene.owed("v")[1]


def test_profit_is_debt_by_delegated_credit_and_loss_is_credit() -> None:
    """Z4: an unrealised profit, then its payment in new stable tokens, is borne three to one; a loss comes back so."""
    scene = two_vaults()
    trader = scene.trader("t", USDC=10**11)
    scene.trade("t", trader, "BTC", UNIT, BTC)
    scene.price(BTC=101_000)
    big, small = (scene.owed(name)[0] for name in ("big", "small"))
    assert abs(big - 3 * small) <= 4
    assert abs(big + small - 1_000 * USD) < USD // 1_000

    scene.trade("t", trader, "BTC", -UNIT, 101_000 * USD)
    assert abs(scene.owed("big")[0] - big) <= 4
    assert scene.supply("USDz") > 0
    scene.refresh("big", "small")
    assert abs(scene.vault("big").unrealized_debt) <= 4

    other = scene.trader("u", USDC=10**11)
    scene.trade("u", other, "BTC", UNIT, 101_000 * USD)
    scene.price(BTC=100_000)
    scene.trade("u", other, "BTC", -UNIT, BTC)
    assert abs(sum(scene.owed(name)[0] for name in ("big", "small"))) < USD // 1_000
    assert scene.root.audit() == []


def test_a_loss_in_settlement_tokens_reaches_the_vaults_at_once() -> None:
    """Z4: what a loser pays in the settlement token is the vaults' own, in proportion."""
    scene = two_vaults()
    trader = scene.trader("t", USDC=10**11)
    scene.trade("t", trader, "BTC", UNIT, BTC)
    scene.price(BTC=99_000)
    scene.trade("t", trader, "BTC", -UNIT, 99_000 * USD)
    scene.refresh("big", "small")

    assert scene.vault("big").settled == pytest.approx(3 * scene.vault("small").settled, abs=3)
    assert scene.vault("big").settled + scene.vault("small").settled == pytest.approx(1_000 * 10**6, abs=100)


def test_markets_pay_by_the_curve_and_nothing_beyond_their_credit() -> None:
    """Z3, Z5: full profit up to the start, part of it beyond, none at the end, a refusal without capacity."""
    payouts = []
    for price in (104_000, 106_000, 108_000, 125_000):
        curve = DeleverageCurve(start=10 * RATE // 100, end=15 * RATE // 100)
        scene = CreditVenue([market(deleverage=curve), vault("v", "ETHx")])
        scene.deposit("lp", "v", 25 * UNIT)
        trader = scene.trader("t", USDC=10**11)
        scene.trade("t", trader, "BTC", UNIT, BTC)
        scene.price(BTC=price)
        order = credit_positions.PlaceCreditOrder(trading_account=trader, market="BTC", size_delta=-UNIT)
        scene.must("t", order)
        events = scene.fill(trader, "BTC", price * USD).events
        paid = next(event for event in events if isinstance(event, ProfitMinted))
        payouts.append((paid.payout_factor * 100 // RATE, paid.minted * USD // UNIT * 100 // paid.profit_usd))
    assert payouts[0] == (100, 100)  # 8 % of the credit: all of it
    assert payouts[1] == (59, 59)  # a little over 12 %: two fifths of the way from the start to the end
    assert payouts[2:] == [(0, 0), (0, 0)]


def test_a_profit_beyond_the_credit_waits() -> None:
    """Z3: without capacity a profitable close is refused and the position stays; with new credit it is paid."""
    scene = CreditVenue([market(), vault("v", "ETHx")])
    scene.deposit("lp", "v", 25 * UNIT)
    trader = scene.trader("t", USDC=10**12)
    scene.trade("t", trader, "BTC", 5 * UNIT, BTC)
    scene.price(BTC=112_000)
    order = credit_positions.PlaceCreditOrder(trading_account=trader, market="BTC", size_delta=-5 * UNIT)
    scene.must("t", order)
    fill = credit_positions.FillCreditOrder(trading_account=trader, report=scene.report("BTC", 112_000 * USD))
    assert scene.refused("keeper", fill) is Code.INSUFFICIENT_CREDIT_CAPACITY
    assert scene.leaf(CreditPosition, trader, "BTC").size == 5 * UNIT

    scene.configure(vault("w", "WETH"))
    scene.deposit("lp2", "w", 1_000 * UNIT)
    scene.must("keeper", fill)
    assert scene.balance(f"margin:{trader}", "USDz") > 59_000 * UNIT


def test_new_credit_does_not_bear_old_debt() -> None:
    """Z4: a vault that joins after a price moved bears nothing of that move."""
    scene = two_vaults()
    trader = scene.trader("t", USDC=10**11)
    scene.trade("t", trader, "BTC", UNIT, BTC)
    scene.price(BTC=110_000)
    scene.configure(vault("late", "WBTC"))
    scene.deposit("lp3", "late", 10**9)

    assert scene.owed("late")[0] == 0
    scene.price(BTC=111_000)
    assert scene.owed("late")[0] > 0


def test_a_trade_touches_as_much_with_one_vault_as_with_fifty() -> None:
    """Z4: settling a trade writes the same leaves whatever the number of vaults and stakers behind the market."""
    written = []
    for count in (1, 50):
        scene = CreditVenue([market(), *(vault(f"v{n}", "ETHx") for n in range(count))])
        for n in range(count):
            shares = scene.deposit(f"lp{n}", f"v{n}", 1_000 * UNIT)
            scene.must(f"lp{n}", credit.StakeVaultShares(vault=f"v{n}", shares=shares))
        trader = scene.trader("t", USDC=10**11)
        scene.trade("t", trader, "BTC", UNIT, BTC)
        scene.price(BTC=101_000)
        order = credit_positions.PlaceCreditOrder(trading_account=trader, market="BTC", size_delta=-UNIT)
        scene.must("t", order)
        fill = credit_positions.FillCreditOrder(trading_account=trader, report=scene.report("BTC", 101_000 * USD))
        quote = scene.root.quote(Envelope(time=scene.now, account="keeper", command=fill))
        assert quote.receipt.accepted
        written.append({kind.__name__: len(leaves) for kind, leaves in quote.after.writes.items()})
    assert written[0] == written[1]
    assert CreditVault.__name__ not in written[0]


def losing(scene: CreditVenue) -> None:
    """A trader loses 1000 USD in ETHx to the market."""
    trader = scene.trader("loser", ETHx=100 * UNIT)
    scene.trade("loser", trader, "BTC", UNIT, BTC)
    scene.price(BTC=99_000)
    scene.trade("loser", trader, "BTC", -UNIT, 99_000 * USD)


def test_deposits_of_losers_become_settlement_tokens() -> None:
    """Z4, Z9: a conversion moves credit from the market to its vaults; only slippage and the fee are lost."""
    scene = two_vaults()
    losing(scene)
    before = sum(scene.owed(name)[0] for name in ("big", "small"))
    amount = scene.balance("deposits:BTC", "ETHx")
    scene.give("keeper", "USDC", 2_000 * 10**6)
    short = credit.ConvertDeposits(market="BTC", token="ETHx", delivered=980 * 10**6)
    assert scene.refused("keeper", short) is Code.DELIVERY_TOO_SMALL
    assert scene.refused("lp1", short) is Code.ROLE_REQUIRED
    delivered = amount * 2_000 * 10**6 // UNIT
    scene.must("keeper", credit.ConvertDeposits(market="BTC", token="ETHx", delivered=delivered))

    after = sum(scene.owed(name)[0] for name in ("big", "small"))
    assert 0 <= after - before - USD < USD // 1_000
    assert scene.balance("keeper", "ETHx") == amount
    assert scene.balance("rewards:protocol", "USDC") == 10**6
    again = credit.ConvertDeposits(market="BTC", token="ETHx", delivered=delivered)
    assert scene.refused("keeper", again) is Code.NOTHING_TO_SETTLE
    assert scene.root.audit() == []


def indebted(scene: CreditVenue, name: str, usd: int) -> None:
    """Let a vault owe realised debt, with the other vault its creditor, as lopsided swaps would."""
    state = scene.vault(name)
    scene.put(replace(state, realized_debt=state.realized_debt + usd, redeemed_usd=state.redeemed_usd - usd))


def test_rebalancing_moves_debt_and_no_worth() -> None:
    """Z9: the vault in debt pays x, the vault in credit receives x and is owed x less; nobody's worth changes but by
    the fee, and the sum of debts less what was paid is as before."""
    scene = two_vaults()
    indebted(scene, "big", 10_000 * USD)
    indebted(scene, "small", -4_000 * USD)
    worth = {name: scene.owed(name)[1] for name in ("big", "small")}
    scene.give("keeper", "USDC", 4_000 * 10**6)
    command = credit.RebalanceVaults(credit_vault="small", debt_vault="big", delivered=4_000 * 10**6)
    reverse = credit.RebalanceVaults(credit_vault="big", debt_vault="small", delivered=4_000 * 10**6)
    assert scene.refused("keeper", reverse) is Code.VAULT_NOT_IN_CREDIT
    scene.must("keeper", command)

    assert worth["big"] - scene.owed("big")[1] == USD
    assert scene.owed("small")[1] == worth["small"]
    assert scene.vault("big").realized_debt == 6_001 * USD
    assert scene.vault("small").realized_debt == -USD
    assert scene.vault("small").settled == 3_999 * 10**6
    assert scene.balance("keeper", "ETHx") == 2 * UNIT
    assert scene.root.audit() == []
    other = credit.RebalanceVaults(credit_vault="small", debt_vault="small", delivered=1)
    assert scene.refused("keeper", other) in (Code.VAULT_NOT_IN_CREDIT, Code.VAULT_NOT_IN_DEBT)


def test_rebalancing_ends_when_the_credit_is_paid() -> None:
    """Z9: its realised credit falls by what a vault receives, so it receives no more than that, however often asked:
    what it holds as settlement tokens already is no credit of another vault's debt."""
    scene = two_vaults()
    indebted(scene, "big", 10_000 * USD)
    indebted(scene, "small", -4_000 * USD)
    scene.give("keeper", "USDC", 20_000 * 10**6)
    command = credit.RebalanceVaults(credit_vault="small", debt_vault="big", delivered=4_001 * 10**6)
    scene.must("keeper", command)
    assert scene.vault("small").realized_debt == 0

    assert scene.refused("keeper", command) is Code.VAULT_NOT_IN_CREDIT
    assert scene.vault("small").settled == 4_000 * 10**6
    assert scene.vault("big").realized_debt == 6_000 * USD


def test_a_vault_in_debt_sells_collateral_a_vault_in_credit_buys() -> None:
    """Z9: settlement brings what is owed to zero in both directions; worth changes by the fee alone."""
    scene = two_vaults()
    indebted(scene, "big", 10_000 * USD)
    before = scene.owed("big")[1]
    scene.give("keeper", "USDC", 10_000 * 10**6)
    scene.must("keeper", credit.SettleVaultDebt(vault="big", delivered=10_000 * 10**6))
    assert scene.vault("big").realized_debt == USD
    assert before - scene.owed("big")[1] == USD
    assert scene.balance("settled:redeemable", "USDC") == 9_999 * 10**6

    trader = scene.trader("t", USDC=10**11)
    scene.trade("t", trader, "BTC", UNIT, BTC)
    scene.price(BTC=98_000)
    scene.trade("t", trader, "BTC", -UNIT, 98_000 * USD)
    scene.refresh("small")
    credit_tokens, before = scene.vault("small").settled, scene.owed("small")[1]
    assert credit_tokens > 499 * 10**6
    delivered = (credit_tokens - 10**6) * UNIT // (2_000 * 10**6)
    scene.give("keeper", "WETH", delivered)
    scene.must("keeper", credit.SettleVaultDebt(vault="small", delivered=delivered))
    assert scene.vault("small").settled == 0
    assert abs(before - scene.owed("small")[1] - USD) < USD // 1_000
    nothing = credit.SettleVaultDebt(vault="small", delivered=1)
    assert scene.refused("keeper", nothing) is Code.NOTHING_TO_SETTLE
    assert scene.root.audit() == []


def test_insolvent_vaults_recover_with_their_markets() -> None:
    """Z4: vaults that traders' open profits made insolvent lend nothing, and are as before, each by its part and in
    whatever order they look, when those profits are gone."""
    for order in (("big", "small"), ("small", "big")):
        scene = two_vaults()
        worth = {name: scene.owed(name)[1] for name in order}
        trader = scene.trader("t", USDC=10**13)
        scene.trade("t", trader, "BTC", 100 * UNIT, BTC)
        scene.price(BTC=150_000)
        scene.refresh(*order)
        assert scene.market("BTC").delegated == 0
        assert all(scene.owed(name)[1] < 0 for name in order)
        scene.give("new", "ETHx", UNIT)
        deposit = liquidity.Mint(pool="big", token="ETHx", amount=UNIT)
        assert scene.refused("new", deposit) is Code.VAULT_INSOLVENT
        scene.price(BTC=100_000)
        scene.refresh(*order)

        for name in order:
            assert abs(scene.owed(name)[1] - worth[name]) < USD
        assert scene.market("BTC").delegated > 3_999_000 * USD
        assert scene.root.audit() == []
