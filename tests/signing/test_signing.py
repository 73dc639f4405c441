"""Intents are signed and recovered exactly as wallets do it."""

import msgspec
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from zlp import signing
from zlp.signing.keys import HALF_ORDER

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
intents = st.builds(
    signing.Intent,
    account=st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    commands=st.lists(texts.map(str.encode), max_size=4).map(tuple),
    nonce=st.integers(0, 2**256 - 1),
    deadline=st.integers(0, 2**256 - 1),
    client_id=texts,
)
keys = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))


@given(texts, intents, keys)
def test_digest_and_signature_equal_the_wallets(identity: str, intent: signing.Intent, key: bytes) -> None:
    """A2: the hand-coded digest is eth-account's, so any wallet can sign and any verifier can check."""
    data = signing.typed_data(identity, intent)
    by_wallet = Account.sign_typed_data(key, full_message=data)
    digest = signing.digest(signing.domain_separator(identity), intent)
    assert digest == by_wallet.message_hash
    assert signing.sign(digest, key) == by_wallet.signature
    assert signing.recover(digest, by_wallet.signature) == Account.from_key(key).address.lower()
    assert Account.recover_message(encode_typed_data(full_message=data), signature=by_wallet.signature)


@given(intents, intents)
def test_different_intents_have_different_digests(one: signing.Intent, other: signing.Intent) -> None:
    """A2: every field is under the signature."""
    separator = signing.domain_separator("venue")
    assert (one == other) == (signing.digest(separator, one) == signing.digest(separator, other))


def test_a_venue_never_accepts_the_signature_for_another() -> None:
    """A2: the venue's identity is in the domain."""
    intent = signing.Intent(account="0x" + "11" * 20, commands=(b"{}",), nonce=1, deadline=2)
    one, other = (signing.digest(signing.domain_separator(name), intent) for name in ("a", "b"))
    assert one != other


@pytest.mark.parametrize("field", ["commands", "nonce", "deadline", "client_id", "account"])
def test_a_changed_field_recovers_another_signer(field: str) -> None:
    """A2: a signature is worth nothing for a changed message."""
    key = bytes(range(1, 33))
    intent = signing.Intent(account=signing.address_of(key), commands=(b"{}",), nonce=1, deadline=2, client_id="a")
    changes = {"commands": (b"{ }",), "nonce": 2, "deadline": 3, "client_id": "b", "account": "0x" + "22" * 20}
    separator = signing.domain_separator("venue")
    signature = signing.sign(signing.digest(separator, intent), key)
    forged = msgspec.structs.replace(intent, **{field: changes[field]})
    assert signing.recover(signing.digest(separator, forged), signature) != signing.address_of(key)


def test_the_twin_signature_is_refused() -> None:
    """A2: the same signature with the other s is a second valid signature to careless verifiers."""
    key, digest = bytes(range(1, 33)), bytes(32)
    good = signing.sign(digest, key)
    s = int.from_bytes(good[32:64], "big")
    assert s <= HALF_ORDER
    twin = good[:32] + (ORDER - s).to_bytes(32, "big") + bytes((55 - good[64],))
    with pytest.raises(signing.SignatureRefused) as refused:
        signing.recover(digest, twin)
    assert refused.value.code == "signature_malleable"


@pytest.mark.parametrize(
    "signature",
    [b"", bytes(64), bytes(66), bytes(65), bytes(64) + b"\x1b", b"\xff" * 32 + bytes(31) + b"\x01\x1b"],
)
def test_garbage_is_refused(signature: bytes) -> None:
    """A4: bytes that are no signature are refused with a stable code."""
    with pytest.raises(signing.SignatureRefused) as refused:
        signing.recover(bytes(32), signature)
    assert refused.value.code == "signature_malformed"


def test_the_fast_backend_is_here() -> None:
    """The check at start passes where the extra is installed."""
    signing.require_fast_backend()
