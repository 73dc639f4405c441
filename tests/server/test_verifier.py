"""Signers are recovered the same way in place and on threads, in any company."""

import asyncio

import pytest

from tests.journal.venue_log import ALICE, IDENTITY, KEY
from zlp import signing
from zlp.server.verifier import Verifier


def signed(number: int) -> tuple[signing.Intent, bytes]:
    """An intent by Alice."""
    intent = signing.Intent(account=ALICE, commands=(b"{}",), nonce=number, deadline=1)
    return intent, signing.sign(signing.digest(signing.domain_separator(IDENTITY), intent), KEY)


@pytest.mark.parametrize("threads", [0, 1, 2])
async def test_many_at_once_each_get_their_own_answer(threads: int) -> None:
    """A2: good, foreign and broken signatures mixed; nobody gets another's answer."""
    spent: list[float] = []
    verifier = Verifier(IDENTITY, threads=threads, spent=spent.append)
    asked = []
    for number in range(100):
        intent, signature = signed(number)
        if number % 10 == 3:
            signature = bytes(65)
        if number % 10 == 5:
            signature = signed(number + 1)[1]
        asked.append(verifier.signer_of(intent, signature))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for number, answer in enumerate(answers):
        if number % 10 == 3:
            assert isinstance(answer, signing.SignatureRefused)
        else:
            assert (answer == ALICE) == (number % 10 != 5)
    assert sum(spent) > 0
    assert await verifier.signer_of(*signed(1)) == ALICE
    verifier.close()
