"""``zlp profile``: explain a profile in words, or say what is wrong with it."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from zlp.engine.branches import CATALOGUE
from zlp.engine.leaves.base import Settings
from zlp.engine.mechanisms.base import Mechanism
from zlp.profiles.loader import SHIPPED, Profile, ProfileError, load, table_name

profile_app = typer.Typer(help="Explain a profile, or check one.", no_args_is_help=True)


@profile_app.command("list")
def list_profiles() -> None:
    """The profiles that ship with the package."""
    for name in SHIPPED:
        try:
            profile = load(name)
        except (ProfileError, FileNotFoundError):
            continue
        typer.echo(f"{name:8} {profile.title}: {profile.description}")


@profile_app.command("show")
def show(profile: Annotated[str, typer.Argument(help="Name or file.")] = "zeus") -> None:
    """Explain a profile: its branches, roles, and every setting with its meaning.

    Example: zlp profile show zeus
    """
    found = _load(profile)
    console = Console()
    console.print(f"[bold]{found.title}[/bold]  {found.description}\nhash {found.digest[:16]}")
    _branches(console, found)
    _roles(console, found)
    for record in found.settings:
        _record(console, record)


@profile_app.command("check")
def check(profile: Annotated[str, typer.Argument(help="Name or file.")]) -> None:
    """Check a profile: reads it, compiles it and founds a venue on it; says the line and the reason if it fails."""
    from zlp.engine import Root

    found = _load(profile)
    root = Root()
    for envelope in found.genesis():
        receipt = root.apply(envelope)
        if receipt.rejection is not None:
            command = type(envelope.command).__name__
            why = f"{receipt.rejection.code} {receipt.rejection.detail}"
            typer.echo(f"{found.source}: {command} is refused: {why}", err=True)
            raise typer.Exit(1)
    typer.echo(
        f"{found.source}: good. {len(found.branches)} branches, {len(found.settings)} settings, "
        f"genesis of {root.sequence} commands, digest {root.chain.hex()[:16]}"
    )


def _load(profile: str) -> Profile:
    try:
        return load(profile)
    except ProfileError as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(1) from None


def _branches(console: Console, profile: Profile) -> None:
    table = Table("branch", "what it does", title="Branches")
    for name in profile.branches:
        version = max(version for known, version in CATALOGUE if known == name)
        table.add_row(f"{name} v{version}", CATALOGUE[name, version].summary)
    console.print(table)


def _roles(console: Console, profile: Profile) -> None:
    table = Table("role", "held by", title="Roles")
    for role, holders in profile.roles.items():
        table.add_row(role, ", ".join(holders))
    for name, (members, threshold) in profile.multisigs.items():
        table.add_row(f"multisig:{name}", f"{threshold} of {', '.join(members)}")
    console.print(table)


def _record(console: Console, record: Settings) -> None:
    key = " ".join(str(part) for part in record.key)
    table = Table("setting", "value", title=f"{table_name(type(record).__name__)} {key}", title_justify="left")
    for name in record.__struct_fields__:
        value = getattr(record, name)
        table.add_row(name, _words(value))
    console.print(table)
    console.print(f"[dim]{_meaning(type(record))}[/dim]\n")


def _words(value: Any) -> str:
    if isinstance(value, Mechanism):
        fields = ", ".join(f"{name} = {getattr(value, name)}" for name in value.__struct_fields__)
        return f"{value.__struct_config__.tag}: {fields}"
    if isinstance(value, tuple):
        return ", ".join(_words(item) for item in value)
    return str(value)


def _meaning(kind: type[Any]) -> str:
    return (inspect.getdoc(kind) or "").replace("``", "")
