"""What every operation on a fund starts from: its settings, its books, and prices per side."""

from __future__ import annotations

from typing import NamedTuple

from zlp.engine import ledger, pricing
from zlp.engine.draft import Draft
from zlp.engine.leaves.fund import Fund, FundAssetSettings, FundSettings
from zlp.engine.rejections import Code, Reject


class Desk(NamedTuple):
    """A fund inside a draft."""

    draft: Draft
    fund: FundSettings

    @property
    def books(self) -> Fund:
        """The fund's books as they stand in this draft."""
        return self.draft.get(Fund, (self.fund.pool,)) or Fund(self.fund.pool)

    def liquidity(self, token: str) -> int:
        """Base units of ``token`` the fund owns."""
        return ledger.balance_of(self.draft, self.fund.holder, token)

    def price(self, asset: str, maximise: bool) -> int:
        """The asset's price of one direction (USD 1e30)."""
        return pricing.bounds(self.draft, asset)[maximise]

    def unit(self, token: str) -> int:
        """Base units of one whole token."""
        return ledger.token(self.draft, token).unit

    def asset(self, token: str, code: Code = Code.TOKEN_NOT_LISTED) -> FundAssetSettings:
        """Settings of a listed asset, or a rejection with ``code``."""
        found = self.draft.get(FundAssetSettings, (self.fund.pool, token))
        if found is None or token not in self.fund.assets:
            raise Reject(code, detail=token)
        return found


def open_desk(draft: Draft, pool: str) -> Desk:
    """The fund of this name, or ``unknown_pool``."""
    return Desk(draft, draft.need(FundSettings, (pool,), Code.UNKNOWN_POOL))
