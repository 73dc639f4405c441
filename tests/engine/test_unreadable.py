"""A refusal of unreadable text is in our own words, and the same with every version of every library (Z5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zlp.engine.codec import decode_command, decode_plain, decode_settings, wire
from zlp.engine.commands.custody import Transfer
from zlp.engine.rejections import Code, Reject
from zlp.engine.unreadable import NESTING_LIMIT, is_too_deep

DEEP = "[" * 5_000 + "]" * 5_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        (b"\xff", "not JSON"),
        ("[1]", "not an object"),
        ('{"token": "USDC"}', "its type is missing or unknown"),
        ('{"type": 7}', "its type is missing or unknown"),
        ('{"type": "Steal"}', "its type is missing or unknown"),
        ('{"type": "Transfer", "token": "USDC", "to": "bob"}', "Transfer: amount is missing"),
        ('{"type": "Transfer", "token": "USDC", "to": "bob", "amount": "many"}', "Transfer: amount is not of its type"),
        ('{"type": "Transfer", "token": "USDC", "to": 5, "amount": "1"}', "Transfer: to is not of its type"),
        ('{"type": "Transfer", "gift": true}', "Transfer: there is no field gift"),
        (f'{{"gift": {DEEP}, "type": "Transfer"}}', "nested deeper than 32"),
    ],
)
def test_a_refused_command_says_what_is_wrong(text: str | bytes, said: str) -> None:
    """Z5: code and wording are fixed, however deep or broken the text is."""
    with pytest.raises(Reject) as refused:
        decode_command(text)
    assert (refused.value.rejection.code, refused.value.rejection.detail) == (Code.MALFORMED_COMMAND, said)


def test_settings_and_plain_values_are_refused_in_the_same_words() -> None:
    """Z5: governance's texts too."""
    with pytest.raises(Reject) as refused:
        decode_settings('{"type": "PriceSettings"}')
    assert refused.value.rejection.code is Code.INVALID_SETTING
    assert refused.value.rejection.detail == "PriceSettings: asset is missing"
    for text, said in (("tru", "not JSON"), (DEEP, "nested deeper than 32")):
        with pytest.raises(Reject) as refused:
            decode_plain(text, Code.UNKNOWN_SETTING)
        assert (refused.value.rejection.code, refused.value.rejection.detail) == (Code.UNKNOWN_SETTING, said)
    assert decode_plain('{"a": [1, "2"]}', Code.UNKNOWN_SETTING) == {"a": [1, "2"]}


@given(st.text(max_size=200))
def test_brackets_inside_strings_do_not_nest(name: str) -> None:
    """A command whose texts are full of brackets, quotes and escapes is read as it is."""
    command = Transfer(token="[" * 100, to=name + '\\"{[' * 40, amount=1)
    try:
        text = wire(command)
    except UnicodeError:
        return  # a lone surrogate can't be written at all
    assert decode_command(text) == command


@given(st.integers(1, 200), st.sampled_from(["[", '{"a":']))
def test_the_limit_is_exact(depth: int, bracket: str) -> None:
    """So many brackets inside each other and not one more."""
    text = bracket * depth + "1" + ("]" if bracket == "[" else "}") * depth
    assert is_too_deep(text) is (depth > NESTING_LIMIT)
    assert is_too_deep(f"[{text}]") is (depth >= NESTING_LIMIT)
    wide = "[" + ",".join(["[]"] * depth) + "]"
    assert not is_too_deep(wide)
