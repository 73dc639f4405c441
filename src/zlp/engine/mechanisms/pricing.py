"""Prices that lean against the skew: the oracle price with a premium or a discount (N11)."""

from __future__ import annotations

from zlp.engine.fixed import BPS, UINT256, USD, mul_div_down, mul_div_toward_zero
from zlp.engine.mechanisms.base import Mechanism
from zlp.engine.rejections import Code, Reject


class AdaptivePrice(Mechanism, frozen=True, kw_only=True):
    """Mean of the prices before and after a trade, each moved by ``skew / max_skew_scale`` (reference 1.4).

    ``max_skew_scale``: USD (1e30) of skew that would move the price by 100 %; 0 is the plain oracle price.
    Skews and sizes are signed USD at 1e30 (long positive), prices USD at 1e30. Both ratios and their mean
    are truncated toward zero at 1e30, the price is rounded down. ``max_premium_bps``: no trade opens at more
    premium or discount than this, and a close is marked at no more, so that no skew can block closing (A7);
    0 is no bound, as in the reference.
    """

    max_skew_scale: int = 0
    max_premium_bps: int = 0

    def invalid(self) -> str | None:
        """A scale below zero means nothing; a premium of 100 % leaves no price."""
        if self.max_skew_scale < 0:
            return "max_skew_scale must not be below zero"
        return None if 0 <= self.max_premium_bps < BPS else "max_premium_bps must be from 0 to 9999"

    def premium(self, skew_before: int, skew_after: int) -> int:
        """Signed mean of the two ratios, at 1e30."""
        if self.max_skew_scale == 0:
            return 0
        before = mul_div_toward_zero(skew_before, USD, self.max_skew_scale)
        after = mul_div_toward_zero(skew_after, USD, self.max_skew_scale)
        return mul_div_toward_zero(before + after, 1, 2)

    def execution_price(self, oracle_price: int, skew: int, size_delta: int) -> int:
        """Price of a trade of ``size_delta`` in a market with ``skew``; rejects a price that is not positive."""
        premium, limit = self.premium(skew, skew + size_delta), self._limit()
        if abs(premium) > limit or USD + premium <= 0:
            raise Reject(Code.PREMIUM_TOO_LARGE, limit=min(limit, USD), actual=abs(premium))
        return mul_div_down(oracle_price, USD + premium, USD)

    def close_price(self, oracle_price: int, skew: int, size: int) -> int:
        """Price at which a position of signed ``size`` is marked: as if all of it were closed now."""
        if not self.max_premium_bps:
            return self.execution_price(oracle_price, skew, -size)
        limit = self._limit()
        premium = max(-limit, min(limit, self.premium(skew, skew - size)))
        return mul_div_down(oracle_price, USD + premium, USD)

    def _limit(self) -> int:
        """Largest premium at 1e30; beyond any there can be where none is set."""
        return mul_div_down(USD, self.max_premium_bps, BPS) if self.max_premium_bps else UINT256
