"""Those who look after a venue, for tests: they sign with the keys that ``zlp up`` keeps beside its journal."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.venues import Up
from zlp.cli.local.keyring import Keyring
from zlp.client import Client, Receipt, Signer
from zlp.engine.commands.base import Command
from zlp.signing.keys import address_of

TREASURER = bytes([7] * 32)
"""The only member of the treasury of an altered profile."""


def ordered(venue: Up, role: str, command: Command) -> Receipt:
    """A command of whoever holds a role, signed and sent."""
    return sent(venue, Keyring(venue.folder).key(role), command)


def sent(venue: Up, key: bytes, command: Command) -> Receipt:
    """A command signed with a key."""
    with Client(venue.address, Signer(key)) as client:
        return client.send(command)


def altered(name: str, folder: Path, *changes: tuple[str, str]) -> Path:
    """A shipped profile with some lines changed: a user's own."""
    import zlp.profiles

    text = (Path(zlp.profiles.__file__).parent / f"{name}.toml").read_text()
    for before, after in changes:
        assert text.count(before) >= 1, f"{name} does not say {before!r}"
        text = text.replace(before, after)
    file = folder / f"{name}.toml"
    file.write_text(text)
    return file


def treasury() -> tuple[str, str]:
    """The change that makes a treasury of three members one of ``TREASURER`` alone."""
    return (
        'members = ["treasurer-1", "treasurer-2", "treasurer-3"]\nthreshold = 2',
        f'members = ["{address_of(TREASURER)}"]\nthreshold = 1',
    )
