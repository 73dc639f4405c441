"""Keys for the roles of a local venue, made once and kept beside its journal, readable by their owner only."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import replace
from pathlib import Path

from zlp.profiles.loader import Profile
from zlp.signing.keys import address_of

FILE = "keys.json"


class Keyring:
    """Private keys by name; a role's holders in the profile become addresses of these."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._keys: dict[str, str] = json.loads(self._path.read_text()) if self._path.exists() else {}

    def key(self, name: str) -> bytes:
        """The private key of this name; made and saved if there is none yet."""
        if name not in self._keys:
            self._keys[name] = secrets.token_hex(32)
            self._save()
        return bytes.fromhex(self._keys[name])

    def address(self, name: str) -> str:
        """The account of this name."""
        return address_of(self.key(name))

    def seated(self, profile: Profile) -> Profile:
        """The profile with keys of this ring for everybody it names; multisigs keep their names, addresses stay."""
        return replace(
            profile,
            roles={role: self._addresses(holders) for role, holders in profile.roles.items()},
            multisigs={
                name: (self._addresses(members), threshold) for name, (members, threshold) in profile.multisigs.items()
            },
        )

    def _addresses(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name if name.startswith(("multisig:", "0x")) else self.address(name) for name in names)

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._keys, file, indent=1)
