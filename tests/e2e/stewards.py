"""Those who look after a venue, for tests: they sign with the keys that ``zlp up`` keeps beside its journal."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

from tests.e2e.venues import Up
from zlp.cli.local.keyring import Keyring
from zlp.client import Client, Receipt, Signer
from zlp.client.trading import Trading
from zlp.engine.commands.base import Command
from zlp.signing.keys import address_of

PATIENCE = 60
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


def rising(folder: Path) -> str:
    """Prices that never fall, as an option of ``zlp up``: a long wins."""
    rows = ["time,asset,open,high,low,close"]
    for step in range(4_000):
        for asset, first in (("ETH", 2_000), ("BTC", 60_000)):
            low, high = (first * (1 + place / 4_000) for place in (step, step + 1))
            rows.append(f"{1_735_689_600 + 60 * step},{asset},{low:.2f},{high:.2f},{low:.2f},{high:.2f}")
    file = folder / "rising.csv"
    file.write_text("\n".join(rows))
    return f"replay:{file}"


def earn(venue: Up, key: str, token: str, least: int) -> None:
    """Win ``least`` USD with longs at rising prices, and be paid in the stable tokens that are minted for it."""
    with Client(venue.address, Signer(key)) as client:
        desk = Trading(client)
        desk.faucet("USDC")
        desk.settled(desk.open("ETH", is_long=True, margin="400000", size="400000", token="USDC"))
        until = time.monotonic() + PATIENCE
        while Decimal(desk.position("ETH")["pnl_usd"]) < least and time.monotonic() < until:
            time.sleep(0.5)
        desk.close("ETH")
        assert client.balance(token) >= least // 2
