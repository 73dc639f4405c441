"""Signed intents: the EIP-712 message by which an account, or an agent key it approved, commands a venue."""

from zlp.signing.intent import Intent, digest, domain_separator, typed_data
from zlp.signing.keys import SignatureRefused, address_of, recover, require_fast_backend, sign

__all__ = [
    "Intent",
    "SignatureRefused",
    "address_of",
    "digest",
    "domain_separator",
    "recover",
    "require_fast_backend",
    "sign",
    "typed_data",
]
