"""What a fee by weight must be, whatever the pool looks like."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zlp.engine.mechanisms.swap_fees import DynamicTax, Inventory, WeightBand, split_fee

values = st.integers(0, 10**30)
deltas = st.integers(1, 10**30)
kinds = st.sampled_from(("mint", "burn", "swap", "stable_swap"))
inventories = st.builds(
    Inventory,
    value=values,
    total=values,
    weight=st.integers(1, 100),
    total_weight=st.just(100),
    stable=st.booleans(),
)


def tax(*, rebate: bool) -> DynamicTax:
    """The document's numbers."""
    return DynamicTax(
        mint_burn_bps=25,
        swap_bps=25,
        stable_swap_bps=1,
        tax_bps=60,
        stable_tax_bps=5,
        mint_burn_tax_bps=60,
        stable_mint_burn_tax_bps=5,
        rebate=rebate,
    )


@given(kind=kinds, inventory=inventories, delta=deltas, increase=st.booleans(), rebate=st.booleans())
def test_only_moving_away_is_taxed(kind, inventory: Inventory, delta: int, increase: bool, rebate: bool) -> None:
    """E3: a move toward the target pays at most the base fee, any other at least it and at most base plus tax."""
    base = 1 if kind == "stable_swap" else 25
    stable = kind == "stable_swap" or (inventory.stable and kind in ("mint", "burn"))
    rate = tax(rebate=rebate).fee_rate(kind, inventory, delta, increase)
    after = inventory.value + delta if increase else max(0, inventory.value - delta)
    toward = abs(after - inventory.target) < abs(inventory.value - inventory.target)
    if inventory.target == 0:
        assert rate == base
    elif toward:
        assert rate <= base if rebate else rate == base
    else:
        assert base <= rate <= base + (5 if stable else 60)


@given(inventory=inventories, one=deltas, other=deltas, increase=st.booleans())
def test_moving_further_away_never_costs_less(inventory: Inventory, one: int, other: int, increase: bool) -> None:
    """E3: of two moves away from the target the longer pays at least as much."""
    near, far = sorted((one, other))
    beyond = inventory.value >= inventory.target if increase else inventory.value <= inventory.target
    if beyond:
        rates = [tax(rebate=False).fee_rate("swap", inventory, delta, increase) for delta in (near, far)]
        assert rates[0] <= rates[1]


@given(inventory=inventories, delta=deltas, increase=st.booleans(), kind=st.sampled_from(("mint", "burn", "swap")))
def test_the_band_stays_between_its_ends(inventory: Inventory, delta: int, increase: bool, kind) -> None:
    """O3: from the least to the most, and the most outside the band on the side the action is on."""
    band = WeightBand(max_fee=10**16, width=2 * 10**17, min_fee=10**14)
    rate = band.fee_rate(kind, inventory, delta, increase)
    assert band.min_fee <= rate <= band.max_fee


@given(amount=values, rate=st.integers(0, 10_000))
def test_a_fee_rounds_up_and_nothing_is_lost(amount: int, rate: int) -> None:
    """A3: fee and rest are the amount; the fee is the exact one or less than a unit more."""
    net, fee = split_fee(amount, rate, 10_000)
    assert net + fee == amount
    assert 0 <= fee * 10_000 - amount * rate < 10_000
