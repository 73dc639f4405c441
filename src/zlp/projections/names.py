"""What the settings in the log say about names: decimals of tokens, pools of markets, markets of assets.

Settings reach the log as ``ParameterChanged``; the newest record of each is a card.
"""

from __future__ import annotations

import msgspec

from zlp.engine.events.governance import ParameterChanged
from zlp.projections import tables
from zlp.projections.amounts import SHARE_DECIMALS
from zlp.projections.batch import Batch, Place, Row


class Names:
    """The settings cards of one read model, kept in memory; ``changed`` keeps both in step."""

    def __init__(self, batch: Batch) -> None:
        self._records = {(row["leaf"], row["key"]): _read(row["record"]) for row in batch.cards(tables.settings)}
        self._derive()

    def changed(self, batch: Batch, place: Place, event: ParameterChanged) -> None:
        """A settings record is new, or one of its fields."""
        record = _read(event.new)
        if event.field:
            record = self._records.get((event.leaf, event.key), {})
            *path, last = event.field.split(".")
            inner = record
            for name in path:
                inner = inner.setdefault(name, {})
            inner[last] = _read(event.new)
        self._records[event.leaf, event.key] = record
        text = msgspec.json.encode(record).decode()
        batch.put(tables.settings, leaf=event.leaf, key=event.key, record=text, sequence=place.sequence)
        self._derive()

    def _derive(self) -> None:
        records = list(self._records.items())
        self.native = next((r["symbol"] for (leaf, _), r in records if leaf == "Token" and r.get("native")), "")
        self.decimals = {record["symbol"]: record["decimals"] for (leaf, _), record in records if leaf == "Token"}
        self.pools: dict[str, str] = {}
        self._pools_of: dict[str, list[str]] = {}
        self._markets_of: dict[str, list[str]] = {}
        self._asset_of_token: dict[str, str] = {}
        self._asset_of_market: dict[str, str] = {}
        self.reward = ""
        for (leaf, _), record in records:
            if leaf == "CreditVaultSettings" and record["token"] in self.decimals:
                # The first shares are made one to one with the collateral, and are counted as it is.
                self.decimals[record["share"]] = self.decimals[record["token"]]
            if "share" in record and ("pool" in record or "vault" in record):
                self.pools[record.get("pool") or record["vault"]] = record["share"]
            if leaf.endswith("MarketSettings"):
                self._list_market(record)
            if leaf == "CreditCollateral":
                self._asset_of_token[record["token"]] = record["asset"]
            if leaf == "CreditSettings":
                self.reward = record["reward"]

    def _list_market(self, record: Row) -> None:
        market = record.get("market") or record["token"]
        asset = record.get("asset") or market
        self._asset_of_market[market] = asset
        self._markets_of.setdefault(asset, []).append(market)
        if "pool" in record:
            self._pools_of.setdefault(market, []).append(record["pool"])

    def unit(self, token: str) -> int:
        """Base units of one whole token."""
        return int(10 ** self.decimals.get(token, SHARE_DECIMALS))

    def symbols(self, asset: str) -> list[str]:
        """The names an asset's price is charted under: its own, and the markets that follow it."""
        return [asset, *(market for market in self._markets_of.get(asset, ()) if market != asset)]

    def asset_of(self, token: str) -> str:
        """The asset that prices a token."""
        return self._asset_of_token.get(token) or token

    def asset_of_market(self, market: str) -> str:
        """The asset a market follows."""
        return self._asset_of_market.get(market, market)

    def pool_of(self, market: str, position: str) -> str:
        """The pool behind a position: the market's only one, or the one the position's own name begins with."""
        pools = self._pools_of.get(market, [])
        if len(pools) == 1:
            return pools[0]
        return next((pool for pool in pools if position.startswith((f"{pool}/", f"{pool}:"))), "")


def _read(text: str) -> Row:
    return msgspec.json.decode(text)  # type: ignore[no-any-return]
