"""``zlp send``: any command the venue knows, for what has no words of its own; also as a proposal to a multisig."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from zlp.cli.govern import tell_decided
from zlp.cli.key_files import URL, AccountOption, KeyOption, UrlOption, stop
from zlp.cli.trade import Timeout, tell, trading

if TYPE_CHECKING:
    from zlp.client.trading import Trading
    from zlp.engine import Rejection

console = Console()


def send(
    command: Annotated[str, typer.Argument(help="The command as JSON text; - reads it from the standard input.")],
    quote: Annotated[bool, typer.Option("--quote", help="Say what it would do, and do nothing.")] = False,
    multisig: Annotated[str, typer.Option(help="Propose it to this multisig, of which you are a member.")] = "",
    hours: Annotated[int, typer.Option(help="Hours in which its members may approve.", min=1)] = 72,
    url: UrlOption = URL,
    key: KeyOption = "",
    account: AccountOption = "",
    timeout: Timeout = 60,
) -> None:
    """Sign any command and send it: what a venue can do beyond what the other commands have words for.

    Amounts are integers in base units, prices and USD at 1e30. /v1/commands of the venue lists what there is. What runs
    only at newer prices becomes an order.

    Examples:

      zlp send '{"type": "PledgeCollateral", "position": 7, "amount": 1000000}'

      zlp send --quote '{"type": "RemoveMargin", "trading_account": 0, "token": "USDC", "amount": 5000000}'

      zlp send '{"type": "CloseEpoch", "epoch": "1"}' --multisig treasury

      zlp send - < command.json
    """
    from zlp.client.governing import Governing
    from zlp.engine.codec import decode_command
    from zlp.engine.rejections import Reject

    with trading(url, key, account) as desk:
        try:
            wanted = decode_command(sys.stdin.read() if command == "-" else command)
        except Reject as refused:
            raise stop(_said(refused.rejection)) from None
        if quote:
            receipt = desk.client.quote(wanted).receipt
            if receipt.rejection is not None:
                raise stop(_said(receipt.rejection))
            _show(desk, receipt.events)
            return
        if multisig:
            expires = desk.client.venue().time + 3_600 * hours
            tell_decided(Governing(desk.client).decide(wanted, multisig=multisig, expires=expires))
            return
        sent = desk.act(wanted)
        _show(desk, sent["info"].events)
        tell(desk, sent, timeout)


def _said(why: Rejection) -> str:
    limit = "" if why.limit is None else f"limit {why.limit}, actual {why.actual}"
    return ", ".join(part for part in (str(why.code), limit, why.detail) if part)


def _show(desk: Trading, events: tuple[Any, ...]) -> None:
    """What happened, amounts in whole units."""
    from zlp.tables import Table

    decimals = {symbol: token.decimals for symbol, token in desk.client.tokens().items()}
    decimals |= {f"pool:{row['pool']}": decimals[row["share"]] for row in desk.pools() if row["share"] in decimals}
    console.print(str(Table.of_events(events, decimals)), highlight=False, soft_wrap=True, markup=False)
