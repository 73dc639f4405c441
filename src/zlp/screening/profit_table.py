"""Ranks open positions by what closing them would pay, among a million, without a loop in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic

import numpy as np

from zlp.screening.rows import Key, Rows

_SIZE, _AVERAGE, _CAP, _MARKET = range(4)
_DOLLAR = 1e30


class ProfitTable(Generic[Key]):
    """Positions with signed size, entry price and the cap of their profit; figures are floats of whole USD.

    The ranking is as exact as floats are: callers take some more than they need and rank those exactly.
    """

    __slots__ = ("_markets", "_rows")

    def __init__(self) -> None:
        self._rows: Rows[Key] = Rows(float_columns=4)
        self._markets: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def upsert(self, key: Key, *, market: str, size: int, average_price: int, cap: int) -> None:
        """Add or replace a position: USD and prices at 1e30, size signed."""
        row = self._rows.row(key) if key in self._rows else self._rows.claim(key)
        number = self._markets.setdefault(market, len(self._markets))
        self._rows.floats[:, row] = size / _DOLLAR, average_price / _DOLLAR, cap / _DOLLAR, number

    def remove(self, key: Key) -> None:
        """Forget a position. KeyError when there is none."""
        self._rows.remove(key)

    def ranked(self, markets: Mapping[str, tuple[int, int, int]], count: int) -> list[Key]:
        """The ``count`` positions with the most capped profit above 0, most first.

        ``markets``: price (1e30), skew (signed USD 1e30) and skew scale (USD 1e30, 0 for none) of each market.
        """
        profits = self._profits(markets)
        best = np.argsort(-profits, kind="stable") if count >= len(profits) else _largest(profits, count)
        return self._rows.keys_at(best[profits[best] > 0.0])

    def capped(self, markets: Mapping[str, tuple[int, int, int]], slack: float = 1e-9) -> list[Key]:
        """Positions whose profit has reached its cap, or lies within ``slack`` (relative) below it."""
        profits = self._profits(markets)
        return self._rows.keys_at(np.flatnonzero(profits >= self._rows.floats[_CAP, : len(self)] * (1.0 - slack)))

    def _profits(self, markets: Mapping[str, tuple[int, int, int]]) -> np.ndarray:
        price, premium, slope = (np.zeros(len(self._markets) + 1) for _ in range(3))
        for name, (oracle, skew, scale) in markets.items():
            number = self._markets.get(name)
            if number is not None:
                price[number] = oracle / _DOLLAR
                premium[number] = skew / scale if scale else 0.0
                slope[number] = _DOLLAR / (2 * scale) if scale else 0.0
        size, average, cap, number = self._rows.floats[:, : len(self)]
        market = number.astype(np.int64)
        mark = price[market] * (1.0 + premium[market] - slope[market] * size)
        profits: np.ndarray = np.minimum(size * (mark - average) / average, cap)
        return profits


def _largest(profits: np.ndarray, count: int) -> np.ndarray:
    part = np.argpartition(-profits, count)[:count]
    return part[np.argsort(-profits[part], kind="stable")]
