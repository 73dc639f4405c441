"""FeeBranch: fees become reward tokens, stakers and recipients receive them (Z7; reference section 9)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.access import require_role
from zlp.engine.branches.base import Branch
from zlp.engine.branches.credit.markets import distribute, split_reward
from zlp.engine.branches.credit.settlement import require_delivery
from zlp.engine.branches.credit.values import credit_settings, market_settings, market_state
from zlp.engine.branches.credit.vaults import recalculate, vault_settings
from zlp.engine.branches.credit_vaults import earned
from zlp.engine.commands import credit as commands
from zlp.engine.draft import Draft
from zlp.engine.events import credit as events
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.credit import PROTOCOL_HOLDER, STAKERS_HOLDER, CreditStake, FeeRecipients
from zlp.engine.mechanisms.credit import recipient_parts
from zlp.engine.rejections import Code, Reject


def convert_fees(draft: Draft, command: commands.ConvertFees) -> None:
    """A keeper buys a market's fees in one token with reward tokens, which are split at once."""
    require_role(draft, Role.KEEPER)
    market_settings(draft, command.market)
    source = market_state(draft, command.market).fees_holder
    amount = ledger.balance_of(draft, source, command.token)
    if not amount:
        raise Reject(Code.NOTHING_TO_SETTLE, detail=command.token)
    reward = credit_settings(draft).reward
    require_delivery(draft, (command.token, amount), (reward, command.delivered))
    distribute(draft, command.market)
    ledger.move(draft, command.token, source, draft.sender, amount)
    protocol, stakers = split_reward(draft, command.market, draft.sender, command.delivered)
    draft.record(
        events.FeesConverted(
            market=command.market, token=command.token, amount=amount, protocol=protocol, stakers=stakers
        )
    )


def claim(draft: Draft, command: commands.ClaimVaultRewards) -> None:
    """Pay a staker what it has earned, rounded down."""
    vault = recalculate(draft, vault_settings(draft, command.vault))
    staked = earned(draft.get(CreditStake, (vault.vault, draft.sender)), vault, draft.sender)
    if not staked.owed:
        raise Reject(Code.NOTHING_TO_CLAIM, detail=command.vault)
    ledger.move(draft, credit_settings(draft).reward, STAKERS_HOLDER, draft.sender, staked.owed)
    draft.put(replace(staked, owed=0))
    draft.record(events.VaultRewardsClaimed(vault=vault.vault, account=draft.sender, amount=staked.owed))


def pay_recipients(draft: Draft, command: commands.PayRecipients) -> None:
    """Pay all the protocol has of a token to its recipients by share; the last one also takes the dust."""
    settings = draft.get(FeeRecipients, ())
    recipients = [recipient for recipient in settings.recipients if recipient.share] if settings else []
    amount = ledger.balance_of(draft, PROTOCOL_HOLDER, command.token)
    if not recipients or not amount:
        raise Reject(Code.NOTHING_TO_CLAIM, actual=amount, detail=command.token)
    parts = recipient_parts(amount, tuple(recipient.share for recipient in recipients))
    for recipient, part in zip(recipients, parts, strict=True):
        ledger.move(draft, command.token, PROTOCOL_HOLDER, recipient.account, part)
        draft.record(events.RecipientPaid(account=recipient.account, token=command.token, amount=part))


BRANCH = Branch(
    name="fee_distribution",
    version=1,
    summary="fee conversion and split, staking rewards, fee recipients",
    handlers={
        commands.ConvertFees: convert_fees,
        commands.ClaimVaultRewards: claim,
        commands.PayRecipients: pay_recipients,
    },
)
