"""``zlp profile``: explain a profile in words, start one of your own, or say what is wrong with it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from zlp.profiles.loader import Profile

profile_app = typer.Typer(help="Explain a profile, check one, or start your own.", no_args_is_help=True)


@profile_app.command("list")
def list_profiles() -> None:
    """The profiles that ship with the package."""
    from zlp.profiles.loader import SHIPPED, load

    for name in SHIPPED:
        profile = load(name)
        typer.echo(f"{name:8} {profile.title}: {profile.description}")


@profile_app.command("show")
def show(profile: Annotated[str, typer.Argument(help="Name or file.")] = "zeus") -> None:
    """Explain a profile: its branches, roles, and every setting with its meaning.

    Example: zlp profile show zeus
    """
    from zlp.cli.profile_words import records_table, words

    found = _load(profile)
    console = Console()
    console.print(f"[bold]{found.title}[/bold]  {found.description}\nhash {found.digest[:16]}\n")
    _branches(console, found)
    _roles(console, found)
    kinds = list(dict.fromkeys(type(record) for record in found.settings))
    for kind in kinds:
        console.print(records_table(kind, [record for record in found.settings if type(record) is kind]))
        console.print(f"[dim]{words(kind)}[/dim]\n")


@profile_app.command("explain")
def explain(
    name: Annotated[str, typer.Argument(help="A table or a mechanism's type; without one, all of them.")] = "",
) -> None:
    """What can stand in a profile: its tables, and the mechanisms that go into their fields.

    Examples:

      zlp profile explain

      zlp profile explain pool

      zlp profile explain adaptive_price
    """
    from zlp.cli.profile_words import QUANTITIES, catalogue, fields_table, named, summaries, words

    console = Console()
    if not name:
        for title, kinds in catalogue().items():
            console.print(summaries(title, kinds))
        console.print("Details: zlp profile explain NAME", highlight=False)
        return
    kind = named(name)
    if kind is None:
        typer.echo(f"no table and no mechanism is called {name!r}; `zlp profile explain` lists them", err=True)
        raise typer.Exit(1)
    console.print(f"[bold]{name}[/bold]  {words(kind)}\n", highlight=False)
    console.print(fields_table(kind))
    console.print(f"A quantity is text with a unit: {QUANTITIES}.", highlight=False)


@profile_app.command("new")
def new(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    like: Annotated[str, typer.Option(help="The shipped profile to start from.")] = "zeus",
) -> None:
    """Start a profile of your own from a shipped one, to edit in any editor.

    Example: zlp profile new my.toml --like zo
    """
    from zlp.profiles.loader import SHIPPED

    if like not in SHIPPED:
        typer.echo(f"no shipped profile is called {like!r}; there are {', '.join(SHIPPED)}", err=True)
        raise typer.Exit(1)
    text = resources.files("zlp.profiles").joinpath(f"{like}.toml").read_text(encoding="utf-8")
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(text)
    except OSError as fault:
        typer.echo(f"{file}: {fault.strerror}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{file}: a copy of {like}. Edit it, then: zlp profile check {file}, zlp up --profile {file}")


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
    from zlp.profiles.loader import ProfileError, load

    try:
        return load(profile)
    except ProfileError as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(1) from None


def _branches(console: Console, profile: Profile) -> None:
    from zlp.engine.branches import CATALOGUE

    table = Table("branch", "what it does", title="branches", title_justify="left")
    for name in profile.branches:
        version = max(version for known, version in CATALOGUE if known == name)
        table.add_row(f"{name} v{version}", CATALOGUE[name, version].summary)
    console.print(table)


def _roles(console: Console, profile: Profile) -> None:
    table = Table("role", "held by", title="roles", title_justify="left")
    for role, holders in profile.roles.items():
        table.add_row(role, ", ".join(holders))
    for name, (members, threshold) in profile.multisigs.items():
        table.add_row(f"multisig:{name}", f"{threshold} of {', '.join(members)}")
    console.print(table)
