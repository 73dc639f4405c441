"""The answers that the API's description shows are those of a running venue."""

from __future__ import annotations

from pathlib import Path

from tests.server.answers import fits, gathered
from zlp.server.examples import ANSWERS


async def test_every_request_is_shown_with_an_answer_of_its_shape(tmp_path: Path) -> None:
    """A4: every read and every post; recorded anew by `python -m tests.server.answers` where a shape has changed."""
    real = await gathered(tmp_path)
    assert ANSWERS.keys() == real.keys()
    assert [request for request, answer in real.items() if not fits(ANSWERS[request], answer)] == []
    empty = [request for request, answer in ANSWERS.items() if isinstance(answer, dict) and answer.get("items") == []]
    assert empty == []


def test_a_shape_is_more_than_a_name() -> None:
    """What would pass for any answer holds nothing."""
    shown = {"items": [{"price": "1"}], "next": None}
    assert fits(shown, {"items": [{"price": "2"}, {"price": "3"}], "next": "4"})
    for other in ({"items": [{"cost": "1"}], "next": None}, {"items": [{"price": 1}], "next": None}, {"items": []}):
        assert not fits(shown, other)
    assert not fits({"items": []}, {"items": [{"price": "1"}]})
