"""What the venue's benchmark sends: signed bodies made beforehand, and the venue that takes them."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import msgspec

from zlp import signing
from zlp.engine import Envelope
from zlp.engine.codec import wire
from zlp.engine.commands.custody import Deposit, Transfer
from zlp.engine.commands.governance import BranchCut, Configure, Found, GrantRole, UpgradeBranches
from zlp.engine.version import VERSION

IDENTITY = "benchmark"
GOVERNOR = "0x" + "01" * 20
TARGET = "0x" + "02" * 20
KEYS = [(number + 1).to_bytes(32, "big") for number in range(512)]
ACCOUNTS = [signing.address_of(key) for key in KEYS]
SEPARATOR = signing.domain_separator(IDENTITY)


def genesis() -> list[Envelope]:
    """A venue with one token and many accounts that hold it."""
    commands = [
        Found(identity=IDENTITY, profile="bench", profile_hash="00" * 32, engine_version=VERSION, governor=GOVERNOR),
        UpgradeBranches(cuts=(BranchCut(action="add", branch="custody", version=1),)),
        GrantRole(role="bridge", holder=GOVERNOR),
        Configure(settings='{"type":"Token","symbol":"USDC","decimals":6}'),
        *(Deposit(account=account, token="USDC", amount=10**15) for account in ACCOUNTS),
    ]
    return [Envelope(time=0, account=GOVERNOR, command=command) for command in commands]


_nonces = itertools.count(int(time.time() * 1_000))


def intent(number: int, size: int = 1) -> tuple[signing.Intent, bytes]:
    """A signed intent of one account, and its signature."""
    account, key = ACCOUNTS[number % len(ACCOUNTS)], KEYS[number % len(ACCOUNTS)]
    texts = tuple(wire(Transfer(token="USDC", to=TARGET, amount=number + index + 1)) for index in range(size))
    made = signing.Intent(account=account, commands=texts, nonce=next(_nonces), deadline=int(time.time()) + 600)
    return made, signing.sign(signing.digest(SEPARATOR, made), key)


def body(number: int, size: int = 1) -> bytes:
    """The same as a request."""
    made, signature = intent(number, size)
    raw = [msgspec.Raw(text) for text in made.commands]
    return msgspec.json.encode(
        {
            "account": made.account,
            **({"command": raw[0]} if size == 1 else {"commands": raw}),
            "nonce": str(made.nonce),
            "deadline": str(made.deadline),
            "signature": "0x" + signature.hex(),
        }
    )


def write_bodies(path: Path, count: int, size: int = 1) -> Path:
    """A file with one request per line."""
    with path.open("wb") as file:
        file.writelines(body(number, size) + b"\n" for number in range(count))
    return path
