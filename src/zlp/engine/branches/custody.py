"""CollateralBranch's base: tokens enter by the bridge, move between accounts, leave by the bridge."""

from __future__ import annotations

from zlp.engine import ledger
from zlp.engine.access import next_number, require_role
from zlp.engine.branches.base import Branch
from zlp.engine.commands import custody as commands
from zlp.engine.draft import Draft
from zlp.engine.events import ledger as events
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.ledger import Withdrawal
from zlp.engine.leaves.pool import LastMint, PoolSettings
from zlp.engine.rejections import Code, Reject

ACCOUNT_LENGTH = 80
OUTSIDE = "bridge:outside"
"""Who holds what the venue issued and the bridge has taken out."""


def require_account(name: str) -> None:
    """Refuse names that could be mistaken for the engine's own holders."""
    plain = 0 < len(name) <= ACCOUNT_LENGTH and name.isprintable() and ":" not in name
    if not plain and not name.startswith("multisig:"):
        raise Reject(Code.INVALID_ACCOUNT, detail=name[:ACCOUNT_LENGTH])


def require_amount(amount: int) -> None:
    """Refuse zero."""
    if amount == 0:
        raise Reject(Code.ZERO_AMOUNT)


def _require_movable(draft: Draft, name: str) -> None:
    """Refuse a token that may not be sent, and fresh shares, which another account could burn before their time."""
    token = ledger.token(draft, name)
    if not token.transferable:
        raise Reject(Code.TRANSFER_FORBIDDEN, detail=name)
    if not token.issued:
        return
    for pool in draft.each(PoolSettings):
        if pool.share == name:
            pool.require_cooled(draft.get(LastMint, (pool.pool, draft.sender)), draft.time)


def deposit(draft: Draft, command: commands.Deposit) -> None:
    """Credit what the bridge received; of the venue's own tokens no more than it took out."""
    require_role(draft, Role.BRIDGE)
    token = ledger.token(draft, command.token)
    require_account(command.account)
    require_amount(command.amount)
    if token.issued:
        ledger.move(draft, command.token, OUTSIDE, command.account, command.amount)
    else:
        ledger.issue(draft, command.token, command.account, command.amount)


def request_withdrawal(draft: Draft, command: commands.RequestWithdrawal) -> None:
    """Put tokens aside for the bridge."""
    _require_movable(draft, command.token)
    require_amount(command.amount)
    withdrawal = Withdrawal(
        number=next_number(draft, "withdrawal"),
        account=draft.sender,
        token=command.token,
        amount=command.amount,
        destination=command.destination,
        requested_at=draft.time,
    )
    ledger.move(draft, command.token, draft.sender, withdrawal.holder, command.amount)
    draft.put(withdrawal)
    draft.record(
        events.WithdrawalRequested(
            number=withdrawal.number,
            account=draft.sender,
            token=command.token,
            amount=command.amount,
            destination=command.destination,
        )
    )


def settle_withdrawal(draft: Draft, command: commands.SettleWithdrawal) -> None:
    """The bridge's word on a withdrawal."""
    require_role(draft, Role.BRIDGE)
    waiting = draft.need(Withdrawal, (command.withdrawal,), Code.UNKNOWN_WITHDRAWAL)
    if command.paid and ledger.token(draft, waiting.token).issued:
        ledger.move(draft, waiting.token, waiting.holder, OUTSIDE, waiting.amount)
    elif command.paid:
        ledger.retire(draft, waiting.token, waiting.holder, waiting.amount)
    else:
        ledger.move(draft, waiting.token, waiting.holder, waiting.account, waiting.amount)
    draft.drop(waiting)
    draft.record(
        events.WithdrawalSettled(
            number=waiting.number,
            account=waiting.account,
            paid=command.paid,
            reference=command.reference,
        )
    )


def transfer(draft: Draft, command: commands.Transfer) -> None:
    """Send tokens to another account."""
    _require_movable(draft, command.token)
    require_account(command.to)
    require_amount(command.amount)
    ledger.move(draft, command.token, draft.sender, command.to, command.amount)


def faucet(draft: Draft, command: commands.Faucet) -> None:
    """Create demo tokens."""
    token = ledger.token(draft, command.token)
    require_amount(command.amount)
    if command.amount > token.faucet_limit:
        raise Reject(Code.FAUCET_CLOSED, limit=token.faucet_limit, actual=command.amount)
    ledger.issue(draft, command.token, draft.sender, command.amount)


BRANCH = Branch(
    name="custody",
    version=1,
    summary="deposits, withdrawals, transfers, the demo faucet",
    handlers={
        commands.Deposit: deposit,
        commands.RequestWithdrawal: request_withdrawal,
        commands.SettleWithdrawal: settle_withdrawal,
        commands.Transfer: transfer,
        commands.Faucet: faucet,
    },
)
