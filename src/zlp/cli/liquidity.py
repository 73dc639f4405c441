"""``zlp lp``: putting tokens into the pools of a running venue, and taking them out."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from zlp.cli.key_files import URL, AccountOption, KeyOption, UrlOption, stop
from zlp.cli.tables import table
from zlp.cli.trade import Timeout, tell, trading

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
PoolOption = Annotated[str, typer.Option(help="Which pool; the first if not given.")]


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
            console.print(f"you hold {desk.shares(pool)} shares", highlight=False)


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
    """Give shares back for a token. Pools that make providers wait refuse, and say so.

    Example: zlp lp burn USDC all
    """
    with trading(url, key, account) as desk:
        held = desk.shares(pool)
        if not held:
            raise stop("you hold no shares of this pool")
        given = str(held) if shares == "all" else shares
        if tell(desk, desk.burn(token, given, pool=pool), timeout):
            console.print(f"you hold {desk.client.balance(token)} {token}", highlight=False)
