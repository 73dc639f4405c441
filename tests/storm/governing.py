"""Governance in a storm: parameters move inside and beyond their bounds, scopes pause, roles come and go."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.storm.scene import Scene
from zlp.engine import Command, Envelope
from zlp.engine.commands import governance
from zlp.engine.leaves.access import Pause
from zlp.engine.leaves.base import Settings
from zlp.engine.leaves.isolated import IsolatedSettings, MarketSettings
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.leaves.pool import AssetSettings, PoolSettings
from zlp.engine.leaves.prices import PriceSettings
from zlp.engine.leaves.revenue import RevenueSettings
from zlp.engine.mechanisms.swap_fees import DynamicTax

USD = 10**30
FIELDS: dict[type, dict[str, tuple[object, ...]]] = {
    PoolSettings: {
        "cooldown": (0, 900, 900, 172_800, 172_801),
        "fee_to_pool_bps": (0, 5_000, 10_000, 10_001),
        "skew_surcharge_bps": (0, 0, 20, 1_000, 1_001),
        "mint_enabled": (True, True, True, False),
        "swap_enabled": (True, True, True, False),
        "funding.interval": (60, 3_600, 28_800, 59),
        "funding.factor": (0, 100, 125_000),
    },
    AssetSettings: {
        "weight": (1, 10, 30, 60),
        "buffer": (0, 0, 10**9),
        "max_debt": (0, 0, 0, 10**24),
        "minimum_profit_bps": (0, 75, 150),
        "shortable": (True, True, False),
    },
    IsolatedSettings: {
        "opening_fee_bps": (0, 10, 10, 50, 501),
        "closing_fee_bps": (0, 0, 10, 500, 501),
        "liquidation_fee": (0, 5 * USD, 100 * USD, 101 * USD),
        "minimum_profit_time": (0, 0, 600),
        "private_liquidation": (False, False, True),
        "leverage_enabled": (True, True, True, False),
    },
    MarketSettings: {
        "max_leverage": (300_000, 300_000, 500_000, 110_000, 10_000),
        "max_long": (0, 0, 10**7 * USD),
        "max_short": (0, 0, 10**7 * USD),
        "max_short_hard": (0, 0, 10**7 * USD),
        "max_position": (0, 0, 10**6 * USD),
        "enabled": (True, True, True, False),
    },
    PriceSettings: {
        "sample_rounds": (1, 3, 16, 0, 17),
        "max_age": (0, 3_600, 90_000),
        "spread.spread_bps": (0, 10, 50, 51),
        "spread.adjustment_bps": (0, 0, 0, 20, 21),
        "spread.adjustment_upward": (True, False),
    },
    OrderSettings: {
        "market_lifetime": (300, 300, 5, 0),
        "keeper_delay": (0, 0, 3),
        "owner_delay": (180, 180, 0),
        "newer_price": (True, True, False),
        "public": (False, False, True),
        "immediate": (["Mint", "Burn", "Swap"], ["Mint", "Burn", "Swap", "DecreasePosition"]),
    },
    RevenueSettings: {
        "soulbound_bps": (2_500, 2_500, 0, 10_001),
        "buyback_bps": (0, 1_000),
        "providers_bps": (0, 0, 2_000),
        "soulbound_price": (10 * USD, 0, 1),
        "claim_window": (2_592_000, 60, 60_000),
    },
}
"""Fields and what governance may try to set them to; values beyond the bounds have to be refused."""
TAXES: dict[str, tuple[object, ...]] = {
    "swap_fees.tax_bps": (60, 60, 0, 500, 9_999),
    "swap_fees.mint_burn_bps": (25, 0, 100),
    "swap_fees.rebate": (False, False, True),
    "swap_fees.enabled": (True, True, False),
}
USUAL: dict[tuple[type, str], object] = {
    (PoolSettings, "mint_enabled"): True,
    (PoolSettings, "swap_enabled"): True,
    (PoolSettings, "cooldown"): 900,
    (AssetSettings, "shortable"): True,
    (AssetSettings, "max_debt"): 0,
    (AssetSettings, "buffer"): 0,
    (IsolatedSettings, "leverage_enabled"): True,
    (IsolatedSettings, "private_liquidation"): False,
    (MarketSettings, "enabled"): True,
    (MarketSettings, "max_leverage"): 300_000,
    (MarketSettings, "max_long"): 0,
    (MarketSettings, "max_short"): 0,
    (MarketSettings, "max_short_hard"): 0,
    (MarketSettings, "max_position"): 0,
    (OrderSettings, "market_lifetime"): 300,
    (OrderSettings, "keeper_delay"): 0,
}
"""Fields that stop most of a storm, with the value that lets it go on."""
PAUSABLE = ("*", "Mint", "Burn", "IncreasePosition", "DecreasePosition", "PlaceOrder", "Nonsense")


def next_command(scene: Scene) -> Envelope:
    """Something of authority; pauses never last long."""
    paused = list(scene.state.each(Pause))
    if paused and scene.random.random() < 0.7:
        return scene.envelope("governor", governance.ResumeScope(target=paused[0].scope))
    draw = scene.random.random()
    if draw < 0.70:
        return scene.envelope(scene.random.choice(("governor",) * 9 + ("keeper",)), _parameter(scene))
    if draw < 0.80:
        return scene.envelope("guardian", governance.PauseScope(target=scene.random.choice(PAUSABLE)))
    return _authority(scene)


def _parameter(scene: Scene) -> Command:
    """One field of one record: half of the time back to what lets the venue work, else to anything."""
    repairs = list(_repairs(scene))
    if repairs and scene.random.random() < 0.5:
        return scene.random.choice(repairs)
    kinds = [kind for kind in FIELDS if next(iter(scene.state.each(kind)), None) is not None]
    kind = scene.random.choice(kinds)
    record = scene.random.choice(list(scene.state.each(kind)))
    fields = dict(FIELDS[kind])
    if isinstance(record, PoolSettings) and isinstance(record.swap_fees, DynamicTax):
        fields |= TAXES
    field = scene.random.choice(list(fields))
    return _setting(record, field, scene.random.choice(fields[field]))


def _repairs(scene: Scene) -> Iterator[Command]:
    for (kind, field), usual in USUAL.items():
        for record in scene.state.each(kind):
            if getattr(record, field) != usual:
                yield _setting(record, field, usual)


def _setting(record: Settings, field: str, value: object) -> Command:
    return governance.SetParameter(
        leaf=type(record).__name__, key=json.dumps(list(record.key)), field=field, value=json.dumps(value)
    )


def _authority(scene: Scene) -> Envelope:
    """Roles and agents, by those who may and those who may not."""
    account = scene.account()
    commands: tuple[tuple[str, Command], ...] = (
        ("governor", governance.GrantRole(role="liquidator", holder=account)),
        ("governor", governance.RevokeRole(role="liquidator", holder=account)),
        ("governor", governance.RevokeRole(role="governor", holder="governor")),
        ("governor", governance.GrantRole(role="king", holder=account)),
        (account, governance.GrantRole(role="governor", holder=account)),
        (account, governance.ApproveAgent(agent="agent", scopes=("trade", "liquidity"), expires=scene.now + 1_000)),
        (account, governance.RevokeAgent(agent="agent")),
        (account, governance.ApproveAgent(agent="agent", scopes=("govern",), expires=scene.now)),
    )
    sender, command = scene.random.choice(commands)
    return scene.envelope(sender, command)
