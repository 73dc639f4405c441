"""Orders signed away from the venue: handed in here, checked, journalled, and kept until their price comes.

Whoever hands one in signs nothing himself: the order's own signature is all it takes. So it may be signed on a
machine without a network, and brought by anybody. A repeat is answered like the first.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from zlp import signing
from zlp.engine import Code, Envelope, Rejection
from zlp.engine.branches.credit_positions.held import digest
from zlp.engine.codec import canonical, decode_command, plain
from zlp.engine.commands.base import check_ranges
from zlp.engine.commands.credit_positions import HoldSignedOrder
from zlp.engine.leaves.access import Agent
from zlp.engine.leaves.credit_positions import HeldOrder, TradingAccount
from zlp.engine.rejections import Reject
from zlp.node import Node, NotAdmitted
from zlp.server import views
from zlp.server.intake import SIGNATURE, Intake, decode
from zlp.server.limits import Headers
from zlp.server.problems import rejection_body, rejection_status
from zlp.server.reads import FEW_LEAVES, PAGED, Parameters, Read
from zlp.signing.credit_orders import order_signer

LOCAL = "signed order"


class HandedIn(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /v1/signed-orders``: an order as its owner signed it (EIP-712 ``CreditOrder``), and until when.

    Integers as decimal text: ``size_delta`` signed at 1e18, ``target_price`` at 1e30, ``nonce`` of the trading
    account. ``expires``: the venue keeps it until this second; 0 as long as it is valid.
    """

    trading_account: str
    market: str
    size_delta: str
    target_price: str
    nonce: str
    salt: str
    signature: str
    increase_nonce: bool = False
    expires: str = "0"


_handed_in = msgspec.json.Decoder(HandedIn).decode


async def hold(node: Node, intake: Intake, body: bytes) -> tuple[int, bytes, Headers]:
    """Check an order and keep it; the answer names it by its digest once it is durable."""
    command = _signed(intake.separator, decode(_handed_in, body))
    order, name = command.order, digest(command.order)
    await node.durable()
    account = node.root.state.get(TradingAccount, (order.trading_account,))
    if account is None:
        raise NotAdmitted(Rejection(Code.UNKNOWN_TRADING_ACCOUNT, detail=str(order.trading_account)))
    if order.signer != account.owner and node.root.state.get(Agent, (account.owner, order.signer)) is None:
        raise NotAdmitted(Rejection(Code.SIGNED_BY_ANOTHER, detail=order.signer))
    headers: Headers = ()
    sequence = node.root.sequence
    if node.root.state.get(HeldOrder, (name,)) is None:
        quote = node.root.quote(Envelope(time=node.now(), account=account.owner, command=command))
        if quote.receipt.rejection is not None:
            raise NotAdmitted(quote.receipt.rejection)
        # Only what is new: anybody can read an order in the log, and repeats must not use up its owner's allowance.
        headers = intake.accounts.take(account.owner)
        (fact,) = await node.command(account.owner, command, local=LOCAL)
        sequence, rejection = fact.sequence, fact.receipt.rejection
        if rejection is not None and rejection.code is not Code.SIGNED_ORDER_HELD:
            return rejection_status(rejection), rejection_body(rejection, sequence=str(sequence)), headers
    answer = {"sequence": str(sequence), "digest": name, "owner": account.owner, "signer": order.signer}
    return 200, msgspec.json.encode(answer), headers


def _signed(separator: bytes, request: HandedIn) -> HoldSignedOrder:
    """The command, with the signer its signature recovers to."""
    if SIGNATURE.fullmatch(request.signature) is None:
        raise signing.SignatureRefused("signature_malformed", "a signature is 0x and 130 hexadecimal digits")
    fields = msgspec.structs.asdict(request)
    expires, evidence = fields.pop("expires"), fields.pop("signature")
    order = {**fields, "signer": "", "evidence": evidence}
    try:
        command = decode_command(canonical({"type": "HoldSignedOrder", "order": order, "expires": expires}))
        check_ranges(command)
    except Reject as refused:
        raise NotAdmitted(refused.rejection) from None
    assert isinstance(command, HoldSignedOrder)
    return replace(command, order=replace(command.order, signer=order_signer(separator, command.order)))


def _listed(node: Node, parameters: Parameters) -> Any:
    """Orders the venue keeps, by digest: of one owner, of one market, or all; beside the event loop where many."""
    owner, market = parameters.text("account").lower(), parameters.text("market")
    after, limit = parameters.text("after"), parameters.limit()
    frozen = views.freeze(node.root, (HeldOrder,))
    if views.count(node.root, (HeldOrder,)) <= FEW_LEAVES:
        return _page(frozen, owner, market, after, limit)
    return lambda: _page(frozen, owner, market, after, limit)


def _page(frozen: views.Frozen, owner: str, market: str, after: str, limit: int) -> dict[str, Any]:
    found = sorted(
        (
            held
            for held in frozen.state.each(HeldOrder)
            if held.digest > after and owner in ("", held.owner) and market in ("", held.market)
        ),
        key=lambda held: held.digest,
    )
    page = found[:limit]
    return {
        "sequence": str(frozen.sequence),
        "items": [plain(held) for held in page],
        "next": page[-1].digest if len(found) > limit else None,
    }


READS = [
    Read("/v1/signed-orders", "signed orders the venue keeps", _listed, "orders", ("account", "market", *PAGED)),
]
