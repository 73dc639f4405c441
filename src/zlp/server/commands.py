"""The command line's part about serving: ``zlp node`` runs a venue in the foreground."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

if TYPE_CHECKING:
    from zlp.node import Node

console = Console(stderr=True)


def configure_logs(*, as_json: bool, level: str = "info") -> None:
    """Logs for people in a terminal, JSON lines for machines; always on standard error."""
    import structlog

    number = logging.getLevelNamesMapping()[level.upper()]
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr)


def holders(roles: list[str]) -> dict[str, tuple[str, ...]]:
    """``["governor=0x..", "keeper=0x..", "keeper=keys/second.json"]`` by role; a key file stands for its address."""
    from zlp.signing.key_files import address_in

    found: dict[str, tuple[str, ...]] = {}
    for item in roles:
        role, equals, holder = item.partition("=")
        if not equals or not holder:
            raise typer.BadParameter(f"{item!r} is not role=address", param_hint="--role")
        try:
            account = address_in(Path(holder)) if holder.endswith(".json") else holder
        except ValueError as fault:
            raise typer.BadParameter(str(fault), param_hint="--role") from None
        account = account.lower() if account.startswith("0x") else account
        found[role] = (*found.get(role, ()), account)
    return found


def recovered(folder: Path, **named: object) -> Node:
    """``open_node`` with a progress bar; faults are one readable line and exit code 1."""
    from zlp.node import open_node

    try:
        with Progress(console=console, transient=True) as bars:
            bar = bars.add_task("replaying the journal", total=None)
            return open_node(folder, progress=lambda number: bars.update(bar, completed=number), **named)  # type: ignore[arg-type]
    except Exception as fault:
        if type(fault).__module__.startswith("zlp.") or isinstance(fault, OSError):
            console.print(f"[bold red]{type(fault).__name__}[/] {fault}")
            raise typer.Exit(1) from None
        raise


def node(
    data: Annotated[Path, typer.Option(help="The venue's folder: journal and snapshots.")] = Path("venue"),
    profile: Annotated[str, typer.Option(help="A shipped profile or a file; needed to found a venue.")] = "",
    identity: Annotated[str, typer.Option(help="The venue's name in every signature; made up if not given.")] = "",
    role: Annotated[
        list[str] | None, typer.Option(help="role=address or role=key file, in place of the profile's holders.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 lets the system choose.")] = 8420,
    upgrade: Annotated[bool, typer.Option(help="Go on with a journal of an older engine version.")] = False,
    rate: Annotated[int, typer.Option(help="Requests a second per address; 0 for no limit.")] = 100,
    account_rate: Annotated[int, typer.Option(help="Commands a second per account; 0 for no limit.")] = 50,
    history: Annotated[
        str, typer.Option(help="Database URL of the read model; SQLite in the venue's folder if not given; or none.")
    ] = "",
    json_logs: Annotated[bool, typer.Option(help="Logs as JSON lines.")] = False,
) -> None:
    """Run a venue's node with its HTTP and WebSocket doors until Ctrl-C. Starting again continues where it was.

    Example: zlp node --data ./venue --profile zeus --role governor=0xabc...
    """
    from zlp.node.measuring import Measuring
    from zlp.projections import url_in
    from zlp.server.app import VenueApp
    from zlp.server.history import History
    from zlp.server.limits import Limits
    from zlp.server.page import page_routes
    from zlp.server.serve import VenueServer, require_free, run_on_loop

    configure_logs(as_json=json_logs)
    try:
        require_free(host, port)
    except OSError as fault:
        console.print(f"[bold red]{fault}[/]", highlight=False)
        raise typer.Exit(1) from None
    opened = recovered(data, profile=profile, identity=identity, roles=holders(role or []), upgrade=upgrade)
    limits = replace(Limits(), address_per_second=rate, account_per_second=account_rate)

    def told(address: str) -> None:
        console.print(f"[bold]{opened.identity}[/] at {address}; its API is described at {address}/docs")

    past = None if history == "none" else History(opened, history or url_in(data))
    Measuring(opened)
    app = VenueApp(opened, limits=limits, history=past, mounts=page_routes())
    run_on_loop(VenueServer(app, host=host, port=port).run(told, handle_signals=True))
    if opened.status == "failed":
        console.print(f"[bold red]stopped[/] {opened.fault}")
        raise typer.Exit(1)
