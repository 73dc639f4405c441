"""Desks: one trading design seen the way people and programs ask for it.

The engine's branches speak of vaults, accumulators and indices; traders, the page, keepers and the simulator
ask the same few questions of every design: what pools and markets are there, what positions, what is due, and
which command opens or closes. A desk answers them over any reader (a state, or a quote's draft). It never
changes anything and holds no rule: every number comes from the engine's own functions.
"""

from __future__ import annotations

from zlp.desks.base import AssetView, Desk, MarketView, PoolView, PositionView, decimals_of, desk_of

__all__ = ["AssetView", "Desk", "MarketView", "PoolView", "PositionView", "decimals_of", "desk_of"]
