"""A venue set up as a recorded case's configuration says, with the reads its checks need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from zlp.engine import Envelope, Root, invariants, ledger
from zlp.engine.branches.cross_margin import health
from zlp.engine.branches.cross_margin.books import Books, open_books
from zlp.engine.branches.fund import valuation
from zlp.engine.commands.base import Command
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.prices import PostRounds, Round
from zlp.engine.draft import Draft
from zlp.engine.leaves.access import Installed, Role, RoleHolder
from zlp.engine.leaves.base import Leaf, Settings
from zlp.engine.leaves.cross_margin import (
    BorrowingClassSettings,
    CrossMarginSettings,
    FundMarketSettings,
)
from zlp.engine.leaves.fund import FundAssetSettings, FundSettings
from zlp.engine.leaves.ledger import Token
from zlp.engine.leaves.prices import PriceSettings
from zlp.engine.mechanisms.carry import ReserveBorrowing, VelocityFunding
from zlp.engine.mechanisms.counter_trade import ProfitBuffer, ProfitDelay
from zlp.engine.mechanisms.pricing import AdaptivePrice
from zlp.engine.mechanisms.skew_fee import SkewFee
from zlp.engine.mechanisms.weight_fee import WeightFee
from zlp.engine.rejections import Code, Reject

POOL, SHARE, OPERATOR = "main", "ZLP", "operator"


def configured(base: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """The base configuration with a case's changes laid over it."""
    config = {name: dict(value) if isinstance(value, dict) else value for name, value in base.items()}
    config["markets"] = [_market_row(base["markets"], row) for row in base["markets"]]
    config["asset_classes"] = [dict(row) for row in base["asset_classes"]]
    for name, value in overrides.items():
        if name == "mock":
            config["mock"] = value
        elif name == "base_borrow_rate":
            for row in config["asset_classes"]:
                row["base_borrow_rate_e18"] = value
        elif name.startswith("market") and name[6:].isdigit():
            config["markets"][int(name[6:])].update(value)
        else:
            section = next((part for part in ("trading", "liquidity") if name in base[part]), None)
            (config if section is None else config[section])[name] = value
    return config


def _market_row(rows: list[dict[str, Any]], row: dict[str, Any]) -> dict[str, Any]:
    same = rows[row["same_as"]] if "same_as" in row else {}
    return {**same, **row}


def settings(config: dict[str, Any]) -> Iterator[Settings]:
    """Every settings record of a configuration."""
    mock = str(config.get("mock", ""))
    rules, liquidity = config["trading"], config["liquidity"]
    for symbol, row in config["tokens"].items():
        yield Token(symbol, row["decimals"])
        yield FundAssetSettings(
            POOL,
            symbol,
            target_weight=row["target_weight_e18"],
            max_weight_difference=row["max_weight_diff_e18"],
            buffer=row["buffer"],
            accepted=row["accepted_lp"],
            collateral_bps=row["collateral_factor_bps"] or 0,
        )
    yield Token(SHARE, 18, issued=True)
    for asset in dict.fromkeys([*config["tokens"], *(row["asset"] for row in config["markets"])]):
        yield PriceSettings(asset, answer_decimals=30)
    yield FundSettings(
        POOL,
        SHARE,
        tuple(config["hlp_asset_order"]),
        fees=WeightFee(
            deposit_bps=liquidity["deposit_fee_bps"],
            withdraw_bps=liquidity["withdraw_fee_bps"],
            tax_bps=liquidity["tax_bps"],
            dynamic=liquidity["dynamic_fee"],
        ),
        buffer=ProfitBuffer(threshold_bps=liquidity["safety_buffer_bps"]),
        developer_bps=rules["dev_fee_bps"],
        max_utilisation_bps=liquidity["max_util_bps"],
        enabled=liquidity["enabled"],
    )
    pnl = config["pnl_factor_bps"]
    yield CrossMarginSettings(
        POOL,
        pnl_bps=pnl if isinstance(pnl, int) else 0,
        liquidation_fee_usd=config["liquidation_fee_e30"],
        min_position_usd=config["minimum_position_size_e30"],
        max_positions=rules["max_positions"],
        arithmetic="reference",
    )
    interval = rules["funding_interval_s"]
    for number, row in enumerate(config["asset_classes"]):
        rate = 0 if "borrowing/funding off" in mock else row["base_borrow_rate_e18"]
        yield BorrowingClassSettings(POOL, str(number), ReserveBorrowing(base_rate=rate, interval=interval))
    for row in config["markets"]:
        yield _market(row, rules, plain="plain price" in mock)


def _market(row: dict[str, Any], rules: dict[str, Any], *, plain: bool) -> FundMarketSettings:
    delay = rules["min_profit_duration_s"]
    seconds = delay.get(str(row["index"]), 0) if isinstance(delay, dict) else delay
    scale = row["max_skew_scale_e30"]
    return FundMarketSettings(
        POOL,
        row["asset"],
        str(row["asset_class"]),
        initial_bps=row["imf_bps"],
        maintenance_bps=row["mmf_bps"],
        max_long_usd=row["max_long_e30"],
        max_short_usd=row["max_short_e30"],
        max_profit_bps=row["max_profit_bps"],
        price=AdaptivePrice(max_skew_scale=0 if plain else scale),
        fees=SkewFee(
            increase_bps=row["inc_fee_bps"],
            decrease_bps=row["dec_fee_bps"],
            maker_rate=row.get("maker_fee_e8", 0),
            taker_rate=row.get("taker_fee_e8", 0),
        ),
        funding=VelocityFunding(
            max_velocity=row["max_funding_rate_e18"], max_skew_scale=scale, interval=rules["funding_interval_s"]
        ),
        delay=ProfitDelay(seconds=seconds),
    )


class Venue:
    """A root with the branches of a fund, at the second of the last step."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.markets = {str(row["index"]): row["asset"] for row in config["markets"]}
        branches = [Installed(name, 1) for name in ("custody", "prices", "fund", "cross_margin")]
        roles = [RoleHolder(role, OPERATOR) for role in Role]
        leaves: list[Leaf] = [*branches, *roles, *settings(config)]
        self.root = Root(leaves)
        self.now = 0
        prices = dict.fromkeys((leaf.asset for leaf in leaves if isinstance(leaf, PriceSettings)), 10**30)
        self.post(prices | config.get("initial_prices_e30", {}))

    def apply(self, account: str, command: Command) -> Code | None:
        """Apply a command now; the code of its rejection."""
        receipt = self.root.apply(Envelope(time=self.now, account=account, command=command))
        return None if receipt.rejection is None else receipt.rejection.code

    def run(self, account: str, function: Callable[[Draft], Any]) -> Code | None:
        """Run a branch function as a command would be; the code of its rejection."""
        draft = self.draft(account)
        try:
            function(draft)
        except Reject as refused:
            return refused.rejection.code
        invariants.check(draft)
        self.root._commit(draft)
        return None

    def draft(self, account: str = "") -> Draft:
        """A draft of the state now, to read from."""
        return Draft(self.root.state, time=self.now, sender=account, sequence=0, route=self.root._route)

    def books(self) -> Books:
        """The books now."""
        return open_books(self.draft(), POOL)

    def post(self, prices: dict[str, int]) -> None:
        """Post prices at 1e30."""
        rounds = tuple(Round(asset, price) for asset, price in prices.items())
        _expect(self.apply(OPERATOR, PostRounds(rounds=rounds)))

    def credit(self, account: str, token: str, amount: int) -> None:
        """Bring tokens in for an account; shares are there as if it had earned them before."""
        if ledger.token(self.root.state, token).issued:
            _expect(self.run(OPERATOR, lambda draft: ledger.issue(draft, token, account, amount)))
        else:
            _expect(self.apply(OPERATOR, Deposit(account=account, token=token, amount=amount)))

    def configure(self, kind: type[Settings], key: tuple[str, ...], **changes: Any) -> None:
        """Change settings as governance would."""

        def change(draft: Draft) -> None:
            found = draft.get(kind, key)
            draft.put(replace(found, **changes))

        _expect(self.run(OPERATOR, change))

    def seed_reserve(self, token: str, amount: int) -> None:
        """Put tokens into the funding reserve, as the reference test does by hand."""
        _expect(self.run(OPERATOR, lambda draft: ledger.issue(draft, token, f"funding:{POOL}", amount)))


def _expect(code: Code | None) -> None:
    if code is not None:
        raise RuntimeError(f"the set-up of a case was refused: {code}")


def account_of(name: str) -> tuple[str, int]:
    """``ALICE#1`` is account 1 of ALICE."""
    owner, _, number = name.partition("#")
    return owner, int(number or 0)


def read(venue: Venue, path: str) -> int:
    """The value of a check's path (see the schema in the spec's appendix)."""
    head, *rest = path.split(".")
    books = venue.books()
    desk, draft = books.desk, books.draft
    if head in _HOLDERS:
        return ledger.balance_of(draft, f"{_HOLDERS[head]}:{POOL}", rest[0])
    if head == "bal":
        owner, number = account_of(rest[0])
        held = ledger.balance_of(draft, books.account(owner, number).holder, rest[1])
        return held + (ledger.balance_of(draft, owner, rest[1]) if owner == "BOT" else 0)
    if head == "lp":
        return ledger.balance_of(draft, rest[0], SHARE)
    if head in ("ac", "mkt", "vel"):
        name = rest[0] if head == "ac" else venue.markets[rest[0]]
        return _market_value(books, head, [name, *rest[1:]])
    if head in ("pos", "npos", "imr", "mmr", "equity", "free", "upnl", "ufee", "fundfee"):
        named = [rest[0], *(venue.markets[part] for part in rest[1:2]), *rest[2:]]
        return _account_value(books, head, named)
    total = valuation.assets_usd(desk)
    values: dict[str, Callable[[], int]] = {
        "supply": lambda: ledger.supply_of(draft, SHARE),
        "tvl": lambda: total,
        "aum": lambda: valuation.value_usd(desk),
        "gpnl": lambda: valuation.net_pnl_usd(desk),
        "pending_borrow": lambda: valuation.pending_borrowing_usd(desk, total),
        "greserve": lambda: desk.books.reserve_usd,
        "lpdebt": lambda: desk.books.loan_usd,
    }
    return values[head]()


_HOLDERS = {"hlp": "fund", "pf": "revenue", "df": "developer", "ffr": "funding"}
_CLASS = {
    "reserve": "reserve_usd",
    "sumrate": "rate",
    "last": "updated_at",
    "sumfee": "accrued_usd",
    "settled": "settled_usd",
}
_MARKET = {
    "L": "long_size",
    "S": "short_size",
    "rate": "funding_rate",
    "acc": "accrued",
    "aL": "owed_long",
    "aS": "owed_short",
}
_POSITION = {
    "size": "size",
    "avg": "average_price",
    "reserve": "reserve_usd",
    "rpnl": "realised_usd",
    "ebr": "entry_borrowing",
    "lfa": "entry_funding",
}


def _market_value(books: Books, head: str, rest: list[str]) -> int:
    if head == "ac":
        return int(getattr(books.group(rest[0]), _CLASS[rest[1]]))
    market = books.market(rest[0])
    if head == "vel":
        return books.settings(rest[0]).funding.velocity(market.skew)
    return int(getattr(market, _MARKET[rest[1]]))


def _account_value(books: Books, head: str, rest: list[str]) -> int:
    account = books.account(*account_of(rest[0]))
    if head == "npos":
        return len(account.markets)
    if head in ("pos", "fundfee"):
        position = books.position(account, rest[1])
        if position is None:
            return 0
        if head == "pos":
            return int(getattr(position, _POSITION[rest[2]]))
        return health.accrued_carry(books, books.settings(rest[1]), position).funding
    figures = health.measure(books, account)
    return {
        "imr": figures.initial,
        "mmr": figures.maintenance,
        "equity": figures.equity,
        "free": figures.free,
        "upnl": figures.profit,
        "ufee": figures.fees,
    }[head]
