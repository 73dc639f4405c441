"""Commands that other packages bring. Their modules import what is heavy only when a command runs."""

from __future__ import annotations

import importlib

import typer

MOUNTED: tuple[tuple[str, str, str], ...] = (
    ("up", "zlp.cli.up", "up"),
    ("backtest", "zlp.simulator.commands", "backtest"),
    ("simulate", "zlp.simulator.commands", "simulate"),
    ("compare", "zlp.simulator.commands", "compare"),
    ("fork", "zlp.cli.fork", "fork"),
    ("quote", "zlp.quotes.commands", "quote_app"),
    ("profile", "zlp.cli.profile", "profile_app"),
    ("node", "zlp.server.commands", "node"),
    ("replay", "zlp.node.commands", "replay"),
    ("verify", "zlp.node.commands", "verify"),
    ("export", "zlp.node.commands", "export"),
    ("load", "zlp.node.commands", "load"),
    ("backup", "zlp.node.commands", "backup"),
    ("compact", "zlp.node.commands", "compact"),
    ("projections", "zlp.cli.history", "projections_app"),
    ("tax", "zlp.cli.history", "tax_app"),
    ("keeper", "zlp.cli.keeper", "keeper"),
    ("account", "zlp.client.commands", "app"),
    ("trade", "zlp.cli.trade", "trade_app"),
    ("lp", "zlp.cli.liquidity", "liquidity_app"),
    ("rewards", "zlp.cli.rewards", "rewards_app"),
    ("govern", "zlp.cli.govern", "govern_app"),
    ("faucet", "zlp.cli.trade", "faucet"),
    ("send", "zlp.cli.sending", "send"),
    ("oracle", "zlp.oracle.commands", "oracle_app"),
    ("prices", "zlp.oracle.commands", "prices_app"),
)
"""Command name, module, attribute: a typer app, or a function."""


def mount(app: typer.Typer) -> None:
    """Add every command whose module is there; one whose library is missing says what to install."""
    for name, module, attribute in MOUNTED:
        try:
            found = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as missing:
            if not (missing.name or "").startswith("zlp"):
                app.command(name, help=f"Needs {missing.name}: pip install 'zlp\\[all]'.")(_needs(name, missing.name))
            continue
        except AttributeError:
            continue
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)


def _needs(command: str, library: str | None):  # type: ignore[no-untyped-def]
    def missing() -> None:
        typer.echo(f"zlp {command} needs {library}, which is not installed: pip install 'zlp[all]'", err=True)
        raise typer.Exit(1)

    return missing
