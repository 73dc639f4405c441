"""Swaps of the stable token: request, fulfil at a report's price, refund; premium, discount, settled debt."""

import pytest
from msgspec.structs import replace

from tests.profiles.zaros.venue import UNIT, CreditVenue, market, vault
from zlp.engine.commands import credit, stability
from zlp.engine.fixed import RATE, USD
from zlp.engine.leaves.credit import ReportFeed
from zlp.engine.leaves.stability import StabilitySettings
from zlp.engine.rejections import Code

ETH = 2_000 * USD


def scene_with(debt_usd: int = 0) -> CreditVenue:
    """Two vaults of 200,000 USD; the first owes ``debt_usd``; a holder of 20,000 stable tokens."""
    scene = CreditVenue([market(), vault("v", "ETHx"), vault("w", "WETH")])
    scene.deposit("lp", "v", 100 * UNIT)
    scene.deposit("lp", "w", 100 * UNIT)
    state = scene.vault("v")
    scene.put(replace(state, realized_debt=debt_usd * USD, redeemed_usd=-debt_usd * USD))
    scene.give("t", "USDz", 20_000 * UNIT)
    return scene


def request(scene: CreditVenue, amount: int = 10_000 * UNIT, least: int = 0) -> int:
    """Ask for a swap against the first vault; answers its number."""
    command = stability.RequestStableSwap(vault="v", amount=amount, min_amount=least)
    return int(scene.must("t", command).events[-1].swap)


def test_a_swap_pays_the_recorded_amounts_and_lowers_one_vaults_debt() -> None:
    """Z6: 1 USD and 30 bps off; the burn lowers the debt of the vault that paid by all of it, and no other's."""
    scene = scene_with()
    supply = scene.supply("USDz")
    scene.swap("t", "v", 10_000 * UNIT, ETH)

    assert scene.balance("t", "ETHx") == 4_984_500_000_000_000_000
    assert scene.balance("rewards:protocol", "ETHx") == 5_000_000_000_000_000
    assert scene.vault("v").realized_debt == -10_000 * USD
    assert scene.vault("w").realized_debt == 0
    assert supply - scene.supply("USDz") == 10_000 * UNIT
    assert scene.root.audit() == []


@pytest.mark.parametrize(
    ("debt", "paid"), [(110_000, 5_090_431_250_000_000_000), (-110_000, 4_878_568_750_000_000_000)]
)
def test_a_vault_in_debt_pays_a_premium_a_vault_in_credit_takes_a_discount(debt: int, paid: int) -> None:
    """Z6: 2.125 % more or less at a ratio of 55 %, as recorded."""
    scene = scene_with(debt)
    scene.swap("t", "v", 10_000 * UNIT, ETH)
    assert abs(scene.balance("t", "ETHx") - paid) <= 1


def test_requests_are_refused_before_anything_is_set_aside() -> None:
    """Z6, A4: nothing, no such vault, switched off, less than wanted, more than the vault has."""
    scene = scene_with()
    ask = stability.RequestStableSwap(vault="v", amount=10_000 * UNIT)
    assert scene.refused("t", replace(ask, amount=0)) is Code.ZERO_AMOUNT
    assert scene.refused("t", replace(ask, vault="none")) is Code.UNKNOWN_VAULT
    assert scene.refused("t", replace(ask, min_amount=5 * UNIT)) is Code.AMOUNT_BELOW_MINIMUM
    assert scene.refused("t", replace(ask, amount=10**6 * UNIT)) is Code.POOL_INSUFFICIENT
    assert scene.refused("t", replace(ask, amount=21_000 * UNIT)) is Code.INSUFFICIENT_BALANCE
    scene.configure(vault("v", "ETHx", live=False))
    assert scene.refused("t", ask) is Code.VAULT_NOT_LIVE


def test_only_a_good_report_fulfils() -> None:
    """Z6, A6, A7: another feed, too early, too old, expired, crossed, unsigned or far from the posted price."""
    scene = scene_with()
    scene.configure(ReportFeed("ETHx", "ETHx/USD", max_age=60, max_deviation_bps=100))
    number = request(scene)
    good = scene.report("ETHx", ETH)

    def code(**changes: object) -> Code:
        return scene.refused("keeper", stability.FulfilStableSwap(swap=number, report=replace(good, **changes)))

    assert code(feed="ETH/USD") is Code.REPORT_OF_ANOTHER_FEED
    assert code(valid_from=scene.now + 1) is Code.REPORT_NOT_YET_VALID
    assert code(valid_from=scene.now - 61) is Code.REPORT_TOO_OLD
    assert code(expires=scene.now - 1) is Code.REPORT_EXPIRED
    assert code(bid=good.ask + 1) is Code.REPORT_INVALID
    assert code(evidence="") is Code.REPORT_INVALID
    wide = {"price": ETH * 102 // 100, "ask": ETH * 102 // 100}
    assert code(**wide) is Code.REPORT_DEVIATES
    fulfil = stability.FulfilStableSwap(swap=number, report=good)
    assert scene.refused("t", fulfil) is Code.ROLE_REQUIRED
    scene.must("keeper", fulfil)
    assert scene.refused("keeper", fulfil) is Code.UNKNOWN_STABLE_SWAP


def test_the_owner_gets_his_minimum_or_keeps_his_tokens() -> None:
    """Z6: a price that pays less than the minimum does not fulfil."""
    scene = scene_with()
    number = request(scene, least=4_984_500_000_000_000_000)
    worse = scene.report("ETHx", ETH + USD)
    fulfil = stability.FulfilStableSwap(swap=number, report=worse)
    assert scene.refused("keeper", fulfil) is Code.AMOUNT_BELOW_MINIMUM


def test_a_refund_from_the_deadline_on() -> None:
    """Z6: the owner alone, from the deadline on, less the base fee; at the deadline the keeper may still fulfil."""
    scene = scene_with()
    number = request(scene)
    refund = stability.RefundStableSwap(swap=number)
    assert scene.refused("t", refund) is Code.STABLE_SWAP_PENDING
    scene.now += scene.leaf(StabilitySettings).max_execution_time
    assert scene.refused("other", refund) is Code.SENDER_NOT_ALLOWED
    scene.must("t", refund)

    assert scene.balance("t", "USDz") == 19_999 * UNIT
    assert scene.balance("rewards:protocol", "USDz") == UNIT

    number = request(scene)
    scene.now += scene.leaf(StabilitySettings).max_execution_time + 1
    late = stability.FulfilStableSwap(swap=number, report=scene.report("ETHx", ETH))
    assert scene.refused("keeper", late) is Code.STABLE_SWAP_EXPIRED


def test_settled_debt_is_redeemed_at_par() -> None:
    """Z6, Z9: what vaults have paid for their debt is there for holders of the stable token; debts stay as they are."""
    scene = scene_with(10_000)
    scene.give("keeper", "USDC", 10_000 * 10**6)
    scene.must("keeper", credit.SettleVaultDebt(vault="v", delivered=10_000 * 10**6))
    debts = [scene.owed(name)[0] for name in ("v", "w")]
    too_much = stability.RedeemSettled(amount=10_000 * UNIT)
    assert scene.refused("t", too_much) is Code.POOL_INSUFFICIENT
    scene.must("t", stability.RedeemSettled(amount=9_000 * UNIT))

    assert scene.balance("t", "USDC") == 8_999 * 10**6
    assert [scene.owed(name)[0] for name in ("v", "w")] == debts
    assert scene.supply("USDz") == 11_000 * UNIT


def test_the_curve_has_setters() -> None:
    """A8, Z6: governance changes the curve and the fees while the venue runs."""
    scene = scene_with(110_000)
    settings = scene.leaf(StabilitySettings)
    flat = replace(settings.terms.curve, y_min=0, y_max=0)
    scene.configure(replace(settings, terms=replace(settings.terms, curve=flat, fee_bps=0, base_fee_usd=0)))
    scene.swap("t", "v", 10_000 * UNIT, ETH)
    assert scene.balance("t", "ETHx") == 5 * UNIT
    assert flat.factor(10 * USD, 10 * USD) == RATE
