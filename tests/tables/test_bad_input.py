"""Bad input: every piece of it is answered with a stable code, and nothing changes (A4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.properties.venue import Venue
from zlp.engine import Command, Envelope
from zlp.engine.codec import decode_command, decode_envelope, decode_settings
from zlp.engine.commands import KINDS
from zlp.engine.commands.base import MalformedEnvelope
from zlp.engine.commands.custody import Deposit, Faucet, RequestWithdrawal, SettleWithdrawal, Transfer
from zlp.engine.commands.governance import Approve, Configure, GrantRole, Propose, SetParameter
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition, LiquidatePosition
from zlp.engine.commands.liquidity import Burn, Donate, Mint, Swap
from zlp.engine.commands.orders import CancelOrder, ExecuteOrder, ExecuteOrders, PlaceOrder
from zlp.engine.commands.prices import DisputePrices, FastPrice, PostPrices, PostRounds, Round
from zlp.engine.rejections import Code, Reject

MAIN = {"pool": "main"}
BOUND = 2**256
DEEP = "[" * 4_000
PRICED = '{"type":"Mint","pool":"main","token":"ETH","amount":'


@pytest.fixture(scope="module")
def venue() -> Venue:
    """One pool with prices, a rich trader and shares; nothing of what follows may change it."""
    found = Venue("zeus")
    found.post()
    found.ask("bridge", Deposit(account="ann", token="ETH", amount=10**21))
    found.ask("ann", Mint(**MAIN, token="ETH", amount=10**20))
    return found


def mint(amount: Any = 10**18, **fields: Any) -> Mint:
    """A mint that only the named field spoils."""
    return Mint(**{"pool": "main", "token": "ETH", "amount": amount, **fields})


def parameter(value: str, leaf: str = "PoolSettings", key: str = '["main"]', field: str = "cooldown") -> SetParameter:
    """A parameter change of the pool."""
    return SetParameter(leaf=leaf, key=key, field=field, value=value)


def asset(decimals: int) -> Configure:
    """The pool's ETH with other decimals."""
    fields = f'"pool":"main","token":"ETH","weight":1,"decimals":{decimals}'
    return Configure(settings=f'{{"type":"AssetSettings",{fields}}}')


def rounds(answer: Any, name: str = "ETH") -> PostRounds:
    """One round."""
    return PostRounds(rounds=(Round(name, answer),))


def fast(price: Any, timestamp: int) -> PostPrices:
    """One fast price."""
    return PostPrices(prices=(FastPrice("ETH", price),), timestamp=timestamp)


NUMBERS: list[tuple[str, Command, Code]] = [
    ("ann", mint(0), Code.ZERO_AMOUNT),
    ("ann", mint(-1), Code.AMOUNT_OUT_OF_RANGE),
    ("ann", mint(BOUND), Code.AMOUNT_OUT_OF_RANGE),
    ("ann", mint(BOUND - 1), Code.INSUFFICIENT_BALANCE),
    ("ann", mint(min_shares=BOUND), Code.AMOUNT_OUT_OF_RANGE),
    ("ann", mint(1.5), Code.MALFORMED_COMMAND),
    ("ann", mint(True), Code.MALFORMED_COMMAND),
    ("ann", mint(None), Code.MALFORMED_COMMAND),
    ("ann", mint("1"), Code.MALFORMED_COMMAND),
    ("ann", mint(1), Code.SHARES_BELOW_MINIMUM),
    ("ann", Burn(**MAIN, token="ETH", shares=-1), Code.AMOUNT_OUT_OF_RANGE),
    ("ann", Swap(**MAIN, path=("ETH", "BTC"), amount=-(10**18)), Code.AMOUNT_OUT_OF_RANGE),
    ("ann", Swap(**MAIN, path=("ETH", "BTC"), amount=10**400), Code.AMOUNT_OUT_OF_RANGE),
    ("ann", Donate(**MAIN, token="ETH", amount=0), Code.ZERO_AMOUNT),
    ("ann", Transfer(token="ETH", to="ben", amount=-1), Code.AMOUNT_OUT_OF_RANGE),
    ("ann", Transfer(token="ETH", to="ben", amount=0), Code.ZERO_AMOUNT),
    ("ann", RequestWithdrawal(token="ETH", amount=10**30, destination="x"), Code.INSUFFICIENT_BALANCE),
    ("ann", Faucet(token="ETH", amount=1), Code.FAUCET_CLOSED),
    ("bridge", Deposit(account="ann", token="ETH", amount=0), Code.ZERO_AMOUNT),
    ("bridge", Deposit(account="ann", token="ETH", amount=BOUND - 1), Code.AMOUNT_OUT_OF_RANGE),
    ("ann", PlaceOrder(action=PRICED + "-5}", fee=10**18), Code.AMOUNT_OUT_OF_RANGE),
    ("ann", PlaceOrder(action=PRICED + "5}", fee=0), Code.EXECUTION_FEE_TOO_SMALL),
    ("keeper", rounds(0), Code.INVALID_PRICE),
    ("keeper", rounds(-1), Code.AMOUNT_OUT_OF_RANGE),
    ("keeper", rounds(BOUND), Code.AMOUNT_OUT_OF_RANGE),
    ("keeper", rounds(1800.25), Code.MALFORMED_COMMAND),
    ("keeper", fast(0, 1_700_000_000), Code.INVALID_PRICE),
    ("keeper", fast(10**33, 0), Code.POST_TIME_TOO_OLD),
    ("keeper", fast(10**33, 2**63), Code.POST_TIME_TOO_NEW),
]

NAMES: list[tuple[str, Command, Code]] = [
    ("ann", mint(pool="none"), Code.UNKNOWN_POOL),
    ("ann", mint(token="DOGE"), Code.INSUFFICIENT_BALANCE),
    ("ann", mint(token="x" * 5_000), Code.MALFORMED_COMMAND),
    ("ann", mint(token=7), Code.MALFORMED_COMMAND),
    ("ann", Burn(**MAIN, token="DOGE", shares=10**18), Code.COOLDOWN_NOT_PASSED),
    ("ann", Burn(**MAIN, token="ETH", shares=10**18, to="pool:main"), Code.INVALID_ACCOUNT),
    ("ann", Swap(**MAIN, path=("ETH", "DOGE"), amount=1), Code.OUTPUT_NOT_LISTED),
    ("ann", Swap(**MAIN, path=("ETH", "ETH"), amount=1), Code.SAME_TOKEN),
    ("ann", Swap(**MAIN, path=(), amount=1), Code.INVALID_PATH),
    ("ann", Swap(**MAIN, path=("ETH",) * 1_025, amount=1), Code.MALFORMED_COMMAND),
    ("ann", Swap(**MAIN, path=["ETH", "BTC"], amount=1), Code.MALFORMED_COMMAND),
    ("ann", Swap(**MAIN, path=(1, 2), amount=1), Code.MALFORMED_COMMAND),
    ("ann", Swap(**MAIN, path=((("ETH",),),), amount=1), Code.MALFORMED_COMMAND),
    ("ann", Swap(**MAIN, path=("ETH", "BTC"), amount=1, to="fees:treasury"), Code.INVALID_ACCOUNT),
    ("ann", Transfer(token="DOGE", to="ben", amount=1), Code.UNKNOWN_TOKEN),
    ("ann", Transfer(token="ETH", to="", amount=1), Code.INVALID_ACCOUNT),
    ("ann", Transfer(token="ETH", to="pool:main", amount=1), Code.INVALID_ACCOUNT),
    ("ann", Transfer(token="ETH", to="a\x00b", amount=1), Code.INVALID_ACCOUNT),
    ("ann", Transfer(token="ZLP.debt", to="ben", amount=1), Code.TRANSFER_FORBIDDEN),
    ("bridge", Deposit(account="order:1", token="ETH", amount=1), Code.INVALID_ACCOUNT),
    ("bridge", Deposit(account="ann", token="DOGE", amount=1), Code.UNKNOWN_TOKEN),
    ("keeper", rounds(10**8, "DOGE"), Code.UNKNOWN_FEED),
    ("keeper", PostRounds(rounds=("ETH",)), Code.MALFORMED_COMMAND),
    ("keeper", PostRounds(rounds=(FastPrice("ETH", 1),)), Code.MALFORMED_COMMAND),
    ("keeper", PostRounds(rounds=(Round("ETH", 10**8),) * 1_025), Code.MALFORMED_COMMAND),
    ("keeper", ExecuteOrder(number=99), Code.UNKNOWN_ORDER),
    ("keeper", ExecuteOrder(number=1, reward_to="pool:main"), Code.INVALID_ACCOUNT),
    ("keeper", ExecuteOrders(numbers=(-1,)), Code.AMOUNT_OUT_OF_RANGE),
    ("ann", CancelOrder(number=99), Code.UNKNOWN_ORDER),
    ("bridge", SettleWithdrawal(withdrawal=99, paid=True), Code.UNKNOWN_WITHDRAWAL),
    ("bridge", SettleWithdrawal(withdrawal=99, paid=1), Code.MALFORMED_COMMAND),
    ("ann", IncreasePosition(**MAIN, market="ETH", collateral="ETH", is_long="yes"), Code.MALFORMED_COMMAND),
    (
        "keeper",
        LiquidatePosition(**MAIN, account="ann", market="ETH", collateral="ETH", is_long=True),
        Code.EMPTY_POSITION,
    ),
    (
        "keeper",
        LiquidatePosition(**MAIN, account="ann", market="DOGE", collateral="ETH", is_long=True),
        Code.UNKNOWN_FEED,
    ),
    (
        "ann",
        DecreasePosition(**MAIN, market="ETH", collateral="ETH", is_long=True, size_delta=1),
        Code.ACTION_NOT_IMMEDIATE,
    ),
]

AUTHORITY: list[tuple[str, Command, Code]] = [
    ("ann", Deposit(account="ann", token="ETH", amount=1), Code.ROLE_REQUIRED),
    ("ann", rounds(10**8), Code.ROLE_REQUIRED),
    ("price_signer", fast(10**33, 1_700_000_000), Code.ROLE_REQUIRED),
    ("keeper", DisputePrices(dispute=True), Code.ROLE_REQUIRED),
    ("ann", GrantRole(role="governor", holder="ann"), Code.ROLE_REQUIRED),
    ("ann", parameter("0"), Code.ROLE_REQUIRED),
    ("ann", Configure(settings=""), Code.ROLE_REQUIRED),
    ("ann", Propose(multisig="treasury", command="{}", expires=0), Code.NOT_A_MEMBER),
    ("ann", Approve(proposal=1), Code.UNKNOWN_PROPOSAL),
    ("pool:main", Transfer(token="ETH", to="ann", amount=1), Code.INVALID_ACCOUNT),
    ("multisig:treasury", Transfer(token="ETH", to="ann", amount=1), Code.INVALID_ACCOUNT),
    ("", Transfer(token="ETH", to="ann", amount=1), Code.INVALID_ACCOUNT),
]

TEXTS: list[tuple[str, Command, Code]] = [
    ("ann", PlaceOrder(action="", fee=10**18), Code.MALFORMED_COMMAND),
    ("ann", PlaceOrder(action=DEEP, fee=10**18), Code.MALFORMED_COMMAND),
    ("ann", PlaceOrder(action='{"type":"Mint"}', fee=10**18), Code.MALFORMED_COMMAND),
    ("ann", PlaceOrder(action='{"type":"CancelOrder","number":1}', fee=10**18), Code.ACTION_NOT_ALLOWED),
    ("ann", PlaceOrder(action='{"type":"Nothing"}', fee=10**18), Code.MALFORMED_COMMAND),
    ("treasurer-1", Propose(multisig="treasury", command=DEEP, expires=2**40), Code.MALFORMED_COMMAND),
    ("governor", Configure(settings=DEEP), Code.INVALID_SETTING),
    ("governor", Configure(settings='{"type":"Balance","owner":"ann"}'), Code.INVALID_SETTING),
    ("governor", Configure(settings='{"type":"Token","symbol":"X","decimals":37}'), Code.INVALID_SETTING),
    ("governor", Configure(settings='{"type":"Token","symbol":"X","decimals":-1}'), Code.INVALID_SETTING),
    ("governor", Configure(settings='{"type":"Token","symbol":"X","decimals":1.5}'), Code.INVALID_SETTING),
    ("governor", Configure(settings='{"type":"Token","symbol":"","decimals":6}'), Code.INVALID_SETTING),
    ("governor", Configure(settings='{"type":"Token","symbol":"ETH","decimals":6}'), Code.SETTING_IN_USE),
    ("governor", asset(6), Code.INVALID_SETTING),
    ("governor", asset(99), Code.INVALID_SETTING),
    ("governor", parameter(DEEP), Code.INVALID_SETTING),
    ("governor", parameter("-1"), Code.INVALID_SETTING),
    ("governor", parameter(str(BOUND)), Code.INVALID_SETTING),
    ("governor", parameter("1e400"), Code.INVALID_SETTING),
    ("governor", parameter("172801"), Code.INVALID_SETTING),
    ("governor", parameter('"an hour"'), Code.INVALID_SETTING),
    ("governor", parameter("1", key=DEEP), Code.UNKNOWN_SETTING),
    ("governor", parameter("1", key='["other"]'), Code.UNKNOWN_SETTING),
    ("governor", parameter("1", leaf="Balance"), Code.UNKNOWN_SETTING),
    ("governor", parameter("1", field="swap_fees.nothing"), Code.UNKNOWN_SETTING),
    ("governor", parameter('"other"', field="swap_fees.type"), Code.UNKNOWN_SETTING),
    ("governor", parameter('"other"', field="pool"), Code.INVALID_SETTING),
    ("governor", parameter("-10", "IsolatedSettings", field="opening_fee_bps"), Code.INVALID_SETTING),
    ("governor", parameter("10000", field="swap_fees.tax_bps"), Code.INVALID_SETTING),
]


@pytest.mark.parametrize(("account", "command", "code"), [*NUMBERS, *NAMES, *AUTHORITY, *TEXTS])
def test_bad_commands_are_rejected(venue: Venue, account: str, command: Command, code: Code) -> None:
    """A4, A5, A8: a stable code from `apply` and `quote` alike, and the same state as before."""
    before, sequence = venue.root.state_hash(), venue.root.sequence
    quoted = venue.root.quote(Envelope(time=venue.now, account=account, command=command)).receipt
    receipt = venue.root.apply(Envelope(time=venue.now, account=account, command=command))
    assert receipt.rejection is not None
    assert receipt.rejection.code == code
    assert receipt.events == ()
    assert venue.root.state_hash() == before
    assert venue.root.sequence == sequence + 1
    if code is not Code.ACTION_NOT_IMMEDIATE:
        assert quoted.rejection == receipt.rejection


ENVELOPES: list[tuple[dict[str, Any], Code]] = [
    ({"deadline": -1}, Code.DEADLINE_PASSED),
    ({"time": -1}, Code.TIME_WENT_BACK),
    ({"signer": "key"}, Code.AGENT_NOT_APPROVED),
    ({"nonce": 1}, Code.NONCE_OUT_OF_WINDOW),
    ({"nonce": 1_700_000_000_000 + 2 * 86_400_000}, Code.NONCE_OUT_OF_WINDOW),
]


@pytest.mark.parametrize(("fields", "code"), ENVELOPES)
def test_bad_envelopes_are_rejected(venue: Venue, fields: dict[str, Any], code: Code) -> None:
    """A2, A4: late, from the past, by a stranger's key or with a wild nonce: times are relative to now."""
    relative = {name: venue.now + value if value == -1 else value for name, value in fields.items()}
    before = venue.root.state_hash()
    receipt = venue.root.apply(Envelope(**{"time": venue.now, "account": "ann", "command": mint(), **relative}))
    assert receipt.rejection is not None
    assert receipt.rejection.code == code
    assert venue.root.state_hash() == before


@pytest.mark.parametrize(
    "fields",
    [
        {"time": 1.5},
        {"time": -5},
        {"time": 2**63},
        {"time": None},
        {"time": True},
        {"account": None},
        {"account": "a" * 5_000},
        {"account": "\ud800"},
        {"command": mint(token="\ud800")},
        {"command": mint(amount=object())},
        {"signer": 7},
        {"nonce": -1},
        {"nonce": "1"},
        {"deadline": 1.0},
        {"command": None},
        {"command": "Mint"},
        {"command": {"type": "Mint"}},
        {"command": Round("ETH", 1)},
    ],
)
def test_what_is_no_envelope_is_never_sequenced(venue: Venue, fields: dict[str, Any]) -> None:
    """A2: the log holds envelopes only; a caller's mistake raises, with the code, and the root stays where it was."""
    chain, sequence = venue.root.chain, venue.root.sequence
    envelope = Envelope(**{"time": venue.now, "account": "ann", "command": mint(), **fields})
    with pytest.raises(MalformedEnvelope) as raised:
        venue.root.apply(envelope)
    assert raised.value.code is Code.MALFORMED_COMMAND
    assert (venue.root.chain, venue.root.sequence) == (chain, sequence)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'"\xff"',
        DEEP.encode(),
        b'{"type":"Mint"' + b',"a":{"b":' * 2_000,
        b'{"type":"Nothing"}',
        b'{"pool":"main"}',
        b'{"type":"Mint","pool":"main","token":"ETH","amount":1.5}',
        b'{"type":"Mint","pool":"main","token":"ETH","amount":"1.5"}',
        b'{"type":"Mint","pool":"main","token":"ETH","amount":"abc"}',
        b'{"type":"Mint","pool":"main","token":"ETH","amount":true}',
        b'{"type":"Mint","pool":"main","token":"ETH","amount":null}',
        b'{"type":"Mint","pool":"main","token":"ETH","amount":NaN}',
        b'{"type":"Mint","pool":"main","token":"ETH","amount":1e999}',
        b'{"type":"Mint","pool":"main","token":"ETH","amount":' + b"9" * 5_000 + b"}",
        b'{"type":"Mint","pool":"main","token":"ETH","amount":"' + b"9" * 5_000 + b'"}',
        b'{"type":"Mint","pool":"main","token":"ETH","amount":"1","extra":1}',
        b'{"type":"Mint","pool":"main","token":"\\ud800","amount":"1"}',
        b'{"type":"Swap","pool":"main","path":"ETH","amount":"1"}',
    ],
)
def test_text_that_is_no_command_is_rejected(text: bytes) -> None:
    """A4: whatever arrives as text ends in `malformed_command` (or `invalid_setting`), never in another error."""
    with pytest.raises(Reject) as raised:
        decode_command(text)
    assert raised.value.rejection.code is Code.MALFORMED_COMMAND
    with pytest.raises(Reject) as refused:
        decode_settings(text)
    assert refused.value.rejection.code is Code.INVALID_SETTING


def test_text_that_is_no_envelope_is_rejected() -> None:
    """A4: the envelope around a command is decoded as strictly."""
    for text in (b"{}", b"[", DEEP.encode(), b'{"time":1.5,"account":"a","command":{}}', b"\xff"):
        with pytest.raises(Reject) as raised:
            decode_envelope(text)
        assert raised.value.rejection.code is Code.MALFORMED_COMMAND


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_field_of_any_command_takes_another_type(venue: Venue, kind: type[Command]) -> None:
    """A4: every field of every command, given a value of no sensible type, is refused before a branch sees it."""
    good: dict[str, Any] = {"int": 1, "Signed": 1, "str": "x", "bool": True}
    plain = {name: good.get(kind.__annotations__.get(name, ""), ()) for name in kind.__struct_fields__}
    for name in kind.__struct_fields__:
        for wrong in (1.5, object(), {"a": 1}, b"x"):
            command = kind(**{**plain, name: wrong})
            quote = venue.root.quote(Envelope(time=venue.now, account="ann", command=command))
            assert quote.receipt.rejection is not None
            assert quote.receipt.rejection.code is Code.MALFORMED_COMMAND, name
