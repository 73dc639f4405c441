"""A short storm over the whole profile; longer ones: python -m tests.storm --profile zaros."""

from tests.storm.weather import Storm


def test_nothing_breaks_in_a_storm() -> None:
    """A2 to A4, Z1 to Z10: totals, claims, conservation and replay hold over random commands of every kind."""
    storm = Storm("zaros", 11, 6_000, 1_000, 6_000)
    for _ in storm.run():
        pass
    names = ("FillCreditOrder", "FillWaitingOrder", "HoldSignedOrder", "FillSignedOrders", "FulfilStableSwap")
    for name in (*names, "PlaceOrder", "UpdateOrder", "CancelOrder", "LiquidateTradingAccount"):
        assert storm.accepted[name] > 0, name
