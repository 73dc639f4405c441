"""A small venue's log for tests of the journal: founding, tokens, deposits, signed transfers."""

from collections.abc import Iterator

from zlp import __version__, signing
from zlp.engine import Envelope, Root
from zlp.engine.codec import decode_command, wire
from zlp.engine.commands.custody import Deposit, Transfer
from zlp.engine.commands.governance import BranchCut, Configure, Found, GrantRole, UpgradeBranches
from zlp.journal import Evidence, Header, Record
from zlp.journal.record import envelope_text, evidence_text, key_of

IDENTITY = "test venue"
PROFILE_HASH = "ab" * 32
GOVERNOR = "0x" + "01" * 20
HEADER = Header(identity=IDENTITY, profile_hash=PROFILE_HASH, engine_version=__version__)
KEY = bytes(range(1, 33))
ALICE = signing.address_of(KEY)
BOB = "0x" + "0b" * 20
START = 1_700_000_000

FOUNDING = (
    Found(identity=IDENTITY, profile="Test", profile_hash=PROFILE_HASH, engine_version=__version__, governor=GOVERNOR),
    UpgradeBranches(cuts=(BranchCut(action="add", branch="custody", version=1),)),
    GrantRole(role="bridge", holder=GOVERNOR),
    Configure(settings='{"type":"Token","symbol":"USDC","decimals":6,"faucet_limit":1000000000}'),
    Deposit(account=ALICE, token="USDC", amount=10**12),
)


def records(signed: int, *, root: Root | None = None, batch: int = 1) -> Iterator[Record]:
    """The founding, then ``signed`` intents of ``batch`` transfers each by Alice; every third one is too big."""
    root = root or Root()
    for command in FOUNDING:
        envelope = Envelope(time=START, account=GOVERNOR, command=command)
        yield record(root, envelope, wire(command), Evidence(local="genesis"))
    for number in range(signed):
        amount = 10**15 if number % 3 == 2 else number + 1
        texts = tuple(wire(Transfer(token="USDC", to=BOB, amount=amount + index)) for index in range(batch))
        yield from intent_records(root, texts, nonce=START * 1_000 + number)


def intent_records(root: Root, texts: tuple[bytes, ...], nonce: int) -> Iterator[Record]:
    """Sign the commands as one intent and apply them."""
    intent = signing.Intent(account=ALICE, commands=texts, nonce=nonce, deadline=START + 60)
    signature = signing.sign(signing.digest(signing.domain_separator(IDENTITY), intent), KEY)
    first = root.sequence + 1
    for index, text in enumerate(texts):
        evidence = Evidence(intent=first)
        if index == 0:
            evidence = Evidence(
                signature="0x" + signature.hex(), nonce=str(nonce), deadline=str(START + 60), count=len(texts)
            )
        envelope = Envelope(
            time=START, account=ALICE, command=decode_command(text), nonce=0 if index else nonce, deadline=START + 60
        )
        yield record(root, envelope, text, evidence, key_of(ALICE, nonce, "") if index == 0 else b"")


def record(root: Root, envelope: Envelope, text: bytes, evidence: Evidence, key: bytes = b"") -> Record:
    """Apply and record."""
    receipt = root.apply(envelope)
    return Record(
        receipt.sequence,
        START * 10**9 + receipt.sequence,
        envelope_text(envelope, text),
        evidence_text(evidence),
        receipt.digest,
        wire(receipt),
        key,
    )
