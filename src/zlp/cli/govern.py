"""``zlp govern``: decisions of those who hold a role, alone or as members of a multisig."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.console import Console

from zlp.cli.key_files import URL, AccountOption, KeyOption, UrlOption, at_venue
from zlp.cli.tables import table

console = Console()
govern_app = typer.Typer(help="Decide as the holder of a role, or as a member of a multisig.", no_args_is_help=True)
PROPOSALS = (
    ("proposal", "proposal", "text"),
    ("multisig", "multisig", "text"),
    ("command", "does", "text"),
    ("approved by", "by", "text"),
    ("until", "until", "text"),
)


@govern_app.command()
def proposals(url: UrlOption = URL, key: KeyOption = "", account: AccountOption = "") -> None:
    """What waits for approvals.

    Example: zlp govern proposals
    """
    from zlp.client.governing import Governing

    with at_venue(url, key, account) as client:
        rows = [{**row, **_in_words(row)} for row in Governing(client).proposals()]
        console.print(table("proposals", PROPOSALS, rows) if rows else "nothing waits for approvals")


def _in_words(row: dict[str, Any]) -> dict[str, str]:
    fields = [f"{name} {value}" for name, value in row["command"].items() if name != "type"]
    return {
        "does": f"{row['command']['type']}: {', '.join(fields)}",
        "by": f"{len(row['approvals'])} of {row['threshold']}: {' '.join(row['approvals'])}",
        "until": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(row["expires"])),
    }


@govern_app.command()
def approve(
    proposal: Annotated[str, typer.Argument(help="Its number, as `zlp govern proposals` names it.")],
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
) -> None:
    """Approve a proposal; the approval that completes it runs the command.

    Example: zlp govern approve 3
    """
    from zlp.client.governing import Governing

    with at_venue(url, key, account) as client:
        tell_decided(Governing(client).approve(proposal))


def tell_decided(row: dict[str, Any]) -> None:
    """Say whether a decision is done, or who has to do what for it."""
    if row["status"] == "done":
        console.print(f"[green]done[/] ({row['info'].sequence})", highlight=False)
    else:
        console.print(
            f"proposal {row['proposal']} waits; other members: zlp govern approve {row['proposal']}", highlight=False
        )
