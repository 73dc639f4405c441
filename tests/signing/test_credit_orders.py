"""Orders signed away from the venue: the message is the one wallets sign, the signer the one it names."""

from __future__ import annotations

import pytest
from eth_account.messages import encode_typed_data
from msgspec.structs import replace
from sha3 import keccak_256

from zlp.engine.commands.credit import Report
from zlp.engine.commands.credit_positions import FillSignedOrders, SignedOrder
from zlp.signing import SignatureRefused, address_of, domain_separator, sign
from zlp.signing.credit_orders import order_digest, order_typed_data, require_signers

KEY = bytes(range(1, 33))
VENUE = "zlp-test"
SEPARATOR = domain_separator(VENUE)


def order(size: int = -(10**18)) -> SignedOrder:
    """An order its owner has signed."""
    bare = SignedOrder(
        trading_account=7,
        market="BTC",
        size_delta=size,
        target_price=60_000 * 10**30,
        increase_nonce=True,
        nonce=3,
        salt="a salt",
        signer=address_of(KEY),
        evidence="",
    )
    return replace(bare, evidence="0x" + sign(order_digest(SEPARATOR, bare), KEY).hex())


def batch(*orders: SignedOrder) -> FillSignedOrders:
    """A keeper's command."""
    price = 60_000 * 10**30
    report = Report(feed="BTC/USD", price=price, bid=price, ask=price, valid_from=1, expires=2, evidence="x")
    return FillSignedOrders(market="BTC", orders=orders, report=report)


@pytest.mark.parametrize("size", [10**18, -(10**18), 1])
def test_the_message_is_the_one_wallets_sign(size: int) -> None:
    """A2, Z10: the digest equals the general EIP-712 encoder's."""
    message = encode_typed_data(full_message=order_typed_data(VENUE, order(size)))
    expected = keccak_256(b"\x19\x01" + message.header + message.body).digest()
    assert order_digest(SEPARATOR, order(size)) == expected


def test_only_what_its_signer_signed_passes() -> None:
    """Z10: any changed field, another signer, another venue and a signature that is none are refused."""
    good = order()
    require_signers(SEPARATOR, batch(good, order(10**18)))
    for forged in (
        replace(good, size_delta=10**18),
        replace(good, target_price=1),
        replace(good, trading_account=8),
        replace(good, market="ETH"),
        replace(good, nonce=4),
        replace(good, salt="another"),
        replace(good, increase_nonce=False),
        replace(good, signer="0x" + "00" * 20),
        replace(good, evidence="0x12"),
        replace(good, evidence="no hexadecimal"),
    ):
        with pytest.raises(SignatureRefused):
            require_signers(SEPARATOR, batch(good, forged))
    with pytest.raises(SignatureRefused):
        require_signers(domain_separator("another venue"), batch(good))
