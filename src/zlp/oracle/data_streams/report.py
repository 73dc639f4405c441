"""The bytes of a Data Streams report: the signed envelope, and the crypto schema (v3) inside it.

Sources: the public report schema pages, and the verifier contract for what is signed. Two reports published
by Chainlink, which recover to the same two oracles, are among the tests.
"""

from enum import StrEnum

import msgspec
from eth_abi import abi
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak

from zlp.oracle.observation import FeedError

ENVELOPE_TYPES = ("bytes32[3]", "bytes", "bytes32[]", "bytes32[]", "bytes32")
# Words, not the documented uint32 and int192: ranges are checked here, so that each breach has its own name.
V3_TYPES = ("bytes32", "uint256", "uint256", "uint256", "uint256", "uint256", "int256", "int256", "int256")
V3_SCHEMA = 3
V3_BYTES = 32 * len(V3_TYPES)
TIME_LIMIT = 2**32
FEE_LIMIT = 2**192
PRICE_LIMIT = 2**191
ENVELOPE_BYTES_MAX = 16_384


class Fault(StrEnum):
    """Why a report is refused. The order is the order of the checks."""

    MALFORMED = "malformed"
    WRONG_SCHEMA = "wrong_schema"
    OUT_OF_RANGE = "out_of_range"
    WRONG_FEED = "wrong_feed"
    UNKNOWN_CONFIG = "unknown_config"
    WRONG_SIGNATURE_COUNT = "wrong_signature_count"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_SIGNER = "unknown_signer"
    DUPLICATE_SIGNER = "duplicate_signer"
    DISORDERED_TIMES = "disordered_times"
    FUTURE = "future"
    EXPIRED = "expired"
    TOO_OLD = "too_old"
    NOT_POSITIVE = "not_positive"


class ReportError(FeedError):
    """A report is refused; `fault` says by which check."""

    def __init__(self, fault: Fault, detail: str) -> None:
        self.fault = fault
        super().__init__(f"{fault}: {detail}")


class Envelope(msgspec.Struct, frozen=True):
    """A report as it travels: three context words, the report's bytes, and signatures in three columns.

    `context[0]` is the digest of the oracle configuration, `context[1]` holds epoch and round.
    """

    context: tuple[bytes, bytes, bytes]
    blob: bytes
    rs: tuple[bytes, ...]
    ss: tuple[bytes, ...]
    vs: bytes

    @property
    def config_digest(self) -> bytes:
        return self.context[0]

    @property
    def digest(self) -> bytes:
        """What the oracles sign, and what names the report in our commands: 32 bytes."""
        return bytes(keccak(keccak(self.blob) + b"".join(self.context)))


class ReportV3(msgspec.Struct, frozen=True):
    """The crypto schema. Prices are at the stream's own decimals, fees in wei and juels, times in seconds.

    `bid` and `ask` are as the report names them; use `sides` for the ordered pair.
    """

    feed_id: bytes
    valid_from: int
    observed_at: int
    native_fee: int
    link_fee: int
    expires_at: int
    price: int
    bid: int
    ask: int

    @property
    def sides(self) -> tuple[int, int] | None:
        """The lower and the upper side, or None where the price does not lie between them.

        The documentation describes the bid as the effect of a buy: the names are not trusted.
        """
        low, high = min(self.bid, self.ask), max(self.bid, self.ask)
        return (low, high) if 0 < low <= self.price <= high else None


def decode_envelope(full_report: bytes) -> Envelope:
    """Take an envelope apart. Refuses truncated, padded and otherwise non-canonical bytes."""
    if len(full_report) > ENVELOPE_BYTES_MAX:
        raise ReportError(Fault.MALFORMED, f"{len(full_report)} bytes are more than any report has")
    try:
        context, blob, rs, ss, vs = abi.decode(ENVELOPE_TYPES, full_report)
    except (DecodingError, OverflowError) as error:
        raise ReportError(Fault.MALFORMED, f"not an envelope ({type(error).__name__})") from error
    if abi.encode(ENVELOPE_TYPES, (context, blob, rs, ss, vs)) != full_report:
        raise ReportError(Fault.MALFORMED, "the envelope is not in canonical form")
    if any(vs[len(rs) :]):
        raise ReportError(Fault.MALFORMED, "there are recovery ids without signatures")
    return Envelope(context, blob, tuple(rs), tuple(ss), vs)


def schema_of(feed_id: bytes) -> int:
    """The report schema of a stream: the first two bytes of its id."""
    return int.from_bytes(feed_id[:2], "big")


def decode_v3(blob: bytes) -> ReportV3:
    """Take a v3 report apart and check that every field is in its documented range."""
    schema = schema_of(blob)
    if schema != V3_SCHEMA:
        raise ReportError(Fault.WRONG_SCHEMA, f"schema {schema} is not the crypto schema {V3_SCHEMA}")
    if len(blob) != V3_BYTES:
        raise ReportError(Fault.MALFORMED, f"a v3 report has {V3_BYTES} bytes, not {len(blob)}")
    report = ReportV3(*abi.decode(V3_TYPES, blob))
    for name in ("valid_from", "observed_at", "expires_at"):
        if getattr(report, name) >= TIME_LIMIT:
            raise ReportError(Fault.OUT_OF_RANGE, f"{name} is not a time in seconds (a sub-second stream?)")
    if max(report.native_fee, report.link_fee) >= FEE_LIMIT:
        raise ReportError(Fault.OUT_OF_RANGE, "a fee is beyond 192 bits")
    if any(not -PRICE_LIMIT <= price < PRICE_LIMIT for price in (report.price, report.bid, report.ask)):
        raise ReportError(Fault.OUT_OF_RANGE, "a price is beyond 192 bits")
    return report
