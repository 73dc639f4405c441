"""``zlp trade``: positions and orders at a running venue of any design, and ``zlp faucet`` for a demo's tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from zlp.cli.key_files import URL, AccountOption, KeyOption, UrlOption, at_venue, stop
from zlp.cli.tables import shown, table

if TYPE_CHECKING:
    from zlp.client.trading import Trading

console = Console()
trade_app = typer.Typer(
    help="Open, protect and close positions at a running venue. Keys come from `zlp account new`.",
    no_args_is_help=True,
)
MARKETS = (
    ("market", "market", "text"),
    ("pool", "pool", "text"),
    ("bid", "low", "price"),
    ("ask", "high", "price"),
    ("longs USD", "long_usd", "usd"),
    ("shorts USD", "short_usd", "usd"),
    ("backs longs", "longs_by", "text"),
    ("backs shorts", "shorts_by", "text"),
)
POSITIONS = (
    ("position", "position", "text"),
    ("market", "market", "text"),
    ("side", "is_long", "side"),
    ("size $", "size_usd", "usd"),
    ("margin $", "collateral_usd", "usd"),
    ("entry", "entry_price", "price"),
    ("mark", "mark_price", "price"),
    ("PnL $", "pnl_usd", "usd"),
    ("liq. at", "liquidation_price", "price"),
    ("health", "health_bps", "bps"),
)
ORDERS = (
    ("order", "order", "text"),
    ("does", "does", "text"),
    ("market", "market", "text"),
    ("waits for", "waits", "text"),
    ("status", "status", "text"),
)
Timeout = Annotated[float, typer.Option(help="Seconds to wait for it to be executed; 0 not to wait.", min=0)]
Share = Annotated[str, typer.Option(help="Part of the position, as in 0.5.")]
Slippage = Annotated[
    str, typer.Option(help="Percent by which the price may move against you until it runs; any amount if not given.")
]


@contextmanager
def trading(url: str, key: str, account: str) -> Iterator[Trading]:
    """Trading at a venue with a key; what goes wrong is one line and exit code 1."""
    from zlp.client.trading import Trading

    with at_venue(url, key, account) as client:
        yield Trading(client)


def tell(desk: Trading, sent: dict[str, Any], timeout: float) -> bool:
    """Say what became of something sent, waiting for it if wanted; whether it is done."""
    if sent["status"] == "open" and timeout:
        with console.status(f"order {sent['id']} waits for a keeper"):
            sent = desk.settled(sent, timeout)
    if sent["status"] == "open":
        console.print(f"order {sent['id']} waits; see: zlp trade orders", highlight=False)
        return False
    console.print(f"[green]done[/] ({sent['id']})", highlight=False)
    return True


@trade_app.command()
def markets(url: UrlOption = URL) -> None:
    """What can be traded, at which prices, and which tokens back it. Needs no key.

    Example: zlp trade markets
    """
    from zlp.client import Client, VenueError

    try:
        with Client(url) as client:
            found = client.get("/v1/desk")["markets"]
    except VenueError as fault:
        raise stop(str(fault)) from None
    rows = [
        {**row, "longs_by": " ".join(row["long_collaterals"]), "shorts_by": " ".join(row["short_collaterals"])}
        for row in found
    ]
    console.print(table("markets", MARKETS, rows))


@trade_app.command("open")
def open_position(
    market: Annotated[str, typer.Argument(help="A market, as `zlp trade markets` names it.")],
    side: Annotated[str, typer.Argument(help="long or short.")],
    size: Annotated[str, typer.Option(help="Size in USD.")],
    margin: Annotated[str, typer.Option(help="Whole tokens that back it; 0 for what is there already.")],
    token: Annotated[str, typer.Option(help="Which token; the first that backs this side if not given.")] = "",
    at: Annotated[str, typer.Option(help="Wait for this price or a better one.")] = "",
    slippage: Slippage = "",
    pool: Annotated[str, typer.Option(help="Of which pool, where several have this market.")] = "",
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
    timeout: Timeout = 60,
) -> None:
    """Open or extend a position.

    Examples:

      zlp trade open ETH long --margin 1 --size 5000

      zlp trade open BTC short --margin 2000 --token USDC --size 10000 --at 101000

      zlp trade open ETH long --margin 1 --size 5000 --slippage 0.5
    """
    _side(side)
    with trading(url, key, account) as desk:
        sent = desk.open(
            market,
            is_long=side == "long",
            margin=margin,
            size=size,
            token=token,
            at=at,
            slippage=slippage,
            pool=pool,
        )
        if tell(desk, sent, 0 if at else timeout):
            _show(desk)


def _side(side: str) -> None:
    if side not in ("long", "short"):
        raise stop("a position is long or short")


@trade_app.command()
def close(
    position: Annotated[str, typer.Argument(help="Its name, or its market if there is only one.")],
    share: Share = "1",
    slippage: Slippage = "",
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
    timeout: Annotated[float, typer.Option(help="Seconds to wait for it.", min=1)] = 60,
) -> None:
    """Close a position or a part of it, and take out margin that nothing needs any longer.

    Examples:

      zlp trade close ETH

      zlp trade close ETH --share 0.25
    """
    with trading(url, key, account) as desk:
        with console.status("waiting for a keeper"):
            sent = desk.close(position, share=share, slippage=slippage, timeout=timeout)
        tell(desk, sent, 0)
        _show(desk)


@trade_app.command()
def margin(
    position: Annotated[
        str, typer.Argument(help="Its name, or its market; none for the main margin account (Zeno, Zaros).")
    ] = "",
    add: Annotated[str, typer.Option(help="Whole tokens that come in.")] = "",
    take: Annotated[str, typer.Option(help="Whole tokens that go out; USD on ZEUS, which counts collateral so.")] = "",
    token: Annotated[str, typer.Option(help="Which token; the one that backs it if not given.")] = "",
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
    timeout: Timeout = 60,
) -> None:
    """Add margin to a position, or take out what it can spare; its size stays as it is.

    Examples:

      zlp trade margin ETH --add 0.5

      zlp trade margin ETH --take 200
    """
    if bool(add) == bool(take):
        raise stop("give either --add or --take")
    with trading(url, key, account) as desk:
        change = desk.add_margin if add else desk.take_margin
        sent = change(position, add or take, token=token)
        if tell(desk, sent, timeout):
            console.print(f"{add or take} {sent['unit']} {'in' if add else 'out'}", highlight=False)
            _show(desk)


@trade_app.command()
def collect(url: UrlOption = URL, key: KeyOption = "", account: AccountOption = "") -> None:
    """Take out margin that backs nothing: a stop that has closed a position leaves its margin behind (Zaros).

    Example: zlp trade collect
    """
    with trading(url, key, account) as desk:
        rows = desk.collect()
        for row in rows:
            console.print(f"[green]back[/] {shown(row['amount'], 'amount')} {row['token']}", highlight=False)
        if not rows:
            console.print("no margin lies idle")


@trade_app.command()
def order(
    position: Annotated[str, typer.Argument(help="The position to protect: its name, or its market.")],
    stop_at: Annotated[str, typer.Option("--stop", help="Close when the price gets as bad as this.")] = "",
    take_at: Annotated[str, typer.Option("--take", help="Close when the price gets as good as this.")] = "",
    share: Share = "1",
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
) -> None:
    """Leave an order that waits for a price and only closes: a stop or a take-profit.

    Examples:

      zlp trade order ETH --stop 2900

      zlp trade order ETH --take 4000 --share 0.5
    """
    with trading(url, key, account) as desk:
        tell(desk, desk.protect(position, stop=stop_at, take=take_at, share=share), 0)


@trade_app.command()
def sign(
    market: Annotated[str, typer.Argument(help="A market, as `zlp trade markets` names it.")],
    side: Annotated[str, typer.Argument(help="long (buys) or short (sells).")],
    size: Annotated[str, typer.Option(help="Size in USD.")],
    at: Annotated[str, typer.Option(help="The price it fills at, or better.")],
    keep: Annotated[int, typer.Option(help="Seconds the venue keeps it; 0 as long as it is valid.", min=0)] = 0,
    voids: Annotated[bool, typer.Option("--voids", help="Its fill voids every other order signed so far.")] = False,
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
) -> None:
    """Sign a limit order away from the venue's log, and leave it with the venue (Zaros).

    Example: zlp trade sign ETH short --size 5000 --at 4100 --keep 86400
    """
    _side(side)
    with trading(url, key, account) as desk:
        expires = desk.client.venue().time + keep if keep else 0
        sent = desk.sign(market, is_long=side == "long", size=size, at=at, voids_others=voids, expires=expires)
        console.print(f"the venue keeps {sent['id']}; see: zlp trade orders", highlight=False)


@trade_app.command()
def void(url: UrlOption = URL, key: KeyOption = "", account: AccountOption = "") -> None:
    """Void every order you have signed away from the venue, wherever copies of them are.

    Example: zlp trade void
    """
    with trading(url, key, account) as desk:
        desk.void()
        console.print("[green]void[/]: all signed orders")


@trade_app.command()
def swap(
    token: Annotated[str, typer.Argument(help="What you give.")],
    into: Annotated[str, typer.Argument(help="What you get.")],
    amount: Annotated[str, typer.Argument(help="Whole tokens you give.")],
    minimum: Annotated[str, typer.Option("--min", help="Whole tokens you must get at least.")] = "",
    pool: Annotated[str, typer.Option(help="Which pool; the first that fits if not given.")] = "",
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
    timeout: Timeout = 60,
) -> None:
    """Swap one token for another at a pool; on Zaros USDz for the collateral of a vault.

    Example: zlp trade swap ETH USDC 1.5 --min 4400
    """
    with trading(url, key, account) as desk:
        if tell(desk, desk.swap(token, into, amount, minimum=minimum, pool=pool), timeout):
            console.print(f"you hold {shown(desk.client.balance(into), 'amount')} {into}", highlight=False)


@trade_app.command()
def cancel(
    number: Annotated[str, typer.Argument(help="The order, as `zlp trade orders` names it.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All that wait, signed ones too, under one signature.")] = False,
    after: Annotated[
        int | None, typer.Option(help="Void all that wait in so many seconds, unless said again; 0: not.", min=0)
    ] = None,
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
) -> None:
    """Take orders back: one, all, or all unless you go on saying that you are there. What they set aside returns.

    Examples:

      zlp trade cancel 17

      zlp trade cancel --all

      zlp trade cancel --after 60
    """
    if bool(number) + every + (after is not None) != 1:
        raise stop("give an order, --all or --after")
    with trading(url, key, account) as desk:
        if after is not None:
            desk.cancel_after(after)
            console.print(f"all that wait are void in {after} s" if after else "the switch is taken back")
        elif every:
            receipts = desk.cancel_all()
            late = sum(not receipt.accepted for receipt in receipts)
            console.print("[green]cancelled[/] all" if receipts else "no orders wait", highlight=False)
            console.print(f"{late} had ended meanwhile", highlight=False) if late else None
        else:
            desk.cancel(number)
            console.print(f"[green]cancelled[/] {number}", highlight=False)


@trade_app.command()
def positions(url: UrlOption = URL, key: KeyOption = "", account: AccountOption = "") -> None:
    """Your positions with PnL, health and liquidation price.

    Example: zlp trade positions
    """
    with trading(url, key, account) as desk:
        _show(desk)


@trade_app.command()
def orders(url: UrlOption = URL, key: KeyOption = "", account: AccountOption = "") -> None:
    """Your orders that wait.

    Example: zlp trade orders
    """
    with trading(url, key, account) as desk:
        rows = [{**row, "waits": _waits(row), "does": _does(row)} for row in desk.orders()]
        console.print(table("orders", ORDERS, rows) if rows else "no orders wait")


def faucet(
    token: Annotated[list[str] | None, typer.Argument(help="Tokens; all that it gives if none is named.")] = None,
    amount: Annotated[str, typer.Option(help="Whole tokens; as many as it gives at once if not given.")] = "",
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
) -> None:
    """Take tokens of a demo venue. They are worth nothing; a venue that is no demo refuses.

    Examples:

      zlp faucet

      zlp faucet ETH USDC --amount 100
    """
    with trading(url, key, account) as desk:
        open_ones = [symbol for symbol, known in desk.client.tokens().items() if known.faucet_limit]
        if not open_ones:
            raise stop("this venue's faucet is closed")
        for symbol in token or open_ones:
            desk.faucet(symbol, amount)
            console.print(f"{symbol:8} {shown(desk.client.balance(symbol), 'amount')}", highlight=False)


def _show(desk: Trading) -> None:
    """Positions; by their markets alone where no two are of the same, since that names them too."""
    rows = desk.positions()
    alone = len({row["market"] for row in rows}) == len(rows)
    console.print(table("positions", POSITIONS[alone:], rows) if rows else "no positions")


def _does(row: dict[str, Any]) -> str:
    """In words where the action is a trade: which side, whether it only closes; else its own name."""
    from zlp.client.ccxt_shapes import reduces, side_of

    action = json.loads(row["action"])
    side = side_of(action) or ""
    words = [side, "closes" if reduces(action) else "signed" if row["kind"] == "HoldSignedOrder" else ""]
    return ", ".join(word for word in words if word) or row["kind"]


def _waits(row: dict[str, Any]) -> str:
    if not row["trigger_asset"]:
        return "the next prices"
    asset = "/".join(name for name in (row["trigger_asset"], row["trigger_quote"]) if name)
    return f"{asset} {'above' if row['trigger_above'] else 'below'} {shown(row['trigger_price'], 'price')}"
