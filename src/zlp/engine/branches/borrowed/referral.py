"""Who brought an account: named once, shares in its trading fees where the pool says so."""

from __future__ import annotations

from zlp.engine.branches.custody import require_account
from zlp.engine.commands.borrowed import SetReferrer
from zlp.engine.draft import Draft
from zlp.engine.events.borrowed import ReferrerSet
from zlp.engine.leaves.borrowed import Referral
from zlp.engine.rejections import Code, Reject


def set_referrer(draft: Draft, command: SetReferrer) -> None:
    """Name another account, once and for good."""
    require_account(command.referrer)
    if command.referrer == draft.sender:
        raise Reject(Code.INVALID_ACCOUNT, detail="an account can't refer itself")
    if draft.get(Referral, (draft.sender,)) is not None:
        raise Reject(Code.REFERRER_ALREADY_SET, detail=draft.sender)
    draft.put(Referral(draft.sender, command.referrer))
    draft.record(ReferrerSet(account=draft.sender, referrer=command.referrer))
