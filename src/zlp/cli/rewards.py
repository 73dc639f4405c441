"""``zlp rewards``: what liquidity earns beside its share price: staking, vesting, epochs."""

from __future__ import annotations

import time
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console

from zlp.cli.govern import tell_decided
from zlp.cli.key_files import URL, AccountOption, KeyOption, UrlOption, at_venue
from zlp.cli.liquidity import PoolOption
from zlp.cli.tables import shown, table
from zlp.cli.trade import trading

console = Console()
rewards_app = typer.Typer(
    help="Stake shares, claim what they have earned, let rewards vest, take part in epochs.", no_args_is_help=True
)
Shares = Annotated[str, typer.Argument(help="Whole shares.")]
VESTINGS = (
    ("vesting", "vesting", "text"),
    ("pool", "pool", "text"),
    ("amount", "amount", "amount"),
    ("claimed", "claimed", "amount"),
)
EPOCHS = (
    ("epoch", "epoch", "text"),
    ("pool", "pool", "text"),
    ("budget", "budget", "amount"),
    ("token", "token", "text"),
    ("counts", "score", "text"),
    ("when", "when", "text"),
    ("yours", "yours", "text"),
)

BUCKETS = (("bucket", "bucket", "text"), ("token", "token", "text"), ("amount", "amount", "amount"))


@rewards_app.command()
def stake(
    shares: Shares, pool: PoolOption = "", url: UrlOption = URL, key: KeyOption = "", account: AccountOption = ""
) -> None:
    """Stake shares of a pool whose shares earn only then.

    Example: zlp rewards stake 10 --pool usdc
    """
    with trading(url, key, account) as desk:
        desk.stake(shares, pool=pool)
        console.print(f"[green]staked[/] {shares}", highlight=False)


@rewards_app.command()
def unstake(
    shares: Shares, pool: PoolOption = "", url: UrlOption = URL, key: KeyOption = "", account: AccountOption = ""
) -> None:
    """Take staked shares back; what they have earned stays claimable.

    Example: zlp rewards unstake 10 --pool usdc
    """
    with trading(url, key, account) as desk:
        desk.unstake(shares, pool=pool)
        console.print(f"[green]unstaked[/] {shares}", highlight=False)


@rewards_app.command()
def earned(url: UrlOption = URL, key: KeyOption = "", account: AccountOption = "") -> None:
    """What you could claim now, from everything you have staked, vest or take part in.

    Example: zlp rewards earned
    """
    with trading(url, key, account) as desk:
        rows = desk.earned()
        tell_paid("could be claimed", rows) if rows else console.print("nothing yet")


@rewards_app.command()
def claim(url: UrlOption = URL, key: KeyOption = "", account: AccountOption = "") -> None:
    """Claim all of it.

    Example: zlp rewards claim
    """
    with trading(url, key, account) as desk:
        tell_paid("[green]claimed[/]", desk.claim())


def tell_paid(what: str, rows: Iterable[dict[str, Any]]) -> None:
    """A line for each token that came."""
    for row in rows:
        console.print(f"{what} {shown(row['amount'], 'amount')} {row['token']}", highlight=False)


@rewards_app.command()
def vest(
    amount: Annotated[str, typer.Argument(help="Whole escrowed reward tokens.")],
    pool: PoolOption = "",
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
) -> None:
    """Let escrowed reward tokens vest; `claim` collects what has vested so far.

    Example: zlp rewards vest 100
    """
    with trading(url, key, account) as desk:
        desk.vest(amount, pool=pool)
        console.print(table("vesting", VESTINGS, desk.vestings()))


@rewards_app.command()
def vestings(url: UrlOption = URL, key: KeyOption = "", account: AccountOption = "") -> None:
    """What is vesting.

    Example: zlp rewards vestings
    """
    with trading(url, key, account) as desk:
        rows = desk.vestings()
        console.print(table("vesting", VESTINGS, rows) if rows else "nothing is vesting")


@rewards_app.command("leave-vesting")
def leave_vesting(
    vesting: Annotated[str, typer.Argument(help="Its number, as `zlp rewards vestings` names it.")],
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
) -> None:
    """Collect what has vested and forfeit the rest.

    Example: zlp rewards leave-vesting 3
    """
    with trading(url, key, account) as desk:
        tell_paid("[green]collected[/]", desk.leave_vesting(vesting))
        console.print("the rest is forfeited")


@rewards_app.command()
def soulbound(
    token: Annotated[str, typer.Argument(help="What you pay its price in.")],
    most: Annotated[str, typer.Argument(help="Whole tokens you pay at most.")],
    pool: PoolOption = "",
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
) -> None:
    """Become a holder of the soulbound token, once; epochs are for its holders.

    Example: zlp rewards soulbound USDC 11
    """
    with trading(url, key, account) as desk:
        desk.soulbound(token, most, pool=pool)
        console.print("[green]you hold the soulbound token[/]")


@rewards_app.command()
def epochs(url: UrlOption = URL, key: KeyOption = "", account: AccountOption = "") -> None:
    """Reward programmes, and which of them you take part in.

    Example: zlp rewards epochs
    """
    with trading(url, key, account) as desk:
        now = desk.client.venue().time
        rows = [
            {**row, "yours": "joined" if row["joined"] else "", "when": _when(row["starts"], row["ends"], now)}
            for row in desk.epochs()
        ]
        console.print(table("epochs", EPOCHS, rows) if rows else "no epochs")


def _when(starts: int, ends: int, now: int) -> str:
    if now >= ends:
        return "over: claim"
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(starts if now < starts else ends))


@rewards_app.command()
def join(
    epoch: Annotated[str, typer.Argument(help="Its number, as `zlp rewards epochs` names it.")],
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
) -> None:
    """Take part in an epoch from now on.

    Example: zlp rewards join 2
    """
    with trading(url, key, account) as desk:
        desk.join(epoch)
        console.print(f"[green]joined[/] epoch {epoch}", highlight=False)


@rewards_app.command()
def buckets(url: UrlOption = URL, key: KeyOption = "", account: AccountOption = "") -> None:
    """What collected fees have brought into each bucket; epochs are funded from them.

    Example: zlp rewards buckets
    """
    from zlp.client.governing import Governing

    with at_venue(url, key, account) as client:
        rows = Governing(client).buckets()
        console.print(table("buckets", BUCKETS, rows) if rows else "no fees have been collected")


@rewards_app.command()
def fund(
    token: Annotated[str, typer.Argument(help="What it pays.")],
    amount: Annotated[str, typer.Argument(help="Whole tokens of the bucket.")],
    days: Annotated[str, typer.Option(help="How long it lasts.")] = "7",
    score: Annotated[str, typer.Option(help="What counts: volume, fees or shares.")] = "volume",
    start_in: Annotated[int, typer.Option(help="Minutes until it starts; a multisig approves before.", min=1)] = 10,
    bucket: Annotated[str, typer.Option(help="Which bucket pays.")] = "treasury",
    pool: PoolOption = "",
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
) -> None:
    """Treasurer: open an epoch. A member of a treasury that is a multisig proposes it; the others approve.

    Example: zlp rewards fund USDC 500 --days 30 --score shares
    """
    from zlp.client.governing import Governing

    with at_venue(url, key, account) as client:
        starts = client.venue().time + 60 * start_in
        ends = starts + int(Decimal(days) * 86_400)
        decided = Governing(client).fund_epoch(
            token, amount, starts=starts, ends=ends, score=score, bucket=bucket, pool=pool
        )
        tell_decided(decided)
