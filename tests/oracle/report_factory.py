"""Makes Data Streams reports as an oracle network would, with keys of its own, and spoils them on demand."""

from typing import Any

from coincurve import PrivateKey
from eth_abi import abi
from eth_hash.auto import keccak

from zlp.oracle.data_streams.verification import SignerSet

FEED_ID = bytes.fromhex("0003" + "5e" * 30)
CONFIG_DIGEST = bytes.fromhex("0006" + "c0" * 30)
NOW = 1_700_000_000
PRICE = 1_800_250000000000000000
WORDS = ["bytes32", *["uint256"] * 5, *["int256"] * 3]


def key(number: int) -> PrivateKey:
    """The key of oracle `number`."""
    return PrivateKey(keccak(b"oracle %d" % number))


def address(private: PrivateKey) -> str:
    """The Ethereum address of a key."""
    return "0x" + keccak(private.public_key.format(compressed=False)[1:])[-20:].hex()


def signer_set(count: int = 4, f: int = 1, digest: bytes = CONFIG_DIGEST) -> SignerSet:
    """The first `count` oracles as a configuration."""
    signers = tuple(address(key(number)) for number in range(count))
    return SignerSet(config_digest="0x" + digest.hex(), f=f, signers=signers)


def blob(feed_id: bytes = FEED_ID, **fields: int) -> bytes:
    """The bytes of a v3 report."""
    values: dict[str, Any] = {
        "valid_from": NOW,
        "observed_at": NOW,
        "native_fee": 10**14,
        "link_fee": 10**16,
        "expires_at": NOW + 86_400,
        "price": PRICE,
        "bid": PRICE - 10**16,
        "ask": PRICE + 10**16,
    } | fields
    return abi.encode(WORDS, [feed_id, *values.values()])


def envelope(body: bytes, signers: list[int], *, digest: bytes = CONFIG_DIGEST, round_word: int = 0x0105) -> bytes:
    """Sign a report by the oracles of these numbers, in this order."""
    context = (digest, round_word.to_bytes(32, "big"), bytes(32))
    signed = keccak(keccak(body) + b"".join(context))
    signatures = [key(number).sign_recoverable(signed, hasher=None) for number in signers]
    return assemble(context, body, signatures)


def assemble(context: tuple[bytes, bytes, bytes], body: bytes, signatures: list[bytes]) -> bytes:
    """Put an envelope together from signatures of 65 bytes."""
    return abi.encode(
        ["bytes32[3]", "bytes", "bytes32[]", "bytes32[]", "bytes32"],
        [
            context,
            body,
            [signature[:32] for signature in signatures],
            [signature[32:64] for signature in signatures],
            bytes(signature[64] for signature in signatures).ljust(32, b"\0"),
        ],
    )


def report(signers: tuple[int, ...] = (0, 2), feed_id: bytes = FEED_ID, **fields: int) -> bytes:
    """A whole report, good unless a field says otherwise."""
    return envelope(blob(feed_id, **fields), list(signers))
