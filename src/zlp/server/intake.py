"""From the bytes of a request to a submission: strict parsing, then the signature, then the account's limit."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from zlp import signing
from zlp.engine import Code, Rejection
from zlp.engine.codec import UNREADABLE, decode_command
from zlp.engine.leaves.access import Agent, RoleHolder
from zlp.engine.rejections import Reject
from zlp.node import Node, NotAdmitted, Submission
from zlp.server.limits import Buckets, Headers, Limits
from zlp.server.problems import Problem
from zlp.server.verifier import Verifier
from zlp.signing.credit_orders import require_signers

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
SIGNATURE = re.compile(r"0x[0-9a-fA-F]{130}")
CLIENT_ID = re.compile(r"[0-9A-Za-z._:-]{0,64}")
NUMBER = re.compile(r"[0-9]{1,18}")


class SignedCommand(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /v1/command``. The signature covers the command's JSON text exactly as it stands here.

    ``nonce``: milliseconds, unique per account. ``deadline``: seconds. Both as decimal text.
    """

    account: str
    command: msgspec.Raw
    nonce: str
    deadline: str
    signature: str
    client_id: str = ""


class SignedCommands(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /v1/commands``: many commands of one account under one signature, applied in order."""

    account: str
    commands: list[msgspec.Raw]
    nonce: str
    deadline: str
    signature: str
    client_id: str = ""


class UnsignedCommand(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /v1/quote``: what would this command do? Nothing changes, so nothing is signed."""

    account: str
    command: msgspec.Raw


_one = msgspec.json.Decoder(SignedCommand).decode
_many = msgspec.json.Decoder(SignedCommands).decode
_unsigned = msgspec.json.Decoder(UnsignedCommand).decode


class Intake:
    """Turns request bodies into submissions for one node."""

    def __init__(self, node: Node, verifier: Verifier, limits: Limits) -> None:
        self.node, self.verifier, self.limits = node, verifier, limits
        self.separator = signing.domain_separator(node.identity)
        self.accounts = Buckets(limits.account_per_second, limits.account_burst, "too_many_account_commands")

    async def one(self, body: bytes) -> tuple[Submission, Headers]:
        """The submission of a single command."""
        request = decode(_one, body)
        return await self._submission(request, (bytes(request.command),))

    async def many(self, body: bytes) -> tuple[Submission, Headers]:
        """The submission of a batch."""
        request = decode(_many, body)
        count, limit = len(request.commands), self.limits.batch_commands
        if not 1 <= count <= limit:
            raise Problem("too_many_commands", "an intent carries at least one command", limit=limit, actual=count)
        return await self._submission(request, tuple(bytes(each) for each in request.commands))

    async def _submission(self, request: Any, texts: tuple[bytes, ...]) -> tuple[Submission, Headers]:
        intent = self._intent(request, texts)
        if SIGNATURE.fullmatch(request.signature) is None:
            raise signing.SignatureRefused("signature_malformed", "a signature is 0x and 130 hexadecimal digits")
        signature = bytes.fromhex(request.signature[2:])
        try:
            commands = tuple(decode_command(text) for text in texts)
        except Reject as refused:
            raise NotAdmitted(refused.rejection) from None
        for command in commands:
            require_signers(self.separator, command)
        signer = await self.verifier.signer_of(intent, signature)
        account = intent.account
        if signer != account:
            self._require_agent(account, signer)
        is_free = not self.limits.account_per_second or self.has_role(account)
        headers = () if is_free else self.accounts.take(account, len(commands))
        submission = Submission(
            account=account,
            commands=commands,
            texts=texts,
            signer="" if signer == account else signer,
            nonce=intent.nonce,
            deadline=intent.deadline,
            client_id=intent.client_id,
            signature=signature,
        )
        return submission, headers

    def _intent(self, request: Any, texts: tuple[bytes, ...]) -> signing.Intent:
        """The message that should have been signed."""
        nonce = _number(request.nonce, "nonce")
        deadline = _number(request.deadline, "deadline")
        if not nonce:
            raise Problem("nonce_missing")
        if not deadline:
            raise Problem("deadline_missing")
        latest = self.node.now() + self.limits.deadline_seconds
        if deadline > latest:
            raise Problem("deadline_too_far", limit=latest, actual=deadline)
        if CLIENT_ID.fullmatch(request.client_id) is None:
            raise Problem("malformed_request", "a client id is up to 64 letters, digits and . _ : -")
        return signing.Intent(
            account=address(request.account),
            commands=texts,
            nonce=nonce,
            deadline=deadline,
            client_id=request.client_id,
        )

    def _require_agent(self, account: str, signer: str) -> None:
        """Refuse strangers before their commands cost the account its limit; the engine checks again in order."""
        if self.node.root.state.get(Agent, (account, signer)) is None:
            raise NotAdmitted(Rejection(Code.AGENT_NOT_APPROVED, detail=f"{signer} for {account}"))

    def has_role(self, account: str) -> bool:
        """Whether the account holds any role; there are few holders."""
        return any(holder.holder == account for holder in self.node.root.state.each(RoleHolder))

    async def check(self, body: bytes) -> dict[str, Any]:
        """Who signed this, and may they? For ``POST /v1/auth/check``; nothing is sequenced."""
        request = decode(_one, body)
        intent = self._intent(request, (bytes(request.command),))
        if SIGNATURE.fullmatch(request.signature) is None:
            raise signing.SignatureRefused("signature_malformed", "a signature is 0x and 130 hexadecimal digits")
        signer = await self.verifier.signer_of(intent, bytes.fromhex(request.signature[2:]))
        agent = self.node.root.state.get(Agent, (intent.account, signer))
        return {
            "account": intent.account,
            "signer": signer,
            "relation": "account" if signer == intent.account else "agent" if agent else "none",
            "scopes": [] if agent is None else list(agent.scopes),
            "expires": "0" if agent is None else str(agent.expires),
        }


def unsigned(body: bytes) -> tuple[str, Any]:
    """Account and command of a quote."""
    request = decode(_unsigned, body)
    try:
        return address(request.account), decode_command(bytes(request.command))
    except Reject as refused:
        raise NotAdmitted(refused.rejection) from None


def decode(decoder: Any, body: bytes) -> Any:
    """Decode strictly; ``malformed_request`` says where it is wrong."""
    try:
        return decoder(body)
    except UNREADABLE as fault:
        raise Problem("malformed_request", str(fault)) from None


def address(text: str) -> str:
    """A lower-case address."""
    if ADDRESS.fullmatch(text) is None:
        raise Problem("account_malformed", text[:80])
    return text.lower()


def _number(text: str, name: str) -> int:
    if NUMBER.fullmatch(text) is None:
        raise Problem("malformed_request", f"{name} is decimal text of at most 18 digits")
    return int(text)
