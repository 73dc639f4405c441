"""The command line's part about keys: ``zlp account new`` and ``zlp account show``."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from zlp import signing

app = typer.Typer(help="Keys that sign commands; they stay on this machine.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option(help="Where key files are.", envvar="ZLP_KEYS")]
KEYS = Path.home() / ".zlp" / "keys"


@app.command()
def new(
    folder: Folder = KEYS,
    password: Annotated[
        str,
        typer.Option(
            prompt=True,
            hide_input=True,
            confirmation_prompt=True,
            help="Encrypts the key file.",
            envvar="ZLP_PASSWORD",
            show_envvar=True,
        ),
    ] = "",
) -> None:
    """Make a key, encrypt it with a password, and print its address. Nobody can restore a lost password.

    Example: zlp account new
    """
    from eth_account import Account

    if not password:
        raise typer.BadParameter("a key file needs a password", param_hint="--password")
    key = secrets.token_bytes(32)
    address = signing.address_of(key)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{address}.json"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as target:
        json.dump(Account.encrypt(key, password), target)
    typer.echo(address)
    typer.echo(f"key file: {path}", err=True)


@app.command()
def show(
    account: Annotated[str, typer.Argument(help="An address; all if not given.")] = "",
    folder: Folder = KEYS,
) -> None:
    """List the addresses whose keys are here, or say where one's key file is.

    Example: zlp account show
    """
    found = sorted(folder.glob("0x*.json")) if folder.is_dir() else []
    chosen = [path for path in found if account.lower() in ("", path.stem)]
    if not chosen:
        typer.echo(f"no key{' of ' + account if account else ''} in {folder}; make one: zlp account new", err=True)
        raise typer.Exit(1)
    for path in chosen:
        typer.echo(f"{path.stem}  {path}")
