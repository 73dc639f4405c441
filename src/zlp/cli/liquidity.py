"""``zlp lp``: putting tokens into the pools of a running venue, and taking them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from zlp.cli.key_files import URL, AccountOption, KeyOption, UrlOption, stop
from zlp.cli.tables import shown, table
from zlp.cli.trade import Timeout, tell, trading

if TYPE_CHECKING:
    from zlp.client.trading import Trading

console = Console()
liquidity_app = typer.Typer(help="Provide liquidity at a running venue.", no_args_is_help=True)
POOLS = (
    ("pool", "pool", "text"),
    ("share token", "share", "text"),
    ("value USD", "value_usd", "usd"),
    ("shares", "supply", "amount"),
    ("share price USD", "share_price", "price"),
    ("utilised", "utilisation_bps", "bps"),
)
ASSETS = (
    ("pool", "pool", "text"),
    ("token", "token", "text"),
    ("amount", "amount", "amount"),
    ("reserved", "reserved", "amount"),
    ("value USD", "value_usd", "usd"),
    ("weight", "weight_bps", "bps"),
    ("target", "target_bps", "bps"),
)
REQUESTS = (
    ("request", "request", "text"),
    ("pool", "pool", "text"),
    ("shares", "shares", "amount"),
    ("pays", "token", "text"),
    ("due", "when", "text"),
)
PoolOption = Annotated[str, typer.Option(help="Which pool; the first that fits if not given.")]


@liquidity_app.command()
def pools(url: UrlOption = URL) -> None:
    """Pools, what a share of them is worth, and what is in them. Needs no key.

    Example: zlp lp pools
    """
    from zlp.client import Client, VenueError

    try:
        with Client(url) as client:
            rows = client.get("/v1/desk")["pools"]
    except VenueError as fault:
        raise stop(str(fault)) from None
    console.print(table("pools", POOLS, rows))
    console.print(table("assets", ASSETS, [{**asset, "pool": row["pool"]} for row in rows for asset in row["assets"]]))


@liquidity_app.command()
def mint(
    token: Annotated[str, typer.Argument(help="The token to put in.")],
    amount: Annotated[str, typer.Argument(help="Whole tokens.")],
    pool: PoolOption = "",
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
    timeout: Timeout = 60,
) -> None:
    """Put tokens into a pool for shares.

    Example: zlp lp mint USDC 1000
    """
    with trading(url, key, account) as desk:
        if tell(desk, desk.mint(token, amount, pool=pool), timeout):
            console.print(f"you hold {desk.shares(pool, token)} shares", highlight=False)


@liquidity_app.command()
def burn(
    token: Annotated[str, typer.Argument(help="The token to take out.")],
    shares: Annotated[str, typer.Argument(help="Whole shares, or all.")],
    pool: PoolOption = "",
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
    timeout: Timeout = 60,
) -> None:
    """Give shares back for a token. Where a pool makes providers wait, `request` and `redeem` do it in two steps.

    Example: zlp lp burn USDC all
    """
    with trading(url, key, account) as desk:
        given = _given(desk, shares, pool, token)
        if tell(desk, desk.burn(token, given, pool=pool), timeout):
            console.print(f"you hold {desk.client.balance(token)} {token}", highlight=False)


def _given(desk: Trading, shares: str, pool: str, token: str = "") -> str:
    if shares != "all":
        return shares
    held = desk.shares(pool, token)
    if not held:
        raise stop("you hold no shares of this pool")
    return f"{held:f}"


@liquidity_app.command()
def request(
    shares: Annotated[str, typer.Argument(help="Whole shares, or all.")],
    pool: Annotated[str, typer.Option(help="Which vault.")],
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
) -> None:
    """Ask to leave a vault that pays out after a delay; the shares are set aside until then.

    Example: zlp lp request all --pool usdc
    """
    with trading(url, key, account) as desk:
        _show_requests(desk, [desk.request(_given(desk, shares, pool), pool=pool)])
        console.print("then: zlp lp redeem")


@liquidity_app.command()
def requests(url: UrlOption = URL, key: KeyOption = "", account: AccountOption = "") -> None:
    """What you have asked for, and when each is due.

    Example: zlp lp requests
    """
    with trading(url, key, account) as desk:
        _show_requests(desk, desk.requests())


def _show_requests(desk: Trading, rows: list[dict[str, Any]]) -> None:
    now = desk.client.venue().time
    told = [{**row, "when": "now" if row["is_due"] else _in(row["due"] - now)} for row in rows]
    console.print(table("requests", REQUESTS, told) if told else "you have asked for nothing")


def _in(seconds: int) -> str:
    return f"in {seconds // 3600} h {seconds % 3600 // 60} min" if seconds >= 60 else f"in {max(0, seconds)} s"


@liquidity_app.command()
def redeem(
    number: Annotated[str, typer.Argument(help="Which request; all that are due if not given.")] = "",
    minimum: Annotated[str, typer.Option("--min", help="Whole tokens that each must pay at least.")] = "",
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
) -> None:
    """Take out what you asked for and what is due.

    Examples:

      zlp lp redeem

      zlp lp redeem 7 --min 950
    """
    with trading(url, key, account) as desk:
        for row in desk.redeem(number, minimum=minimum):
            console.print(f"[green]redeemed[/] {shown(row['amount'], 'amount')} {row['token']}", highlight=False)


@liquidity_app.command()
def stay(
    number: Annotated[str, typer.Argument(help="Which request, as `zlp lp requests` names it.")],
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
) -> None:
    """Take a request back; its shares return to you.

    Example: zlp lp stay 7
    """
    with trading(url, key, account) as desk:
        desk.stay(number)
        console.print(f"[green]taken back[/] {number}", highlight=False)
