"""The port of the package: what a source says (`Observation`), how it does (`Health`), and `PriceSource`."""

from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from typing import Protocol

import msgspec


class FeedError(Exception):
    """A source could not deliver. Retried or shown, never passed to the engine.

    FeedError
    |-- settings.SettingsError      a table of the settings file is wrong; says which key
    |-- replay.PriceFileError       a price file is wrong; says which row and column
    |-- chainlink.ChainlinkError    no endpoint answers, or an answer fails a check
    |-- data_streams.ReportError    a report is malformed, unsigned, expired, or not the one asked for
    `-- exchanges.MessageError      an exchange's message is not the one documented
    """


class Observation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One price that one source gave for one asset.

    Prices are integers at 1e30 per whole token, in USD unless `quote` names another asset (an exchange that
    quotes ETH in USDT says nothing about the price of USDT; blending converts). Times are whole seconds since
    1970: `observed_at` by the source's clock, `received_at` by ours. `depth_e30` is the value (at 1e30, in
    `quote`) offered at the best bid and ask together. `round_id` counts the answers of a Chainlink aggregator.
    `evidence` is the hex digest of the signed report behind the price, with which an auditor can find and
    verify it again.
    """

    source: str
    asset: str
    price_e30: int
    observed_at: int
    received_at: int
    bid_e30: int | None = None
    ask_e30: int | None = None
    depth_e30: int | None = None
    round_id: int | None = None
    evidence: str | None = None
    quote: str = "USD"


class Status(StrEnum):
    """How a source does for one asset."""

    CONNECTING = "connecting"
    LIVE = "live"
    SILENT = "silent"
    FAILED = "failed"


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The status of one asset at one source, when it was last heard (0 = never), and why it is not live."""

    status: Status
    last_heard_at: int = 0
    reason: str = ""


class PriceSource(Protocol):
    """What every source is: a name, a stream of observations, and its health by asset.

    The iterator ends only where the source is finite (a file). It never raises for trouble on the other side:
    a live source reconnects with back-off and shows the trouble in `health`. Closing the iterator releases
    the source's connections.
    """

    @property
    def name(self) -> str: ...

    def observations(self) -> AsyncIterator[Observation]: ...

    def health(self) -> Mapping[str, Health]: ...
