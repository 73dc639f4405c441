"""Signatures on secp256k1: making one, and finding the address that made one.

A signature is 65 bytes: r, s, v with v 27 or 28, as wallets give it. Only the lower of the two possible s is
accepted, so that nobody can turn one valid signature into another.
"""

from __future__ import annotations

from coincurve import PrivateKey, PublicKey

from zlp.signing.intent import keccak

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
LENGTH = 65


class SignatureRefused(ValueError):  # noqa: N818 - named by what happened
    """The signature is not one: its length, its v, a high s, or no key fits. ``code`` is stable."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def recover(message_digest: bytes, signature: bytes) -> str:
    """The lower-case address that signed, or ``SignatureRefused``. Releases the interpreter lock while it computes."""
    if len(signature) != LENGTH:
        raise SignatureRefused("signature_malformed", f"a signature has {LENGTH} bytes, this one {len(signature)}")
    if signature[64] not in (27, 28):
        raise SignatureRefused("signature_malformed", f"v is 27 or 28, not {signature[64]}")
    if int.from_bytes(signature[32:64], "big") > HALF_ORDER:
        raise SignatureRefused("signature_malleable", "s is in the upper half of the order; use the lower one")
    compact = signature[:64] + bytes((signature[64] - 27,))
    try:
        key = PublicKey.from_signature_and_message(compact, message_digest, hasher=None)
    except ValueError as fault:
        raise SignatureRefused("signature_malformed", f"no key fits this signature: {fault}") from None
    except Exception as fault:
        if type(fault) is not Exception:  # coincurve raises the bare class for a signature without a point
            raise
        raise SignatureRefused("signature_malformed", f"no key fits this signature: {fault}") from None
    return _address(key)


def sign(message_digest: bytes, private_key: bytes) -> bytes:
    """Sign 32 bytes; deterministic (RFC 6979), low s."""
    signature = PrivateKey(private_key).sign_recoverable(message_digest, hasher=None)
    return signature[:64] + bytes((signature[64] + 27,))


def address_of(private_key: bytes) -> str:
    """The lower-case address of a key."""
    return _address(PrivateKey(private_key).public_key)


def _address(key: PublicKey) -> str:
    return "0x" + keccak(key.format(compressed=False)[1:])[12:].hex()


def require_fast_backend() -> None:
    """Refuse to start without libsecp256k1 and Keccak in C: pure Python recovers a hundred signers a second."""
    probe = bytes(range(1, 33))
    signature = sign(probe, probe)
    if recover(probe, signature) != address_of(probe):
        raise RuntimeError("coincurve does not recover its own signatures; reinstall zlp[venue]")
    if keccak(b"").hex() != "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470":
        raise RuntimeError("safe-pysha3 is not Keccak-256; reinstall zlp[venue]")
