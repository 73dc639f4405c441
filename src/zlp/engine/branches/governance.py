"""Governance: founding, parameters, roles, multisigs, agents, pauses, and the tree of branches itself."""

from __future__ import annotations

from typing import Any

import msgspec

from zlp.engine import codec, ledger
from zlp.engine.access import next_number, require_immediate, require_role, require_running
from zlp.engine.branches import tree
from zlp.engine.branches.base import Branch
from zlp.engine.commands import governance as commands
from zlp.engine.commands.base import check_ranges
from zlp.engine.draft import Draft
from zlp.engine.events import governance as events
from zlp.engine.fixed import UNITS
from zlp.engine.leaves import SETTINGS
from zlp.engine.leaves.access import Agent, Multisig, Pause, Proposal, Role, RoleHolder, Venue
from zlp.engine.leaves.base import Settings
from zlp.engine.leaves.ledger import Token
from zlp.engine.rejections import Code, Reject

SHARED = tuple(kind for kind in SETTINGS.values() if "share" in kind.__struct_fields__)
"""Settings of everything that has shares."""


def found(draft: Draft, command: commands.Found) -> None:
    """First command of a log."""
    if draft.get(Venue, ()) is not None:
        raise Reject(Code.SENDER_NOT_ALLOWED, detail="the venue is founded")
    draft.put(Venue(command.identity, command.profile, command.profile_hash, command.engine_version))
    draft.put(RoleHolder(Role.GOVERNOR, command.governor))
    draft.record(
        events.Founded(
            identity=command.identity,
            profile=command.profile,
            profile_hash=command.profile_hash,
            governor=command.governor,
        )
    )
    draft.record(events.RoleGranted(role=Role.GOVERNOR, holder=command.governor))


def configure(draft: Draft, command: commands.Configure) -> None:
    """Put a whole settings record."""
    require_role(draft, Role.GOVERNOR)
    _store(draft, codec.decode_settings(command.settings), "")


def set_parameter(draft: Draft, command: commands.SetParameter) -> None:
    """Change one field, also inside a mechanism, with the record's own check."""
    require_role(draft, Role.GOVERNOR)
    kind = SETTINGS.get(command.leaf)
    if kind is None:
        raise Reject(Code.UNKNOWN_SETTING, detail=command.leaf)
    current = draft.get(kind, _key(command.key))
    if current is None:
        raise Reject(Code.UNKNOWN_SETTING, detail=f"{command.leaf}{command.key}")
    record: Any = msgspec.to_builtins(current)
    *path, last = command.field.split(".")
    inner = record
    for name in path:
        inner = inner.get(name) if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or last not in inner or last == "type":
        raise Reject(Code.UNKNOWN_SETTING, detail=command.field)
    inner[last] = codec.decode_plain(command.value, Code.INVALID_SETTING)
    changed = codec.decode_settings(msgspec.json.encode(record))
    if changed.key != current.key:
        raise Reject(Code.INVALID_SETTING, detail="a record can't change its key")
    _store(draft, changed, command.field)


def _key(text: str) -> tuple[Any, ...]:
    parts = codec.decode_plain(text, Code.UNKNOWN_SETTING)
    if not isinstance(parts, list) or not all(isinstance(part, str | int) for part in parts):
        raise Reject(Code.UNKNOWN_SETTING, detail="a key is a list of texts, integers and truth values")
    return tuple(parts)


def _store(draft: Draft, settings: Settings, field: str) -> None:
    try:
        check_ranges(settings)
    except Reject as refused:
        raise Reject(Code.INVALID_SETTING, detail=f"{type(settings).__name__}: {refused.rejection.detail}") from None
    fault = settings.invalid()
    if fault is not None:
        raise Reject(Code.INVALID_SETTING, detail=f"{type(settings).__name__}: {fault}")
    old = draft.get(type(settings), settings.key)
    _check_decimals(draft, settings, old)
    _check_issued(draft, settings, old)
    draft.put(settings)
    draft.record(
        events.ParameterChanged(
            leaf=type(settings).__name__,
            key=codec.canonical(settings.key).decode(),
            field=field,
            old="" if old is None else _value(old, field),
            new=_value(settings, field),
        )
    )


def _check_decimals(draft: Draft, settings: Settings, old: Settings | None) -> None:
    """Decimals never change, and every record that repeats a token's says the same."""
    decimals = getattr(settings, "decimals", None)
    if decimals is not None and decimals >= len(UNITS):
        raise Reject(Code.INVALID_SETTING, limit=len(UNITS) - 1, actual=decimals, detail="decimals")
    token = draft.get(Token, (getattr(settings, "token", ""),))
    if token is not None and decimals is not None and decimals != token.decimals:
        raise Reject(Code.INVALID_SETTING, limit=token.decimals, actual=decimals, detail=f"decimals of {token.symbol}")
    kept = getattr(old, "decimals", decimals)
    if kept != decimals:
        raise Reject(Code.SETTING_IN_USE, limit=kept, actual=decimals, detail="decimals")


def _check_issued(draft: Draft, settings: Settings, old: Settings | None) -> None:
    """What the rules issue is never the bridge's to create; who may issue a token does not change.

    A share is of one pool, and a pool whose shares are out can't issue others instead: either would part the shares
    from what they are shares of.
    """
    if isinstance(settings, Token) and isinstance(old, Token) and old.issued != settings.issued:
        raise Reject(Code.SETTING_IN_USE, detail="issued")
    for symbol in settings.issues():
        token = draft.get(Token, (symbol,))
        if token is not None and not token.issued:
            raise Reject(Code.INVALID_SETTING, detail=f"{symbol} must be marked as issued")
    share, former = _share(settings), _share(old)
    if former and former != share and ledger.supply_of(draft, former):
        raise Reject(Code.SETTING_IN_USE, detail=f"shares of {former} are out")
    for kind in SHARED if share else ():
        for other in draft.each(kind):
            if _share(other) == share and (kind is not type(settings) or other.key != settings.key):
                raise Reject(Code.INVALID_SETTING, detail=f"{share} is the share of {other.key[0]}")


def _share(settings: Settings | None) -> str:
    """The share that these settings make and burn, if they do."""
    share: str = getattr(settings, "share", "")
    return share if settings is not None and share in settings.issues() else ""


def _value(settings: Settings, field: str) -> str:
    value: Any = msgspec.to_builtins(settings)
    for name in field.split(".") if field else ():
        value = value[name]
    return codec.canonical(value).decode()


def grant_role(draft: Draft, command: commands.GrantRole) -> None:
    """Give a role."""
    require_role(draft, Role.GOVERNOR)
    role = _role(command.role)
    draft.put(RoleHolder(role, command.holder))
    draft.record(events.RoleGranted(role=role, holder=command.holder))


def revoke_role(draft: Draft, command: commands.RevokeRole) -> None:
    """Take a role; a venue always keeps a governor."""
    require_role(draft, Role.GOVERNOR)
    role = _role(command.role)
    held = draft.need(RoleHolder, (role, command.holder), Code.ROLE_REQUIRED)
    if role is Role.GOVERNOR:
        others = [holder for holder in draft.each(RoleHolder) if holder.role == role and holder != held]
        if not others:
            raise Reject(Code.SETTING_IN_USE, detail="the last governor")
    draft.drop(held)
    draft.record(events.RoleRevoked(role=role, holder=command.holder))


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        raise Reject(Code.UNKNOWN_SETTING, detail=name) from None


def set_multisig(draft: Draft, command: commands.SetMultisig) -> None:
    """Create or change a multisig."""
    require_role(draft, Role.GOVERNOR)
    members = len(set(command.members))
    if members != len(command.members) or not 1 <= command.threshold <= members:
        raise Reject(Code.INVALID_SETTING, limit=members, actual=command.threshold, detail=command.name)
    if not command.name or ":" in command.name:
        raise Reject(Code.INVALID_SETTING, detail="name")
    draft.put(Multisig(command.name, command.members, command.threshold))
    draft.record(events.MultisigSet(name=command.name, members=command.members, threshold=command.threshold))


def propose(draft: Draft, command: commands.Propose) -> None:
    """Open a proposal with the proposer's approval."""
    group = _membership(draft, command.multisig)
    codec.decode_command(command.command)
    number = next_number(draft, "proposal")
    draft.put(Proposal(number, group.name, command.command, (), command.expires))
    draft.record(events.Proposed(number=number, multisig=group.name, command=command.command, proposer=draft.sender))
    _approve(draft, number)


def approve(draft: Draft, command: commands.Approve) -> None:
    """Approve an open proposal."""
    _approve(draft, command.proposal)


def _approve(draft: Draft, number: int) -> None:
    proposal = draft.need(Proposal, (number,), Code.UNKNOWN_PROPOSAL)
    group = _membership(draft, proposal.multisig)
    member = draft.sender
    if draft.time > proposal.expires:
        raise Reject(Code.DEADLINE_PASSED, limit=proposal.expires, actual=draft.time)
    if member in proposal.approvals:
        raise Reject(Code.ALREADY_APPROVED, detail=member)
    approvals = (*proposal.approvals, member)
    valid = sum(1 for approval in approvals if approval in group.members)
    executed = valid >= group.threshold
    draft.record(events.Approved(number=number, member=member, executed=executed))
    if executed:
        draft.drop(proposal)
        command = codec.decode_command(proposal.command)
        check_ranges(command)
        require_running(draft, command)
        require_immediate(draft, command)
        draft.run(command, group.account)
    else:
        draft.put(msgspec.structs.replace(proposal, approvals=approvals))


def _membership(draft: Draft, name: str) -> Multisig:
    group = draft.need(Multisig, (name,), Code.UNKNOWN_MULTISIG)
    if draft.sender not in group.members:
        raise Reject(Code.NOT_A_MEMBER, detail=name)
    return group


def pause(draft: Draft, command: commands.PauseScope) -> None:
    """Stop a scope; guardians act alone and fast."""
    require_role(draft, Role.GUARDIAN, Role.GOVERNOR)
    draft.put(Pause(command.target))
    draft.record(events.Paused(scope=command.target))


def resume(draft: Draft, command: commands.ResumeScope) -> None:
    """End a pause; only the governor."""
    require_role(draft, Role.GOVERNOR)
    draft.drop(draft.need(Pause, (command.target,), Code.UNKNOWN_SETTING))
    draft.record(events.Resumed(scope=command.target))


SCOPES = ("trade", "liquidity", "transfer", "keep")


def approve_agent(draft: Draft, command: commands.ApproveAgent) -> None:
    """Let a key sign for the sender. Nobody can pass on what governs."""
    unknown = [scope for scope in command.scopes if scope not in SCOPES]
    if unknown or not command.scopes:
        raise Reject(Code.INVALID_SETTING, detail=f"scopes are {', '.join(SCOPES)}")
    draft.put(Agent(draft.sender, command.agent, command.scopes, command.expires))
    draft.record(
        events.AgentApproved(account=draft.sender, agent=command.agent, scopes=command.scopes, expires=command.expires)
    )


def revoke_agent(draft: Draft, command: commands.RevokeAgent) -> None:
    """Withdraw an approval."""
    draft.drop(draft.need(Agent, (draft.sender, command.agent), Code.AGENT_NOT_APPROVED))
    draft.record(events.AgentRevoked(account=draft.sender, agent=command.agent))


BRANCH = Branch(
    name="governance",
    version=1,
    summary="founding, parameters, roles, multisigs, agents, pauses; always installed",
    handlers={
        commands.Found: found,
        commands.Configure: configure,
        commands.SetParameter: set_parameter,
        commands.GrantRole: grant_role,
        commands.RevokeRole: revoke_role,
        commands.SetMultisig: set_multisig,
        commands.Propose: propose,
        commands.Approve: approve,
        commands.PauseScope: pause,
        commands.ResumeScope: resume,
        commands.ApproveAgent: approve_agent,
        commands.RevokeAgent: revoke_agent,
        commands.UpgradeBranches: tree.upgrade,
    },
)
