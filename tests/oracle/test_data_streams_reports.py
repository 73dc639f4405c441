"""Data Streams reports: decoding and verification, with every way to forge one."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_abi import abi
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.report_factory import (
    CONFIG_DIGEST,
    FEED_ID,
    NOW,
    PRICE,
    WORDS,
    address,
    assemble,
    blob,
    envelope,
    key,
    report,
    signer_set,
)
from zlp.oracle.data_streams.report import Fault, ReportError, decode_envelope, decode_v3
from zlp.oracle.data_streams.verification import SignerSet, Verifier, recover_signers

PUBLISHED = json.loads((Path(__file__).parent / "payloads" / "published_reports.json").read_text())["reports"]
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    """Four oracles, one of which may be faulty."""
    return Verifier((signer_set(),))


def fault_of(verifier: Verifier, full_report: bytes, now: int = NOW, age: int | None = None) -> Fault:
    with pytest.raises(ReportError) as caught:
        verifier.verify(full_report, feed_id=FEED_ID, now=now, age_max_seconds=age)
    return caught.value.fault


def test_a_good_report_verifies(verifier: Verifier) -> None:
    """Z6: f+1 distinct oracles of the known config: the report, and the digest they signed."""
    full_report = report()
    verified = verifier.verify(full_report, feed_id=FEED_ID, now=NOW)
    assert verified.report.price == PRICE
    assert verified.report.sides == (PRICE - 10**16, PRICE + 10**16)
    assert verified.digest == decode_envelope(full_report).digest.hex()
    assert verified.full_report == full_report


@pytest.mark.parametrize("published", PUBLISHED)
def test_published_reports_decode_to_their_published_fields(published: dict[str, Any]) -> None:
    """Z6: reports made by the real network decode to the values printed beside them."""
    found = decode_envelope(bytes.fromhex(published["full_report"]))
    decoded = decode_v3(found.blob)
    assert found.config_digest.hex() == published["config_digest"]
    assert (decoded.observed_at, decoded.expires_at) == (published["observed_at"], published["expires_at"])
    assert (decoded.price, decoded.bid, decoded.ask) == tuple(int(published[name]) for name in ("price", "bid", "ask"))
    assert decoded.sides == (decoded.bid, decoded.ask)


def test_two_published_reports_recover_the_same_oracles() -> None:
    """Z6: what we hash is what the network signs; a wrong formula would recover unrelated addresses."""
    first, second, other = (
        set(recover_signers(decode_envelope(bytes.fromhex(published["full_report"])))) for published in PUBLISHED
    )
    assert first == second
    assert len(first) == 2
    assert len(other) == 6


def test_a_published_report_verifies_against_its_signers() -> None:
    """Z6: the whole check passes on a real report, with its two signers and two strangers as the set."""
    full_report = bytes.fromhex(PUBLISHED[1]["full_report"])
    found = decode_envelope(full_report)
    signers = ["0x" + signer.hex() for signer in recover_signers(found)] + [address(key(1)), address(key(2))]
    real = SignerSet(config_digest=PUBLISHED[1]["config_digest"], f=1, signers=tuple(signers))
    observed_at = PUBLISHED[1]["observed_at"]
    verified = Verifier((real,)).verify(full_report, feed_id=found.blob[:32], now=observed_at)
    assert verified.report.price == 3353151968509396700000
    with pytest.raises(ReportError, match="expired"):
        Verifier((real,)).verify(full_report, feed_id=found.blob[:32], now=observed_at + 86_401)


def test_one_flipped_bit_is_refused(verifier: Verifier) -> None:
    """Z6: every single bit of a report matters: structure, context, fields, signatures, recovery ids."""
    good = report()
    for bit in range(8 * len(good)):
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(ReportError):
            verifier.verify(bytes(flipped), feed_id=FEED_ID, now=NOW)


@given(st.integers(0, 735))
def test_truncated_bytes_are_refused(length: int) -> None:
    """Z6: a report cut anywhere is malformed."""
    assert fault_of(Verifier((signer_set(),)), report()[:length]) is Fault.MALFORMED


@given(st.binary(max_size=1_200))
def test_garbage_is_refused(garbage: bytes) -> None:
    """Z6: random bytes raise the one error, whatever they are."""
    assert fault_of(Verifier((signer_set(),)), garbage) is Fault.MALFORMED


def test_trailing_bytes_are_refused(verifier: Verifier) -> None:
    """Z6: an envelope has one form; bytes after it, or far too many, are malformed."""
    assert fault_of(verifier, report() + bytes(32)) is Fault.MALFORMED
    assert fault_of(verifier, report() + bytes(20_000)) is Fault.MALFORMED


@pytest.mark.parametrize("signers", [(0,), (0, 1, 2), ()])
def test_not_exactly_f_plus_one_signatures(verifier: Verifier, signers: tuple[int, ...]) -> None:
    """Z6: f signatures are too few, and f+2 are refused as the contract refuses them."""
    assert fault_of(verifier, report(signers)) is Fault.WRONG_SIGNATURE_COUNT


def test_uneven_columns_of_signatures(verifier: Verifier) -> None:
    """Z6: two r and one s are not two signatures."""
    body = blob()
    context = (CONFIG_DIGEST, bytes(32), bytes(32))
    uneven = abi.encode(
        ["bytes32[3]", "bytes", "bytes32[]", "bytes32[]", "bytes32"],
        [context, body, [bytes(32)] * 2, [bytes(32)], bytes(32)],
    )
    assert fault_of(verifier, uneven) is Fault.WRONG_SIGNATURE_COUNT


def test_one_oracle_signing_twice(verifier: Verifier) -> None:
    """Z6: the same signature twice, and its malleable twin, count as one oracle."""
    assert fault_of(verifier, report((1, 1))) is Fault.DUPLICATE_SIGNER
    body, context = blob(), (CONFIG_DIGEST, bytes(32), bytes(32))
    signed = decode_envelope(assemble(context, body, [])).digest
    one = key(1).sign_recoverable(signed, hasher=None)
    twin_s = CURVE_ORDER - int.from_bytes(one[32:64], "big")
    twin = one[:32] + twin_s.to_bytes(32, "big") + bytes([one[64] ^ 1])
    assert fault_of(verifier, assemble(context, body, [one, twin])) is Fault.DUPLICATE_SIGNER


def test_a_stranger_among_the_signers(verifier: Verifier) -> None:
    """Z6: an oracle that is not of the configuration is refused."""
    assert fault_of(verifier, report((0, 9))) is Fault.UNKNOWN_SIGNER


def test_signatures_of_another_report(verifier: Verifier) -> None:
    """Z6: good signatures under other numbers recover strangers."""
    found = decode_envelope(report())
    signatures = [r + s + bytes([v]) for r, s, v in zip(found.rs, found.ss, found.vs, strict=False)]
    forged = assemble(found.context, blob(price=PRICE + 1), signatures)
    assert fault_of(verifier, forged) in (Fault.UNKNOWN_SIGNER, Fault.BAD_SIGNATURE)


def test_impossible_signatures(verifier: Verifier) -> None:
    """Z6: zeros and recovery ids beyond 3 are no signatures."""
    context = (CONFIG_DIGEST, bytes(32), bytes(32))
    assert fault_of(verifier, assemble(context, blob(), [bytes(65)] * 2)) is Fault.BAD_SIGNATURE
    signed = decode_envelope(assemble(context, blob(), [])).digest
    wrong = [key(number).sign_recoverable(signed, hasher=None)[:64] + b"\x07" for number in (0, 1)]
    assert fault_of(verifier, assemble(context, blob(), wrong)) is Fault.BAD_SIGNATURE


def test_another_config_digest(verifier: Verifier) -> None:
    """Z6: a configuration we do not know, and a known one put over the signatures of another."""
    other = bytes.fromhex("0006" + "d1" * 30)
    assert fault_of(verifier, envelope(blob(), [0, 2], digest=other)) is Fault.UNKNOWN_CONFIG
    both = Verifier((signer_set(), signer_set(7, 2, other)))
    found = decode_envelope(envelope(blob(), [0, 2]))
    signatures = [r + s + bytes([v]) for r, s, v in zip(found.rs, found.ss, found.vs, strict=False)]
    moved = assemble((other, found.context[1], found.context[2]), found.blob, signatures)
    assert fault_of(both, moved) is Fault.WRONG_SIGNATURE_COUNT
    assert both.verify(envelope(blob(), [0, 1, 2], digest=other), feed_id=FEED_ID, now=NOW).report.price == PRICE


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"observed_at": NOW + 6, "valid_from": NOW}, Fault.FUTURE),
        ({"observed_at": NOW - 90_000, "valid_from": NOW - 90_000, "expires_at": NOW - 1}, Fault.EXPIRED),
        ({"valid_from": NOW + 1}, Fault.DISORDERED_TIMES),
        ({"expires_at": NOW - 1}, Fault.DISORDERED_TIMES),
        ({"price": 0}, Fault.NOT_POSITIVE),
        ({"price": -PRICE}, Fault.NOT_POSITIVE),
        ({"observed_at": 2**32}, Fault.OUT_OF_RANGE),
        ({"expires_at": NOW * 1000}, Fault.OUT_OF_RANGE),
        ({"native_fee": 2**192}, Fault.OUT_OF_RANGE),
        ({"price": 2**191}, Fault.OUT_OF_RANGE),
        ({"ask": -(2**191) - 1}, Fault.OUT_OF_RANGE),
    ],
)
def test_signed_nonsense_is_refused(verifier: Verifier, fields: dict[str, int], fault: Fault) -> None:
    """Z6, A7: good signatures do not excuse times out of order, the future, expiry, or impossible numbers."""
    assert fault_of(verifier, report(**fields)) is fault


def test_times_at_their_limits(verifier: Verifier) -> None:
    """A7: five seconds ahead, the last second before expiry, and our own age limit are all inclusive."""
    verifier.verify(report(observed_at=NOW + 5), feed_id=FEED_ID, now=NOW)
    verifier.verify(report(expires_at=NOW), feed_id=FEED_ID, now=NOW)
    verifier.verify(report(), feed_id=FEED_ID, now=NOW + 30, age_max_seconds=30)
    assert fault_of(verifier, report(), now=NOW + 31, age=30) is Fault.TOO_OLD


def test_another_stream_or_schema(verifier: Verifier) -> None:
    """Z6: the stream must be the one asked for, and its schema the crypto one."""
    other = bytes.fromhex("0003" + "77" * 30)
    assert fault_of(verifier, report(feed_id=other)) is Fault.WRONG_FEED
    for schema in ("0002", "0004"):
        assert fault_of(verifier, report(feed_id=bytes.fromhex(schema + "5e" * 30))) is Fault.WRONG_SCHEMA
    short = envelope(abi.encode(WORDS[:-1], [FEED_ID, *[1] * 7]), [0, 1])
    assert fault_of(verifier, short) is Fault.MALFORMED


def test_sides_are_ordered_and_enclose_the_price() -> None:
    """A7: swapped names are put right; sides that do not enclose the price are not used."""
    assert decode_v3(blob(bid=PRICE + 5, ask=PRICE - 5)).sides == (PRICE - 5, PRICE + 5)
    assert decode_v3(blob(bid=PRICE, ask=PRICE)).sides == (PRICE, PRICE)
    assert decode_v3(blob(bid=PRICE + 1, ask=PRICE + 5)).sides is None
    assert decode_v3(blob(bid=0, ask=PRICE + 5)).sides is None


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"config_digest": "0x12"}, "32 bytes"),
        ({"signers": ("0x12",)}, "20 bytes"),
        ({"signers": tuple(address(key(0)) for _ in range(4))}, "differ"),
        ({"signers": tuple(address(key(number)) for number in range(3))}, "4 to 31"),
        ({"f": 0}, "f = 0"),
        ({"signers": tuple(address(key(number)) for number in range(32))}, "4 to 31"),
    ],
)
def test_signer_sets_that_could_not_be(more: dict[str, Any], message: str) -> None:
    """Z6: a set needs more than 3f distinct signers, at most 31."""
    good: dict[str, Any] = {
        "config_digest": CONFIG_DIGEST.hex(),
        "f": 1,
        "signers": tuple(address(key(number)) for number in range(4)),
    }
    with pytest.raises(ValueError, match=message):
        SignerSet(**(good | more))
