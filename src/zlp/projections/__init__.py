"""The read model: the journal's receipts as SQL tables of trades, orders, candles, income and all that has happened."""

from zlp.projections.model import Fact, ReadModel, WrongVenue, url_in

__all__ = ["Fact", "ReadModel", "WrongVenue", "url_in"]
