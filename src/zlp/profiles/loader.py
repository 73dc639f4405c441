"""From a TOML file to the first commands of a log.

A profile names the branches a venue runs, who holds which role, and one table per settings record, called by
the record's name in snake case (``[[token]]``, ``[[price]]``, ``[pool]``, ...). Integers may be written with a
unit: ``"5 usd"``, ``"0.00018 ETH"``, ``"25 bps"``, ``"30 x"``, ``"8 h"``, ``"80 %"`` (of 10**18).
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from zlp.engine import Envelope
from zlp.engine.branches import CATALOGUE
from zlp.engine.codec import canonical
from zlp.engine.commands.base import Command, check_ranges
from zlp.engine.commands.governance import BranchCut, Configure, Found, GrantRole, SetMultisig, UpgradeBranches
from zlp.engine.leaves import SETTINGS
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.base import Settings
from zlp.engine.leaves.ledger import Token
from zlp.engine.rejections import Reject
from zlp.engine.version import VERSION
from zlp.profiles.quantities import quantity

SHIPPED = ("zeus", "zeno", "zo", "zaros")
RESERVED = ("title", "description", "branches", "roles", "multisigs")


class ProfileError(ValueError):
    """A profile that can't be used: the file, the line where that is known, and the reason."""

    def __init__(self, source: str, line: int | None, reason: str) -> None:
        place = source if line is None else f"{source}, line {line}"
        super().__init__(f"{place}: {reason}")
        self.source, self.line, self.reason = source, line, reason


@dataclass(frozen=True)
class Profile:
    """A checked profile: ready to compile to genesis. ``digest`` is the SHA-256 of its text."""

    source: str
    title: str
    description: str
    digest: str
    branches: tuple[str, ...]
    roles: dict[str, tuple[str, ...]]
    multisigs: dict[str, tuple[tuple[str, ...], int]]
    settings: tuple[Settings, ...]

    def tokens(self) -> dict[str, Token]:
        """The tokens it lists, by symbol."""
        return {record.symbol: record for record in self.settings if isinstance(record, Token)}

    def genesis(
        self, *, identity: str = "local", time: int = 0, roles: dict[str, tuple[str, ...]] | None = None
    ) -> list[Envelope]:
        """The first envelopes of a log: found, grant, install, configure; all by the first governor.

        ``roles`` replaces the profile's holders role by role, so that an operator's keys take over.
        """
        holders = {**self.roles, **(roles or {})}
        governor = holders["governor"][0]
        return [Envelope(time=time, account=governor, command=command) for command in self._commands(identity, holders)]

    def _commands(self, identity: str, holders: dict[str, tuple[str, ...]]) -> Iterator[Command]:
        yield Found(
            identity=identity,
            profile=self.title,
            profile_hash=self.digest,
            engine_version=VERSION,
            governor=holders["governor"][0],
        )
        for name, (members, threshold) in self.multisigs.items():
            yield SetMultisig(name=name, members=members, threshold=threshold)
        for role, accounts in holders.items():
            for account in accounts:
                yield GrantRole(role=role, holder=account)
        cuts = (BranchCut(action="add", branch=name, version=_newest(name)) for name in self.branches)
        yield UpgradeBranches(cuts=tuple(cuts))
        for record in sorted(self.settings, key=lambda record: not isinstance(record, Token)):
            yield Configure(settings=canonical(record).decode())


def load(profile: str | Path) -> Profile:
    """A shipped profile by name, or one from a file. Raises ``ProfileError`` with the line and the reason."""
    name = str(profile)
    if name in SHIPPED:
        return parse(resources.files("zlp.profiles").joinpath(f"{name}.toml").read_text(), source=f"{name}.toml")
    path = Path(profile)
    if not path.exists():
        raise ProfileError(name, None, f"no such file, and no shipped profile ({', '.join(SHIPPED)})")
    return parse(path.read_text(), source=name)


def parse(text: str, *, source: str = "profile") -> Profile:
    """Check a profile's text and turn it into settings records."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise ProfileError(source, _number(str(fault)), str(fault)) from None
    places = _Places(source, text)
    for name in ("title", "branches", "roles"):
        if name not in data:
            raise ProfileError(source, None, f"`{name}` is missing")
    branches = tuple(data["branches"])
    for name in branches:
        if not any(name == known for known, _ in CATALOGUE):
            raise places.error("branches", 0, "", f"no branch is called {name!r}; there are {_branches()}")
    return Profile(
        source=source,
        title=data["title"],
        description=data.get("description", ""),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        branches=branches,
        roles=_roles(data["roles"], places),
        multisigs={
            name: (tuple(group["members"]), int(group["threshold"]))
            for name, group in data.get("multisigs", {}).items()
        },
        settings=tuple(_settings(data, places)),
    )


def _roles(table: dict[str, Any], places: _Places) -> dict[str, tuple[str, ...]]:
    known = {role.value for role in Role}
    for name in table:
        if name not in known:
            raise places.error("roles", 0, name, f"no role is called {name!r}; there are {', '.join(sorted(known))}")
    if not table.get("governor"):
        raise places.error("roles", 0, "", "a venue needs a governor")
    roles = {name: tuple([held] if isinstance(held, str) else held) for name, held in table.items()}
    if ":" in roles["governor"][0]:
        raise places.error("roles", 0, "governor", "the first governor founds the venue and must be an account")
    return roles


def _settings(data: dict[str, Any], places: _Places) -> Iterator[Settings]:
    kinds = {table_name(name): kind for name, kind in SETTINGS.items()}
    decimals = {row["symbol"]: row.get("decimals", 0) for row in data.get("token", []) if "symbol" in row}
    seen: set[tuple[str, Any]] = set()
    for table, value in data.items():
        if table in RESERVED:
            continue
        kind = kinds.get(table)
        if kind is None:
            raise places.error(table, 0, "", f"no settings are called {table!r}; there are {', '.join(sorted(kinds))}")
        for index, row in enumerate(value if isinstance(value, list) else [value]):
            record = _record(kind, row, decimals, places, table, index)
            if (table, record.key) in seen:
                raise places.error(table, index, "", f"{record.key} is listed twice")
            seen.add((table, record.key))
            yield record


def _record(
    kind: type[Settings], row: Any, decimals: dict[str, int], places: _Places, table: str, index: int
) -> Settings:
    try:
        plain = quantity(row, decimals)
        if isinstance(plain, dict):
            _refuse_unknown(kind, plain)
        record = msgspec.convert(plain, kind)
    except (msgspec.ValidationError, ValueError) as fault:
        field = re.search(r"\$\.([A-Za-z_]+)|`([A-Za-z_]+)`", str(fault))
        name = next((part for part in field.groups() if part), "") if field else ""
        raise places.error(table, index, name, str(fault)) from None
    reason = record.invalid() or _out_of_range(record) or _other_decimals(record, decimals)
    if reason is not None:
        raise places.error(table, index, reason.split()[0], reason)
    return record


def _out_of_range(record: Settings) -> str | None:
    try:
        check_ranges(record)
    except Reject as refused:
        return f"{refused.rejection.detail} is out of range: numbers are from 0 to 2**256 - 1"
    return None


def _other_decimals(record: Settings, decimals: dict[str, int]) -> str | None:
    token, own = getattr(record, "token", None), getattr(record, "decimals", None)
    if own is None or token not in decimals or decimals[token] == own:
        return None
    return f"decimals of {token} are {decimals[token]}, not {own}"


def _refuse_unknown(kind: type[Settings], row: dict[str, Any]) -> None:
    known = set(kind.__struct_fields__)
    for name in row:
        if name not in known:
            raise ValueError(f"no field is called `{name}`; there are {', '.join(sorted(known))}")


class _Places:
    """Finds the line of a table, or of one of its fields, for error messages."""

    def __init__(self, source: str, text: str) -> None:
        self.source = source
        self.lines = text.splitlines()

    def error(self, table: str, index: int, field: str, reason: str) -> ProfileError:
        """The error with the best line that can be found."""
        start = self._table(table, index)
        if start is None:
            key = next((n for n, line in enumerate(self.lines) if re.match(rf"\s*{table}\s*=", line)), None)
            return ProfileError(self.source, None if key is None else key + 1, reason)
        for number in range(start + 1, len(self.lines)):
            if re.match(r"\s*\[", self.lines[number]) and not re.match(rf"\s*\[+{table}\.", self.lines[number]):
                break
            if field and re.match(rf"\s*{field}\s*=", self.lines[number]):
                return ProfileError(self.source, number + 1, f"[{table}] {reason}")
        return ProfileError(self.source, start + 1, f"[{table}] {reason}")

    def _table(self, table: str, index: int) -> int | None:
        headers = [n for n, line in enumerate(self.lines) if re.match(rf"\s*\[\[?{table}\]\]?\s*(#.*)?$", line)]
        return headers[index] if index < len(headers) else None


def table_name(settings: str) -> str:
    """``PriceSettings`` is ``[[price]]``, ``Token`` is ``[[token]]``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", settings.removesuffix("Settings")).lower()


def _newest(branch: str) -> int:
    return max(version for name, version in CATALOGUE if name == branch)


def _branches() -> str:
    return ", ".join(sorted({name for name, _ in CATALOGUE}))


def _number(text: str) -> int | None:
    found = re.search(r"line (\d+)", text)
    return int(found[1]) if found else None
