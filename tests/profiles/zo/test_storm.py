"""A short storm over the whole profile; longer ones: python -m tests.storm --profile zo."""

from tests.storm.weather import Storm


def test_nothing_breaks_in_a_storm() -> None:
    """A2 to A4, O1 to O9: totals, claims, conservation and replay hold over random commands of every kind."""
    storm = Storm("zo", 11, 6_000, 1_000, 6_000)
    for _ in storm.run():
        pass
    for name in ("Mint", "Burn", "Swap", "ExecuteOrders", "LiquidateBorrowed", "RedeemCollateral", "ReduceReserve"):
        assert storm.accepted[name] > 0, name
