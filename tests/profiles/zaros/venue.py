"""A venue whose vaults lend credit, small enough to reckon by hand, and the words to drive it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zlp.engine import Envelope, Root, ledger
from zlp.engine.branches.credit.vaults import debt, recalculate, vault_capacity
from zlp.engine.codec import canonical
from zlp.engine.commands import credit, credit_positions, custody, governance, liquidity, prices, stability
from zlp.engine.commands.base import Command
from zlp.engine.draft import Draft
from zlp.engine.fixed import RATE, USD
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.base import Leaf, Settings
from zlp.engine.leaves.credit import (
    CreditCollateral,
    CreditMarket,
    CreditMarketSettings,
    CreditSettings,
    CreditVault,
    CreditVaultSettings,
    CreditWeight,
    FeeRecipient,
    FeeRecipients,
    ReportFeed,
)
from zlp.engine.leaves.credit_positions import CreditTradingSettings
from zlp.engine.leaves.ledger import Balance, Supply, Token
from zlp.engine.leaves.prices import PriceSettings
from zlp.engine.leaves.stability import StabilitySettings
from zlp.engine.mechanisms.deleverage_curve import DeleverageCurve, PremiumCurve
from zlp.engine.mechanisms.skew import MakerTakerFee, SkewFunding, SkewPrice
from zlp.engine.mechanisms.stability import StableSwap
from zlp.engine.rejections import Code
from zlp.engine.root import Receipt

BRANCHES = ("custody", "prices", "credit", "credit_vaults", "fee_distribution", "stability", "credit_positions")
UNIT = 10**18
START = 1_700_000_000
CURVE = PremiumCurve(x_min=3 * RATE // 10, x_max=8 * RATE // 10, y_min=RATE // 100, y_max=RATE // 10, exponent=3 * RATE)
"""The curve the reference proposes."""


def market(name: str = "BTC", **changes: Any) -> CreditMarketSettings:
    """The deployed BTC market (1 % initial, 0.5 % maintenance margin, skew scale of ten million)."""
    skew_scale = changes.pop("skew_scale", 10**7 * UNIT)
    settings: dict[str, Any] = {
        "market": name,
        "asset": name,
        "deleverage": DeleverageCurve(start=RATE // 2, end=6 * RATE // 10),
        "mark": SkewPrice(skew_scale=skew_scale),
        "funding": SkewFunding(max_velocity=3 * RATE // 100, skew_scale=skew_scale),
        "fees": MakerTakerFee(maker=4 * RATE // 10_000, taker=8 * RATE // 10_000),
        "initial_margin": RATE // 100,
        "maintenance_margin": RATE // 200,
        "min_trade": UNIT // 1_000,
        "max_open_interest": 10**6 * UNIT,
        "max_skew": 10**6 * UNIT,
    }
    return CreditMarketSettings(**{**settings, **changes})


def vault(name: str, token: str, **changes: Any) -> CreditVaultSettings:
    """A vault without fees, delay or locks; ``markets`` as pairs of name and weight."""
    weights = tuple(CreditWeight(*pair) for pair in changes.pop("markets", (("BTC", 1),)))
    settings: dict[str, Any] = {
        "vault": name,
        "token": token,
        "share": f"zlp-{name}",
        "deposit_cap": 10**40,
        "withdrawal_delay": 0,
        "markets": weights,
    }
    return CreditVaultSettings(**{**settings, **changes})


class CreditVenue:
    """A root with the credit branches; commands are sent by the account that may."""

    def __init__(
        self,
        settings: Iterable[Settings] = (),
        *,
        protocol_share: int = 3 * RATE // 10,
        decimals: dict[str, int] | None = None,
    ) -> None:
        self.root, self.now = Root(), START
        self.must(
            "governor",
            governance.Found(identity="t", profile="t", profile_hash="", engine_version="", governor="governor"),
        )
        for role in Role:
            self.must("governor", governance.GrantRole(role=role, holder=role.value))
        cuts = tuple(governance.BranchCut(action="add", branch=name, version=1) for name in BRANCHES)
        self.must("governor", governance.UpgradeBranches(cuts=cuts))
        tokens = {"USDz": 18, "USDC": 6, "WETH": 18, "ETHx": 18, "WBTC": 8, **(decimals or {})}
        for symbol, decimals in tokens.items():
            self.configure(Token(symbol, decimals, issued=symbol == "USDz"))
        for asset in ("USDC", "ETH", "ETHx", "BTC"):
            self.configure(PriceSettings(asset, answer_decimals=30), ReportFeed(asset, f"{asset}/USD"))
        margin = {"loan_to_value": RATE, "margin_cap": 10**40}
        self.configure(
            CreditSettings("USDz", "USDC", "WETH", conversion_fee_usd=USD, conversion_tolerance=RATE // 100),
            CreditCollateral("USDz", **margin, priority=1),
            CreditCollateral("USDC", "USDC", **margin, priority=2),
            CreditCollateral("WETH", "ETH", **margin, priority=3),
            CreditCollateral("ETHx", "ETHx", loan_to_value=7 * RATE // 10, margin_cap=10**40, priority=4),
            CreditCollateral("WBTC", "BTC", **margin, priority=5),
            CreditTradingSettings(settlement_fee_usd=2 * USD, liquidation_fee_usd=5 * USD, order_lifetime=0),
            FeeRecipients((FeeRecipient("treasury", protocol_share),)),
            StabilitySettings(StableSwap(base_fee_usd=USD, fee_bps=30 * RATE, curve=CURVE)),
        )
        self.configure(*settings)
        self.price(USDC=1, ETH=2_000, ETHx=2_000, BTC=100_000)

    def send(self, account: str, command: Command) -> Receipt:
        """Apply a command now."""
        return self.root.apply(Envelope(time=self.now, account=account, command=command))

    def must(self, account: str, command: Command) -> Receipt:
        """Apply a command that has to be accepted."""
        receipt = self.send(account, command)
        assert receipt.rejection is None, receipt.rejection
        return receipt

    def refused(self, account: str, command: Command) -> Code:
        """Apply a command that has to be refused, and say why it was; the state must be as before."""
        before = self.root.state_hash()
        receipt = self.send(account, command)
        assert receipt.rejection is not None, receipt.events
        assert self.root.state_hash() == before
        return receipt.rejection.code

    def configure(self, *settings: Settings) -> None:
        """Governor: put settings records."""
        for record in settings:
            self.must("governor", governance.Configure(settings=canonical(record).decode()))

    def price(self, *, raw: bool = False, **values: int) -> None:
        """Post prices, in whole USD unless ``raw`` (1e30)."""
        rounds = tuple(prices.Round(asset, value if raw else value * USD) for asset, value in values.items())
        self.must("price_signer", prices.PostRounds(rounds=rounds))

    def give(self, account: str, token: str, amount: int) -> None:
        """The bridge brings tokens; what only the venue issues is there as if it had been earned before."""
        if ledger.token(self.root.state, token).issued:
            draft = self.draft()
            ledger.issue(draft, token, account, amount)
            self.root._commit(draft)
        else:
            self.must("bridge", custody.Deposit(account=account, token=token, amount=amount))

    def deposit(self, account: str, name: str, amount: int) -> int:
        """Give an account collateral and let it deposit; answers its new shares."""
        settings = self.leaf(CreditVaultSettings, name)
        self.give(account, settings.token, amount)
        before = self.balance(account, settings.share)
        self.must(account, liquidity.Mint(pool=name, token=settings.token, amount=amount))
        return self.balance(account, settings.share) - before

    def redeem(self, account: str, name: str, shares: int) -> int:
        """Request and redeem shares of a vault without delay; answers the collateral received."""
        settings = self.leaf(CreditVaultSettings, name)
        before = self.balance(account, settings.token)
        receipt = self.must(account, credit.RequestRedemption(vault=name, shares=shares))
        self.must(account, credit.RedeemShares(redemption=receipt.events[-1].redemption))
        return self.balance(account, settings.token) - before

    def refresh(self, *names: str) -> Receipt:
        """Bring vaults up to date."""
        return self.must("anyone", credit.RefreshVaults(vaults=names))

    def trader(self, account: str, **margin: int) -> int:
        """Open a trading account with margin (base units by token)."""
        number = self.must(account, credit_positions.OpenTradingAccount()).events[-1].trading_account
        for token, amount in margin.items():
            self.give(account, token, amount)
            command = credit_positions.AddMargin(trading_account=number, token=token, amount=amount)
            self.must(account, command)
        return number

    def report(self, asset: str, price: int, *, spread: int = 0, **changes: Any) -> credit.Report:
        """A report of now; ``price`` and ``spread`` at 1e30."""
        fields: dict[str, Any] = {
            "feed": f"{asset}/USD",
            "price": price,
            "bid": price - spread,
            "ask": price + spread,
            "valid_from": self.now,
            "expires": self.now + 60,
            "evidence": "digest",
        }
        return credit.Report(**{**fields, **changes})

    def trade(self, account: str, number: int, name: str, delta: int, price: int) -> Receipt:
        """Place an order and fill it at ``price`` (1e30)."""
        self.must(account, credit_positions.PlaceCreditOrder(trading_account=number, market=name, size_delta=delta))
        return self.fill(number, name, price)

    def fill(self, number: int, name: str, price: int) -> Receipt:
        """Fill the pending order."""
        command = credit_positions.FillCreditOrder(trading_account=number, report=self.report(name, price))
        return self.must("keeper", command)

    def swap(self, account: str, name: str, amount: int, price: int) -> Receipt:
        """Swap stable tokens for a vault's collateral at ``price`` (1e30)."""
        receipt = self.must(account, stability.RequestStableSwap(vault=name, amount=amount))
        asset = self.leaf(CreditCollateral, self.leaf(CreditVaultSettings, name).token).asset
        command = stability.FulfilStableSwap(swap=receipt.events[-1].swap, report=self.report(asset, price))
        return self.must("keeper", command)

    def draft(self) -> Draft:
        """A draft of this moment, sent by nobody."""
        return Draft(self.root.state, time=self.now, sender="", sequence=0, route=self.root._route)

    def leaf(self, kind: type[Any], *key: Any) -> Any:
        """A leaf that must exist."""
        found = self.root.state.get(kind, key)
        assert found is not None, (kind, key)
        return found

    def balance(self, owner: str, token: str) -> int:
        """Base units an owner has."""
        found = self.root.state.get(Balance, (owner, token))
        return 0 if found is None else found.amount

    def supply(self, token: str) -> int:
        """Base units that exist."""
        found = self.root.state.get(Supply, (token,))
        return 0 if found is None else found.amount

    def vault(self, name: str) -> CreditVault:
        """A vault's account, as stored."""
        return self.leaf(CreditVault, name)

    def market(self, name: str) -> CreditMarket:
        """A market's account, as stored."""
        return self.leaf(CreditMarket, name)

    def owed(self, name: str) -> tuple[int, int]:
        """``(debt, capacity)`` of a vault as it would be after a recalculation now (USD)."""
        draft = self.draft()
        settings = self.leaf(CreditVaultSettings, name)
        state = recalculate(draft, settings)
        return debt(draft, state), vault_capacity(draft, settings, state)

    def put(self, leaf: Leaf) -> None:
        """Put a leaf behind the engine's back: for recordings that start in the middle of a story."""
        self.root.state.tables.setdefault(type(leaf), {})[leaf.key] = leaf
