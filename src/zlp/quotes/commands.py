"""``zlp quote``: the calculators as commands."""

from __future__ import annotations

import typer

from zlp.quotes.adaptive_price import adaptive_price_command
from zlp.quotes.opening import opening_command
from zlp.quotes.yields import yield_command

quote_app = typer.Typer(help="Work a single number out, and say why.", no_args_is_help=True)
quote_app.command("adaptive-price")(adaptive_price_command)
quote_app.command("open")(opening_command)
quote_app.command("yield")(yield_command)
