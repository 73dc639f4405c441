"""Who is admitted: deadlines, nonces, agents, pauses and roles, before any branch runs."""

from __future__ import annotations

from zlp.engine import codec
from zlp.engine.commands.base import Command, Envelope
from zlp.engine.draft import Draft
from zlp.engine.leaves.access import EVERYTHING, Agent, Counter, Nonces, Pause, Role, RoleHolder
from zlp.engine.leaves.orders import OrderSettings
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader

NONCES_KEPT = 64
NONCE_PAST_MS = 2 * 86_400_000
NONCE_FUTURE_MS = 86_400_000


def admit(draft: Draft, envelope: Envelope, *, quoting: bool = False) -> None:
    """Refuse a command that came too late, twice, from a key that may not, or while its scope is paused.

    Nobody acts as one of the engine's own holders, nor as a multisig but by its members' approvals.
    """
    if not envelope.account or ":" in envelope.account:
        raise Reject(Code.INVALID_ACCOUNT, detail=envelope.account)
    if envelope.deadline and draft.time > envelope.deadline:
        raise Reject(Code.DEADLINE_PASSED, limit=envelope.deadline, actual=draft.time)
    if envelope.signer and envelope.signer != envelope.account:
        _check_agent(draft, envelope)
    require_running(draft, envelope.command)
    if not quoting:
        require_immediate(draft, envelope.command)
    if envelope.nonce:
        _use_nonce(draft, envelope.account, envelope.nonce)


def _check_agent(draft: Draft, envelope: Envelope) -> None:
    agent = draft.get(Agent, (envelope.account, envelope.signer))
    if agent is None:
        raise Reject(Code.AGENT_NOT_APPROVED, detail=f"{envelope.signer} for {envelope.account}")
    if draft.time > agent.expires:
        raise Reject(Code.AGENT_EXPIRED, limit=agent.expires, actual=draft.time)
    _check_scope(draft, envelope.command, envelope.account, agent.scopes)


def _check_scope(draft: Draft, command: Command, account: str, scopes: tuple[str, ...]) -> None:
    """An agent needs the command's scope, and the transfer scope to have anything paid to somebody else."""
    if command.scope not in scopes:
        raise Reject(Code.AGENT_OUT_OF_SCOPE, detail=command.scope)
    if "transfer" not in scopes and any(other != account for other in command.pays(draft)):
        raise Reject(Code.AGENT_OUT_OF_SCOPE, detail="transfer")
    action = getattr(command, "action", "")
    if action:
        _check_scope(draft, codec.decode_command(action), account, scopes)


def require_running(draft: Draft, command: Command) -> None:
    """Refuse a command while the guardian has stopped it."""
    kind = type(command)
    if draft.get(Pause, (kind.__name__,)) is not None:
        raise Reject(Code.PAUSED, detail=kind.__name__)
    if kind.scope == "govern" or kind.reduces_risk:
        return
    if draft.get(Pause, (EVERYTHING,)) is not None:
        raise Reject(Code.PAUSED, detail=EVERYTHING)


def require_immediate(draft: Draft, command: Command) -> None:
    """A priced action sent directly would be priced at what its sender already knows."""
    kind = type(command)
    if kind.orderable:
        settings = draft.get(OrderSettings, ())
        if settings is not None and kind.__name__ not in settings.immediate:
            raise Reject(Code.ACTION_NOT_IMMEDIATE, detail=kind.__name__)


def _use_nonce(draft: Draft, account: str, nonce: int) -> None:
    now_ms = draft.time * 1_000
    if not now_ms - NONCE_PAST_MS <= nonce <= now_ms + NONCE_FUTURE_MS:
        raise Reject(Code.NONCE_OUT_OF_WINDOW, limit=now_ms, actual=nonce)
    kept = draft.get(Nonces, (account,))
    used = () if kept is None else kept.used
    if nonce in used:
        raise Reject(Code.NONCE_USED, actual=nonce)
    if len(used) >= NONCES_KEPT and nonce < used[0]:
        raise Reject(Code.NONCE_OUT_OF_WINDOW, limit=used[0], actual=nonce)
    draft.put(Nonces(account, tuple(sorted((*used, nonce))[-NONCES_KEPT:])))


def has_role(reader: Reader, role: Role, account: str) -> bool:
    """Whether ``account`` (or ``multisig:name``) holds ``role``."""
    return reader.get(RoleHolder, (role, account)) is not None


def require_role(draft: Draft, *roles: Role) -> None:
    """Refuse a sender that holds none of ``roles``."""
    for role in roles:
        if has_role(draft, role, draft.sender):
            return
    raise Reject(Code.ROLE_REQUIRED, detail=" or ".join(roles))


def next_number(draft: Draft, name: str) -> int:
    """The next identifier of a kind of record, from 1 on."""
    counter = draft.get(Counter, (name,))
    number = 1 if counter is None else counter.next
    draft.put(Counter(name, number + 1))
    return number
