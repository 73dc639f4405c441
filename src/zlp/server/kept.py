"""Answers about the whole venue that serve everybody who asks, so that a crowd of pages costs what one costs.

Each names the sequence it is of, however old it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from zlp.node import Node

QUESTIONS = 256
"""So many answers are kept of a read."""


class _Answer(NamedTuple):
    value: Any
    of: tuple[int, int]
    made: float
    took: float


class Kept:
    """The newest answers of one read, by node and question."""

    def __init__(self) -> None:
        self._answers: WeakKeyDictionary[Node, dict[Any, _Answer]] = WeakKeyDictionary()

    def find(self, node: Node, question: Any, seconds: float, share: int = 0) -> Any:
        """An answer at most so old, or as old as one likes if nothing has happened since; else ``None``.

        With ``share``, one that took long to make serves so many times that long, so that making them takes only a
        part of the processor.
        """
        found = self._answers.get(node, {}).get(question)
        if found is None:
            return None
        serves = time.monotonic() - found.made < max(seconds, share * found.took)
        return found.value if serves or found.of == _moment(node) else None

    def make(self, node: Node, question: Any, work: Callable[[], Any]) -> Any:
        """Answer anew, and keep it."""
        of, started = _moment(node), time.monotonic()
        value = work()
        made = time.monotonic()
        answers = self._answers.setdefault(node, {})
        if len(answers) >= QUESTIONS:
            answers.clear()
        answers[question] = _Answer(value, of, made, made - started)
        return value


def _moment(node: Node) -> tuple[int, int]:
    """What the state and its prices' ages depend on."""
    return node.root.sequence, node.now()
