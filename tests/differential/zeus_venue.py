"""A venue set up like a recorded deployment, and its state in the recording's words."""

from __future__ import annotations

from typing import Any

from zlp.engine import Envelope, Receipt, Root, ledger, pricing
from zlp.engine.branches.basket.assets import load_asset
from zlp.engine.branches.basket.valuation import pool_value
from zlp.engine.branches.isolated.book import open_book
from zlp.engine.branches.isolated.health import assess
from zlp.engine.codec import canonical
from zlp.engine.commands.base import Command
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.governance import BranchCut, Configure, Found, GrantRole, UpgradeBranches
from zlp.engine.commands.prices import PostRounds, Round
from zlp.engine.draft import Draft
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.base import Settings
from zlp.engine.leaves.isolated import IsolatedSettings, Market, MarketSettings, Position
from zlp.engine.leaves.ledger import Token
from zlp.engine.leaves.pool import AssetSettings, PoolSettings
from zlp.engine.leaves.prices import PriceSettings
from zlp.engine.mechanisms.funding import UtilisationFunding
from zlp.engine.mechanisms.price_guard import Spread
from zlp.engine.mechanisms.shorts import ReferenceShorts
from zlp.engine.mechanisms.swap_fees import DynamicTax
from zlp.engine.rejections import Reject

RICH = 10**36
POOL = "main"
UNLISTED = "DOGE"
GOVERNOR = "gov"
BRANCHES = ("custody", "prices", "basket", "isolated")


class ReferenceVenue:
    """The engine with the recording's parameters, options set to ``reference`` where it depends on a defect."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.tokens: list[str] = config["tokenOrder"]
        self.root = Root()
        self.now = int(config["startTime"])
        self._found()
        for record in self._settings():
            self.configure(record)
        self.set_answers({token: row["initialAnswer"] for token, row in config["tokens"].items()})
        for account in config["accounts"]:
            if account != "pauper":
                for token in (*self.tokens, UNLISTED):
                    self.must("bridge", Deposit(account=account, token=token, amount=RICH))

    def _found(self) -> None:
        self.must(
            GOVERNOR,
            Found(identity="reference", profile="", profile_hash="", engine_version="0", governor=GOVERNOR),
        )
        cuts = tuple(BranchCut(action="add", branch=name, version=1) for name in BRANCHES)
        self.must(GOVERNOR, UpgradeBranches(cuts=cuts))
        holders = [(Role.BRIDGE, "bridge"), (Role.KEEPER, "feeds")]
        holders += [(Role.LIQUIDATOR, name) for name in self.config["liquidators"]]
        for role, holder in holders:
            self.must(GOVERNOR, GrantRole(role=role, holder=holder))

    def _settings(self) -> list[Settings]:
        config = self.config
        tax, stable_tax = int(config["taxBasisPoints"]), int(config["stableTaxBasisPoints"])
        records: list[Settings] = [
            PoolSettings(
                POOL,
                share="GLP",
                debt="USDG",
                tokens=tuple(self.tokens),
                swap_fees=DynamicTax(
                    mint_burn_bps=int(config["mintBurnFeeBasisPoints"]),
                    swap_bps=int(config["swapFeeBasisPoints"]),
                    stable_swap_bps=int(config["stableSwapFeeBasisPoints"]),
                    tax_bps=tax,
                    stable_tax_bps=stable_tax,
                    mint_burn_tax_bps=tax,
                    stable_mint_burn_tax_bps=tax,
                    rebate=True,
                    enabled=config["hasDynamicFees"],
                ),
                funding=UtilisationFunding(
                    interval=int(config["fundingInterval"]),
                    factor=int(config["fundingRateFactor"]),
                    stable_factor=int(config["stableFundingRateFactor"]),
                ),
                cooldown=int(config["cooldownDuration"]),
                orphans_block=True,
            ),
            IsolatedSettings(
                POOL,
                opening_fee_bps=int(config["marginFeeBasisPoints"]),
                closing_fee_bps=int(config["marginFeeBasisPoints"]),
                liquidation_fee=int(config["liquidationFeeUsd"]),
                minimum_profit_time=int(config["minProfitTime"]),
                private_liquidation=config["privateLiquidation"],
                shorts=ReferenceShorts(tracker_weight_bps=int(config["shortsTrackerAveragePriceWeight"])),
            ),
        ]
        records += [Token(token, 18, issued=token != UNLISTED) for token in ("GLP", "USDG", UNLISTED)]
        for token, row in config["tokens"].items():
            records += self._token(token, row)
        return records

    def _token(self, token: str, row: dict[str, Any]) -> list[Settings]:
        return [
            Token(token, int(row["decimals"])),
            AssetSettings(
                POOL,
                token,
                weight=int(row["weight"]),
                decimals=int(row["decimals"]),
                stable=row["stable"],
                shortable=row["shortable"],
                buffer=int(row["bufferAmount"]),
                max_debt=int(row["maxUsdgAmount"]),
                minimum_profit_bps=int(row["minProfitBps"]),
            ),
            MarketSettings(
                POOL,
                token,
                max_leverage=int(self.config["maxLeverage"]),
                max_short_hard=int(row["maxGlobalShortSize"]),
            ),
            PriceSettings(
                token,
                sample_rounds=int(self.config["priceSampleSpace"]),
                spread=Spread(
                    spread_bps=int(row["spreadBps"]),
                    strict_stable=row["strictStable"],
                    strict_deviation=int(self.config["maxStrictPriceDeviation"]),
                ),
            ),
        ]

    def apply(self, account: str, command: Command, signer: str = "") -> Receipt:
        """One command now."""
        return self.root.apply(Envelope(time=self.now, account=account, command=command, signer=signer))

    def must(self, account: str, command: Command) -> Receipt:
        """One command that has to succeed."""
        receipt = self.apply(account, command)
        if receipt.rejection is not None:
            raise AssertionError(f"{command}: {receipt.rejection}")
        return receipt

    def configure(self, record: Settings) -> None:
        """Governance puts one record."""
        self.must(GOVERNOR, Configure(settings=canonical(record).decode()))

    def set_answers(self, answers: dict[str, str]) -> None:
        """The primary feed posts a round."""
        rounds = tuple(Round(token, int(answer)) for token, answer in answers.items())
        self.must("feeds", PostRounds(rounds=rounds))

    def draft(self, sender: str = GOVERNOR) -> Draft:
        """A draft over the state, for readings."""
        return Draft(self.root.state, time=self.now, sender=sender, sequence=0, route=self.root._route)

    def pool(self) -> PoolSettings:
        """The pool's settings now."""
        settings = self.root.state.get(PoolSettings, (POOL,))
        assert settings is not None
        return settings

    def differences(self, record: dict[str, Any]) -> list[str]:
        """Every number of the recorded state that is not ours."""
        found = [
            f"{name} {expected} is {actual}"
            for name, expected, actual in self._pairs(record["state"])
            if expected != actual
        ]
        if record.get("position") is not None:
            actual = self.position(record)
            if actual != record["position"]:
                found.append(f"position {record['position']} is {actual}")
        if record.get("liq") is not None and record["op"] in ("increase", "decrease", "liquidate"):
            book = self._book(record)
            health, fees = assess(book)
            if [str(int(health)), str(fees)] != record["liq"]:
                found.append(f"liq {record['liq']} is {[int(health), fees]}")
        return found

    def _pairs(self, state: dict[str, Any]) -> list[tuple[str, Any, Any]]:
        pairs: list[tuple[str, Any, Any]] = []
        for position, token in enumerate(self.tokens):
            for name, value in self._token_state(token).items():
                pairs.append((f"{name}[{token}]", state[name][position], str(value)))
        for name, maximise in (("aumMax", True), ("aumMin", False)):
            pairs.append((name, state[name], self._aum(maximise)))
        for name, token in (("glpSupply", "GLP"), ("usdgSupply", "USDG")):
            pairs.append((name, state[name], str(ledger.supply_of(self.root.state, token))))
        return pairs

    def _token_state(self, token: str) -> dict[str, int]:
        state = self.root.state
        asset = load_asset(state, POOL, token)
        market = state.get(Market, (POOL, token)) or Market(POOL, token)
        low, high = pricing.bounds_at(state, token, self.now)
        return {
            "poolAmounts": asset.amount,
            "reservedAmounts": asset.reserved,
            "guaranteedUsd": asset.guaranteed,
            "usdgAmounts": asset.debt,
            "feeReserves": asset.fees,
            "cumulativeFundingRates": asset.funding_index,
            "lastFundingTimes": asset.funding_at,
            "globalShortSizes": market.shorts.size,
            "globalShortAveragePrices": market.shorts.average,
            "shortsTrackerAveragePrices": market.shorts.tracked,
            "minPrice": low,
            "maxPrice": high,
            "vaultBalance": ledger.balance_of(state, f"pool:{POOL}", token),
        }

    def _aum(self, maximise: bool) -> str | None:
        try:
            return str(pool_value(self.root.state, self.pool(), self.now, maximise=maximise))
        except Reject:
            return None

    def position(self, record: dict[str, Any]) -> list[str]:
        """The touched position as the recording lists it."""
        key = (POOL, record["account"], record["collateral"], record["index"], record["isLong"])
        found = self.root.state.get(Position, key)
        if found is None:
            return ["0"] * 7
        numbers = (
            found.size,
            found.collateral_usd,
            found.average,
            found.entry_funding,
            found.reserved,
            found.pnl,
            found.increased_at,
        )
        return [str(number) for number in numbers]

    def _book(self, record: dict[str, Any]) -> Any:
        book = open_book(self.draft(), POOL, record["account"], record["collateral"], record["index"], record["isLong"])
        book.asset = load_asset(self.root.state, POOL, record["collateral"])
        return book
