"""Fees: split between stakers and the protocol's recipients, converted, claimed; nothing lost between."""

from tests.profiles.zaros.venue import UNIT, CreditVenue, market, vault
from zlp.engine.commands import credit
from zlp.engine.fixed import RATE, USD
from zlp.engine.leaves.credit import FeeRecipient, FeeRecipients
from zlp.engine.rejections import Code

BTC = 100_000 * USD


def scene_with_fees(**margin: int) -> CreditVenue:
    """Vaults of 2 and 1 million USD, all shares staked, and a trade that paid 82 USD of fees."""
    scene = CreditVenue([market(), vault("v", "ETHx"), vault("w", "WETH")])
    for account, name, amount in (("a", "v", 600), ("b", "v", 400), ("c", "w", 500)):
        shares = scene.deposit(account, name, amount * UNIT)
        scene.must(account, credit.StakeVaultShares(vault=name, shares=shares))
    trader = scene.trader("t", **margin)
    scene.trade("t", trader, "BTC", UNIT, BTC)
    return scene


def claimed(scene: CreditVenue, account: str, name: str) -> int:
    """Claim and answer the reward tokens received."""
    before = scene.balance(account, "WETH")
    scene.must(account, credit.ClaimVaultRewards(vault=name))
    return scene.balance(account, "WETH") - before


def test_fees_in_the_reward_token_are_split_at_once() -> None:
    """Z7: 30 % to the protocol, 70 % to stakers by delegated credit and by stake."""
    scene = scene_with_fees(WETH=100 * UNIT)
    fees = 100 * UNIT - scene.balance("margin:1", "WETH")
    a, b, c = claimed(scene, "a", "v"), claimed(scene, "b", "v"), claimed(scene, "c", "w")

    assert abs(a * 2 - b * 3) <= 5
    assert abs(a + b - 2 * c) <= 5
    assert scene.balance("rewards:protocol", "WETH") == fees * 3 // 10
    assert 0 <= fees - fees * 3 // 10 - a - b - c <= 3
    assert scene.refused("a", credit.ClaimVaultRewards(vault="v")) is Code.NOTHING_TO_CLAIM


def test_other_fees_wait_for_a_keeper() -> None:
    """Z7: fees in = fees out + held; the keeper delivers what they are worth, or is refused."""
    scene = scene_with_fees(USDC=10**11)
    held = scene.balance("market_fees:BTC", "USDC")
    worth = held * UNIT // 10**6 // 2_000
    scene.give("keeper", "WETH", worth)
    short = credit.ConvertFees(market="BTC", token="USDC", delivered=worth * 98 // 100)
    assert scene.refused("keeper", short) is Code.DELIVERY_TOO_SMALL
    scene.must("keeper", credit.ConvertFees(market="BTC", token="USDC", delivered=worth))

    assert scene.balance("market_fees:BTC", "USDC") == 0
    assert scene.balance("keeper", "USDC") == held
    paid = sum(claimed(scene, account, name) for account, name in (("a", "v"), ("b", "v"), ("c", "w")))
    left = scene.balance("rewards:protocol", "WETH") + scene.balance("rewards:stakers", "WETH")
    assert paid + left == worth
    assert scene.root.audit() == []


def test_staking_again_loses_nothing_and_late_stakers_take_nothing() -> None:
    """Z7: what was earned stays owed through stakes and unstakes; who stakes later has no part in it."""
    scene = scene_with_fees(WETH=100 * UNIT)
    late = scene.deposit("late", "v", 1_000 * UNIT)
    more = scene.deposit("a", "v", UNIT)
    scene.must("late", credit.StakeVaultShares(vault="v", shares=late))
    scene.must("a", credit.StakeVaultShares(vault="v", shares=more))
    scene.must("b", credit.UnstakeVaultShares(vault="v", shares=400 * UNIT))

    assert scene.refused("late", credit.ClaimVaultRewards(vault="v")) is Code.NOTHING_TO_CLAIM
    assert abs(claimed(scene, "a", "v") * 2 - claimed(scene, "b", "v") * 3) <= 5


def test_without_stakers_the_protocol_receives_all() -> None:
    """Z7: the stakers' part of a vault without stakers belongs to the recipients."""
    scene = CreditVenue([market(), vault("v", "ETHx")])
    scene.deposit("lp", "v", 1_000 * UNIT)
    trader = scene.trader("t", WETH=100 * UNIT)
    scene.trade("t", trader, "BTC", UNIT, BTC)
    scene.refresh("v")
    fees = 100 * UNIT - scene.balance("margin:1", "WETH")
    held = scene.balance("rewards:protocol", "WETH")
    assert fees - held == scene.balance("rewards:stakers", "WETH") <= 1


def test_recipients_are_paid_by_share_to_the_last_unit() -> None:
    """Z7: floor for each, the rest to the last; shares above 90 % are refused."""
    scene = scene_with_fees(WETH=100 * UNIT)
    recipients = tuple(FeeRecipient(name, RATE // 10) for name in ("x", "y", "z"))
    scene.configure(FeeRecipients(recipients))
    amount = scene.balance("rewards:protocol", "WETH")
    scene.must("anyone", credit.PayRecipients(token="WETH"))

    assert scene.balance("x", "WETH") == scene.balance("y", "WETH") == amount // 3
    assert sum(scene.balance(name, "WETH") for name in "xyz") == amount
    assert scene.refused("anyone", credit.PayRecipients(token="WETH")) is Code.NOTHING_TO_CLAIM
    assert FeeRecipients((FeeRecipient("x", 9 * RATE // 10 + 1),)).invalid()
