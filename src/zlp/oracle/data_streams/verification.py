"""Verification of a report as the on-chain verifier does it: exactly f+1 distinct oracles of a known config."""

import msgspec
from coincurve import PublicKey
from eth_hash.auto import keccak

from zlp.oracle.data_streams.report import Envelope, Fault, ReportError, ReportV3, decode_envelope, decode_v3

ORACLES_MAX = 31
CLOCK_SKEW_SECONDS = 5


class SignerSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The oracles of one configuration: its digest, how many may be faulty (`f`), and their addresses (hex).

    They are published in the `ConfigSet` events of the verifier contract; `zlp oracle signers` reads them.
    """

    config_digest: str
    f: int
    signers: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(_bytes(self.config_digest)) != 32:
            raise ValueError(f"config_digest {self.config_digest!r} is not 32 bytes in hex")
        if any(len(_bytes(signer)) != 20 for signer in self.signers):
            raise ValueError("a signer is an address: 20 bytes in hex")
        if len(set(map(_bytes, self.signers))) != len(self.signers):
            raise ValueError("the signers must differ")
        if not self.f >= 1 or not 3 * self.f < len(self.signers) <= ORACLES_MAX:
            raise ValueError(f"with f = {self.f} there are {3 * self.f + 1} to {ORACLES_MAX} signers")


class VerifiedReport(msgspec.Struct, frozen=True):
    """A report that passed every check; `digest` (hex) is what its signers signed, `full_report` its proof."""

    report: ReportV3
    digest: str
    full_report: bytes


class Verifier:
    """Knows the signer sets that may sign; several, because a network changes its oracles while it runs."""

    def __init__(self, signer_sets: tuple[SignerSet, ...]) -> None:
        self._sets = {
            _bytes(one.config_digest): (one.f + 1, frozenset(map(_bytes, one.signers))) for one in signer_sets
        }

    def verify(
        self, full_report: bytes, *, feed_id: bytes, now: int, age_max_seconds: int | None = None
    ) -> VerifiedReport:
        """Decode and check one report. Raises `ReportError` with the first fault in the order of `Fault`.

        `now` is our clock in seconds; a report may be up to 5 s ahead of it. `age_max_seconds` is our own
        limit, apart from the report's expiry.
        """
        envelope = decode_envelope(full_report)
        report = decode_v3(envelope.blob)
        if report.feed_id != feed_id:
            raise ReportError(Fault.WRONG_FEED, f"asked for 0x{feed_id.hex()}, got 0x{report.feed_id.hex()}")
        self._check_signatures(envelope)
        _check_times(report, now, age_max_seconds)
        if report.price <= 0:
            raise ReportError(Fault.NOT_POSITIVE, f"the price is {report.price}")
        return VerifiedReport(report, envelope.digest.hex(), full_report)

    def _check_signatures(self, envelope: Envelope) -> None:
        known = self._sets.get(envelope.config_digest)
        if known is None:
            raise ReportError(Fault.UNKNOWN_CONFIG, f"no signer set for config 0x{envelope.config_digest.hex()}")
        needed, signers = known
        if len(envelope.rs) != needed or len(envelope.ss) != needed:
            count = f"{len(envelope.rs)} and {len(envelope.ss)}"
            raise ReportError(Fault.WRONG_SIGNATURE_COUNT, f"{count} signature halves, exactly {needed} needed")
        seen: set[bytes] = set()
        for signer in recover_signers(envelope):
            if signer not in signers:
                raise ReportError(Fault.UNKNOWN_SIGNER, f"0x{signer.hex()} is not an oracle of this config")
            if signer in seen:
                raise ReportError(Fault.DUPLICATE_SIGNER, f"0x{signer.hex()} signed twice")
            seen.add(signer)


def reverify(verifier: Verifier, digest: str, full_report: bytes, received_at: int) -> str:
    """Check an archived report as of its receipt: that it verifies and is the one a command named by digest.

    Returns what is wrong, or an empty string.
    """
    try:
        envelope = decode_envelope(full_report)
        verified = verifier.verify(full_report, feed_id=envelope.blob[:32], now=received_at)
    except ReportError as error:
        return str(error)
    return "" if verified.digest == digest else f"its digest is {verified.digest}"


def recover_signers(envelope: Envelope) -> list[bytes]:
    """The addresses (20 bytes) that made the signatures, in order. Raises `ReportError` for an impossible one."""
    digest, signers = envelope.digest, []
    for r, s, v in zip(envelope.rs, envelope.ss, envelope.vs[: len(envelope.rs)], strict=True):
        if v > 1:  # the contract adds 27 and its ecrecover knows only 27 and 28
            raise ReportError(Fault.BAD_SIGNATURE, f"the recovery id is {v}")
        try:
            key = PublicKey.from_signature_and_message(r + s + bytes([v]), digest, hasher=None)
        except ValueError as error:
            raise ReportError(Fault.BAD_SIGNATURE, "a signature is not a point of the curve") from error
        signers.append(bytes(keccak(key.format(compressed=False)[1:])[-20:]))
    return signers


def _check_times(report: ReportV3, now: int, age_max_seconds: int | None) -> None:
    if not report.valid_from <= report.observed_at <= report.expires_at:
        raise ReportError(Fault.DISORDERED_TIMES, "it is not valid_from <= observed_at <= expires_at")
    if report.observed_at > now + CLOCK_SKEW_SECONDS:
        raise ReportError(Fault.FUTURE, f"observed {report.observed_at - now} s from now")
    if now > report.expires_at:
        raise ReportError(Fault.EXPIRED, f"expired {now - report.expires_at} s ago")
    if age_max_seconds is not None and now - report.observed_at > age_max_seconds:
        raise ReportError(Fault.TOO_OLD, f"observed {now - report.observed_at} s ago, the limit is {age_max_seconds}")


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
