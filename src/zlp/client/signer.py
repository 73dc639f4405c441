"""A key that signs for an account: its own, or as an agent the account approved."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from zlp import signing
from zlp.engine.codec import wire
from zlp.engine.commands.base import Command
from zlp.engine.commands.credit_positions import SignedOrder
from zlp.signing.credit_orders import order_digest

DEADLINE_SECONDS = 60


class Signer:
    """Signs intents on this machine; the key never leaves it.

    ``account``: on whose behalf, if the key is an approved agent. Nonces are the current milliseconds, never the
    same twice; a key used by two processes at once should be two agents.
    """

    def __init__(self, private_key: str | bytes, account: str | None = None) -> None:
        key = bytes.fromhex(private_key.removeprefix("0x")) if isinstance(private_key, str) else private_key
        self._key = key
        self.address = signing.address_of(key)
        self.account = (account or self.address).lower()
        self._nonce = 0

    @classmethod
    def from_keystore(cls, path: Path, password: str, account: str | None = None) -> Signer:
        """From an encrypted key file, as ``zlp account new`` and other Ethereum tools write it."""
        from eth_account import Account

        return cls(bytes(Account.decrypt(path.read_text(), password)), account)

    def __repr__(self) -> str:
        return f"Signer(address={self.address}, account={self.account})"

    def order(self, identity: str, order: SignedOrder) -> SignedOrder:
        """The order with this key's signature, for the venue called ``identity``; needs no connection to it."""
        signature = signing.sign(order_digest(signing.domain_separator(identity), order), self._key)
        return replace(order, signer=self.address, evidence="0x" + signature.hex())

    def request(
        self,
        identity: str,
        commands: Sequence[Command],
        *,
        batch: bool,
        client_id: str = "",
        deadline: int | None = None,
    ) -> bytes:
        """The signed body of ``/v1/command`` (or ``/v1/commands``) for the venue called ``identity``."""
        now_ns = time.time_ns()
        self._nonce = max(self._nonce + 1, now_ns // 1_000_000)
        texts = tuple(wire(command) for command in commands)
        intent = signing.Intent(
            account=self.account,
            commands=texts,
            nonce=self._nonce,
            deadline=deadline or now_ns // 1_000_000_000 + DEADLINE_SECONDS,
            client_id=client_id,
        )
        signature = signing.sign(signing.digest(signing.domain_separator(identity), intent), self._key)
        raw = [msgspec.Raw(text) for text in texts]
        body: dict[str, Any] = {
            "account": intent.account,
            **({"commands": raw} if batch else {"command": raw[0]}),
            "nonce": str(intent.nonce),
            "deadline": str(intent.deadline),
            "client_id": client_id,
            "signature": "0x" + signature.hex(),
        }
        return msgspec.json.encode(body)
