"""Vaults: deposits, redemptions after a delay, locked credit, staking, points, new vaults by one command."""

from msgspec.structs import replace

from tests.profiles.zaros.venue import UNIT, CreditVenue, market, vault
from zlp.engine.codec import canonical
from zlp.engine.commands import credit, custody, governance, liquidity
from zlp.engine.fixed import RATE, USD
from zlp.engine.leaves.credit import CreditCollateral, CreditSettings, CreditStake, CreditVaultSettings
from zlp.engine.leaves.ledger import Token
from zlp.engine.leaves.prices import PriceSettings
from zlp.engine.rejections import Code


def venue(**changes: object) -> CreditVenue:
    """One market and one vault of ETHx at 2000 USD."""
    return CreditVenue([market(), vault("v", "ETHx", **changes)])


def mint(amount: int, least: int = 0, token: str = "ETHx") -> liquidity.Mint:
    """A deposit into the vault."""
    return liquidity.Mint(pool="v", token=token, amount=amount, min_shares=least)


def test_a_deposit_pays_its_fee_and_mints_by_the_rest() -> None:
    """Z2: 1 % of the deposit goes to the protocol, the first depositor receives shares one to one for the rest."""
    scene = venue(deposit_fee=RATE // 100)

    assert scene.deposit("lp", "v", 100 * UNIT) == 99 * UNIT
    assert scene.balance("vault:v", "ETHx") == 99 * UNIT
    assert scene.balance("rewards:protocol", "ETHx") == UNIT


def test_deposits_are_refused_in_the_order_of_their_steps() -> None:
    """Z2, A4: amount, vault, live, collateral, fee, cap, shares; each with its own code and no change."""
    scene = venue(deposit_fee=RATE // 100, deposit_cap=10 * UNIT)
    scene.give("lp", "ETHx", 100 * UNIT)

    assert scene.refused("lp", mint(0)) is Code.ZERO_AMOUNT
    assert scene.refused("lp", replace(mint(1), pool="none")) is Code.UNKNOWN_VAULT
    assert scene.refused("lp", mint(UNIT, token="USDC")) is Code.TOKEN_NOT_LISTED
    assert scene.refused("lp", mint(99)) is Code.ZERO_AMOUNT
    assert scene.refused("lp", mint(20 * UNIT)) is Code.DEPOSIT_CAP_EXCEEDED
    assert scene.refused("lp", mint(UNIT, least=UNIT)) is Code.SHARES_BELOW_MINIMUM
    scene.configure(replace(scene.leaf(CreditCollateral, "ETHx"), enabled=False))
    assert scene.refused("lp", mint(UNIT)) is Code.COLLATERAL_DISABLED
    scene.configure(vault("v", "ETHx", live=False))
    assert scene.refused("lp", mint(UNIT)) is Code.VAULT_NOT_LIVE


def test_a_redemption_waits_and_pays_its_fee() -> None:
    """Z2: nothing before the delay, then 95 % of the value; the fee's shares burn for the protocol."""
    scene = venue(withdrawal_delay=86_400, redeem_fee=RATE // 20)
    shares = scene.deposit("lp", "v", 100 * UNIT)
    number = scene.must("lp", credit.RequestRedemption(vault="v", shares=shares)).events[-1].redemption

    assert scene.refused("lp", credit.RedeemShares(redemption=number)) is Code.REDEMPTION_TOO_EARLY
    scene.now += 86_400
    assert scene.refused("other", credit.RedeemShares(redemption=number)) is Code.SENDER_NOT_ALLOWED
    late = credit.RedeemShares(redemption=number, min_amount=96 * UNIT)
    assert scene.refused("lp", late) is Code.AMOUNT_BELOW_MINIMUM
    scene.must("lp", credit.RedeemShares(redemption=number))

    assert scene.balance("lp", "ETHx") == 95 * UNIT
    assert scene.balance("rewards:protocol", "ETHx") == 5 * UNIT
    assert scene.refused("lp", credit.RedeemShares(redemption=number)) is Code.UNKNOWN_REDEMPTION


def test_a_cancelled_redemption_gives_the_shares_back() -> None:
    """Z2: shares that wait are not lost."""
    scene = venue()
    shares = scene.deposit("lp", "v", UNIT)
    number = scene.must("lp", credit.RequestRedemption(vault="v", shares=shares)).events[-1].redemption

    scene.must("lp", credit.CancelRedemption(redemption=number))

    assert scene.balance("lp", "zlp-v") == shares


def test_locked_credit_stays() -> None:
    """Z2: what is left after a redemption covers what was locked before it, to the last share."""
    scene = venue(locked_ratio=RATE // 2)
    scene.deposit("lp", "v", 100 * UNIT)
    for shares, refused in ((50 * UNIT + 1, True), (50 * UNIT, False)):
        number = scene.must("lp", credit.RequestRedemption(vault="v", shares=shares)).events[-1].redemption
        command = credit.RedeemShares(redemption=number)
        if refused:
            assert scene.refused("lp", command) is Code.CREDIT_LOCKED
            scene.must("lp", credit.CancelRedemption(redemption=number))
        else:
            scene.must("lp", command)
    assert scene.balance("lp", "ETHx") == 50 * UNIT


def test_stale_prices_stop_deposits_and_later_redemptions() -> None:
    """A7: a deposit needs a fresh price, a redemption one that is not hopelessly old."""
    scene = venue()
    scene.configure(PriceSettings("ETHx", answer_decimals=30, max_age=60, max_age_reducing=3_600))
    shares = scene.deposit("lp", "v", UNIT)
    scene.give("lp", "ETHx", UNIT)
    number = scene.must("lp", credit.RequestRedemption(vault="v", shares=shares)).events[-1].redemption
    scene.now += 61

    assert scene.refused("lp", mint(UNIT)) is Code.STALE_PRICE
    redeem = credit.RedeemShares(redemption=number)
    scene.now += 3_600
    assert scene.refused("lp", redeem) is Code.STALE_PRICE
    scene.price(ETHx=2_000)
    scene.must("lp", redeem)


def test_points_grow_with_stake_and_time() -> None:
    """Z8: one point per share and second at a rate of 1; what is unstaked stops earning, what was earned stays."""
    scene = venue(point_rate=RATE)
    for account, amount in (("a", 10 * UNIT), ("b", 30 * UNIT)):
        shares = scene.deposit(account, "v", amount)
        scene.must(account, credit.StakeVaultShares(vault="v", shares=shares))
    scene.now += 100
    scene.must("a", credit.UnstakeVaultShares(vault="v", shares=10 * UNIT))
    scene.now += 50
    scene.must("b", credit.UnstakeVaultShares(vault="v", shares=30 * UNIT))

    assert scene.leaf(CreditStake, "v", "a").points == 1_000 * UNIT
    assert scene.leaf(CreditStake, "v", "b").points == 4_500 * UNIT


def test_staking_has_a_floor_and_no_credit() -> None:
    """Z7: dust can't be staked or left staked, and nobody takes out more than was put in."""
    scene = venue()
    scene.deposit("a", "v", UNIT)
    stake, unstake = credit.StakeVaultShares, credit.UnstakeVaultShares
    assert scene.refused("a", stake(vault="v", shares=99_999)) is Code.STAKE_TOO_SMALL
    scene.must("a", stake(vault="v", shares=100_000))
    assert scene.refused("a", unstake(vault="v", shares=1)) is Code.STAKE_TOO_SMALL
    assert scene.refused("a", unstake(vault="v", shares=100_001)) is Code.STAKE_INSUFFICIENT
    assert scene.refused("b", unstake(vault="v", shares=1)) is Code.STAKE_INSUFFICIENT


def test_a_new_collateral_and_a_new_vault_are_one_command_each() -> None:
    """Z2: governance adds a collateral and a vault while the venue runs; the vault takes deposits and lends at once."""
    scene = CreditVenue([market()])
    collateral = CreditCollateral("LSTx", "ETH")
    scene.configure(Token("LSTx", 18))
    scene.must("governor", governance.Configure(settings=canonical(collateral).decode()))
    scene.must("governor", governance.Configure(settings=canonical(vault("lst", "LSTx")).decode()))

    shares = scene.deposit("lp", "lst", 3 * UNIT)

    assert scene.market("BTC").delegated == 6_000 * USD
    scene.must("lp", custody.Transfer(token="zlp-lst", to="friend", amount=shares))


def test_a_vault_keeps_its_collateral_and_its_share() -> None:
    """A8: settings can't exchange what a vault in use holds or issues, and can't issue an existing token."""
    scene = venue()
    scene.deposit("lp", "v", UNIT)
    scene.configure(replace(scene.leaf(CreditVaultSettings, "v"), token="WETH"))
    scene.give("lp", "WETH", UNIT)
    assert scene.refused("lp", mint(UNIT, token="WETH")) is Code.SETTING_IN_USE
    known = governance.Configure(settings=canonical(vault("w", "ETHx", share="WETH")).decode())
    assert scene.refused("governor", known) is Code.INVALID_SETTING
    scene.configure(vault("w", "ETHx", share="late"), Token("late", 18))
    scene.give("lp", "ETHx", UNIT)
    assert scene.refused("lp", replace(mint(UNIT), pool="w")) is Code.INVALID_SETTING


def test_a_gift_belongs_to_the_shares() -> None:
    """Z2, A3: a donation raises what every share is worth and mints none."""
    scene = venue()
    shares = scene.deposit("lp", "v", 10 * UNIT)
    scene.give("friend", "ETHx", 10 * UNIT)
    scene.must("friend", liquidity.Donate(pool="v", token="ETHx", amount=10 * UNIT))

    assert 0 <= 20 * UNIT - scene.redeem("lp", "v", shares) <= 3


def test_settings_that_contradict_themselves_are_refused() -> None:
    """A8: tokens must differ, shares stay below the whole, a market is listed once."""
    scene = venue()
    for record in (
        CreditSettings("USDz", "USDz", "WETH"),
        CreditCollateral("ETHx", "ETHx", credit_ratio=RATE + 1),
        vault("v", "ETHx", deposit_fee=RATE),
        vault("v", "ETHx", markets=(("BTC", 1), ("BTC", 2))),
        market(maintenance_margin=RATE // 100),
    ):
        command = governance.Configure(settings=canonical(record).decode())
        assert scene.refused("governor", command) is Code.INVALID_SETTING
