"""Keepers: bots that only watch a venue and submit. Simple, restartable, and harmless side by side.

Each keeper is one file. It knows one narrow port (``port.Port``): read, quote, submit, listen. Everything a
keeper remembers can be rebuilt from the port's reader, so a restart loses nothing; everything it submits is
checked by the engine, so two keepers that race cost each other a rejection and the venue nothing.
"""

from __future__ import annotations

from zlp.keepers.closings import DeleverageKeeper, LiquidationKeeper
from zlp.keepers.conversions import ConversionKeeper
from zlp.keepers.credit_orders import CreditKeeper, posted_reports
from zlp.keepers.disputes import DisputeKeeper, DisputeRule
from zlp.keepers.fees import FeeKeeper
from zlp.keepers.orders import OrderKeeper
from zlp.keepers.port import Keeper, LocalPort, LocalVenue, Port, VenueDoor
from zlp.keepers.prices import FastQuote, PostingPace, PriceKeeper, PriceSource

__all__ = [
    "ConversionKeeper",
    "CreditKeeper",
    "DeleverageKeeper",
    "DisputeKeeper",
    "DisputeRule",
    "FastQuote",
    "FeeKeeper",
    "Keeper",
    "LiquidationKeeper",
    "LocalPort",
    "LocalVenue",
    "OrderKeeper",
    "Port",
    "PostingPace",
    "PriceKeeper",
    "PriceSource",
    "VenueDoor",
    "posted_reports",
]
