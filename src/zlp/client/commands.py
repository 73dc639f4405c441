"""The command line's part about keys: ``zlp account new`` and ``zlp account show``."""

from __future__ import annotations

import json
import os
import re
import secrets
from pathlib import Path
from typing import Annotated

import typer

from zlp import signing
from zlp.signing.key_files import address_in, key_files

app = typer.Typer(help="Keys that sign commands; they stay on this machine.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option(help="Where key files are.", envvar="ZLP_KEYS")]
KEYS = Path.home() / ".zlp" / "keys"
NAME = re.compile(r"[0-9A-Za-z_-]{1,64}")


@app.command()
def new(
    names: Annotated[
        list[str] | None, typer.Argument(help="One key file for each name; one named by its address if none is given.")
    ] = None,
    folder: Folder = KEYS,
    password: Annotated[
        str,
        typer.Option(
            prompt=True,
            hide_input=True,
            confirmation_prompt=True,
            help="Encrypts the key files.",
            envvar="ZLP_PASSWORD",
            show_envvar=True,
        ),
    ] = "",
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Leave key files that are there as they are.")
    ] = False,
) -> None:
    """Make a key, encrypt it with a password, and print its address. Nobody can restore a lost password.

    Examples:

      zlp account new

      zlp account new governor keeper --folder ./keys --if-missing
    """
    if not password:
        raise typer.BadParameter("a key file needs a password", param_hint="--password")
    for name in names or [""]:
        if name and NAME.fullmatch(name) is None:
            raise typer.BadParameter(f"{name!r} is not letters, digits, - and _", param_hint="NAMES")
        path = folder / f"{name}.json"
        if name and path.exists():
            if not if_missing:
                raise typer.BadParameter(f"{path} exists; a key is never overwritten", param_hint="NAMES")
            typer.echo(address_in(path))
            continue
        _make(folder, name, password)


def _make(folder: Path, name: str, password: str) -> None:
    from eth_account import Account

    key = secrets.token_bytes(32)
    address = signing.address_of(key)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{name or address}.json"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as target:
        json.dump(Account.encrypt(key, password), target)
    typer.echo(address)
    typer.echo(f"key file: {path}", err=True)


@app.command()
def show(
    account: Annotated[str, typer.Argument(help="An address or a name; all if not given.")] = "",
    folder: Folder = KEYS,
) -> None:
    """List the addresses whose keys are here, or say where one's key file is.

    Example: zlp account show
    """
    found = {path: address_in(path) for path in key_files(folder)}
    chosen = [path for path, address in found.items() if account.lower() in ("", address, path.stem)]
    if not chosen:
        typer.echo(f"no key{' of ' + account if account else ''} in {folder}; make one: zlp account new", err=True)
        raise typer.Exit(1)
    for path in chosen:
        typer.echo(f"{found[path]}  {path}")
