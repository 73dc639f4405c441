"""The key a command signs with: an encrypted file as ``zlp account new`` makes it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from zlp.client import Client, Signer

console = Console(stderr=True)
PASSWORD = "ZLP_PASSWORD"
FOLDER = "ZLP_KEYS"

UrlOption = Annotated[str, typer.Option(help="Where the venue is.", envvar="ZLP_URL")]
KeyOption = Annotated[
    str,
    typer.Option(help="Key file, or the name or address of one in ~/.zlp/keys.", envvar="ZLP_KEY"),
]
AccountOption = Annotated[
    str, typer.Option(help="On whose behalf, if the key is an approved agent.", envvar="ZLP_ACCOUNT")
]
URL = "http://127.0.0.1:8420"


def signer(key: str, account: str = "") -> Signer:
    """The signer of a key file; asks for the password where ``ZLP_PASSWORD`` does not hold it.

    ``key`` may also be ``FOLDER/keys.json#name``, one of the keys that ``zlp up`` made for its roles.
    """
    from zlp.client import Signer

    file, _, name = key.partition("#")
    if name:
        return Signer(_role_key(Path(file), name), account or None)
    path = _found(key)
    password = _password(path)
    try:
        return Signer.from_keystore(path, password, account or None)
    except (ValueError, KeyError, TypeError):
        raise stop(f"{path} does not open with this password") from None


@contextmanager
def at_venue(url: str, key: str, account: str) -> Iterator[Client]:
    """A client with a key; what goes wrong is one line and exit code 1."""
    from zlp.client import Client, VenueError

    with Client(url, signer(key, account)) as client:
        try:
            yield client
        except (VenueError, ValueError, ArithmeticError) as fault:
            raise stop(str(fault) or type(fault).__name__) from None


def stop(reason: str) -> typer.Exit:
    """What to raise after saying why, in one line."""
    console.print(f"[bold red]{reason}[/]", highlight=False)
    return typer.Exit(1)


def _password(path: Path) -> str:
    given = os.environ.get(PASSWORD)
    return given if given is not None else str(typer.prompt(f"Password of {path.name}", hide_input=True, err=True))


def _found(key: str) -> Path:
    from zlp.client.commands import KEYS
    from zlp.signing.key_files import address_in, key_files

    path = Path(key)
    if key and path.is_file():
        return path
    folder = Path(os.environ.get(FOLDER) or KEYS)
    chosen = [each for each in key_files(folder) if key.lower() in ("", each.stem, address_in(each))]
    if len(chosen) == 1:
        return chosen[0]
    if not key and chosen:
        raise stop(f"several keys are in {folder}; say which with --key")
    raise stop(f"no key{' ' + key if key else ''} in {folder}; make one: zlp account new")


def _role_key(path: Path, name: str) -> bytes:
    try:
        return bytes.fromhex(json.loads(path.read_text())[name])
    except (OSError, ValueError, KeyError):
        raise stop(f"{path} holds no key called {name}") from None
