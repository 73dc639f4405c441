"""Recovering signers, on the event loop or beside it.

libsecp256k1 releases the interpreter lock, so threads help where cores are free: signatures that come together go to
the pool in one piece, so that the hop between threads is paid once. With two cores there is none free (the journal
has the other), and recovering in place is faster; `python -m bench.venue` measures both. A lone signature is always
recovered in place.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from zlp import signing

Outcome = str | signing.SignatureRefused


def spare_threads() -> int:
    """Threads that would have a core of their own, beside the event loop and the journal; two at most."""
    return max(0, min(2, (os.cpu_count() or 1) - 2))


class _Waiting(NamedTuple):
    intent: signing.Intent
    signature: bytes
    reply: asyncio.Future[str]


class Verifier:
    """Checks intents against one venue's identity. ``spent`` is told the seconds of each computation."""

    def __init__(self, identity: str, *, threads: int = 0, spent: Callable[[float], None] | None = None) -> None:
        signing.require_fast_backend()
        self._separator = signing.domain_separator(identity)
        self._threads = threads
        self._pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="recover")
        self._waiting: list[_Waiting] = []
        self._busy = 0
        self._scheduled = False
        self._spent = spent

    async def signer_of(self, intent: signing.Intent, signature: bytes) -> str:
        """The address that signed ``intent`` for this venue; ``SignatureRefused`` if none did."""
        if not self._threads:
            (outcome,) = self._recover([(intent, signature)])
            if isinstance(outcome, str):
                return outcome
            raise outcome
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[str] = loop.create_future()
        self._waiting.append(_Waiting(intent, signature, reply))
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._flush)
        return await reply

    def _flush(self) -> None:
        self._scheduled = False
        if not self._waiting or self._busy >= self._threads:
            return  # a thread that finishes flushes again
        waiting, self._waiting = self._waiting, []
        asked = [(item.intent, item.signature) for item in waiting]
        if len(waiting) == 1:
            _settle(waiting, self._recover(asked))
            return
        self._busy += 1
        job = asyncio.get_running_loop().run_in_executor(self._pool, self._recover, asked)
        job.add_done_callback(lambda done: self._finish(waiting, done.result()))

    def _finish(self, waiting: list[_Waiting], outcomes: list[Outcome]) -> None:
        self._busy -= 1
        _settle(waiting, outcomes)
        self._flush()

    def _recover(self, asked: list[tuple[signing.Intent, bytes]]) -> list[Outcome]:
        started = time.perf_counter()
        outcomes: list[Outcome] = []
        for intent, signature in asked:
            try:
                outcomes.append(signing.recover(signing.digest(self._separator, intent), signature))
            except signing.SignatureRefused as refused:
                outcomes.append(refused)
        if self._spent is not None:
            self._spent(time.perf_counter() - started)
        return outcomes

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _settle(waiting: list[_Waiting], outcomes: list[Outcome]) -> None:
    for item, outcome in zip(waiting, outcomes, strict=True):
        if item.reply.done():
            continue
        if isinstance(outcome, str):
            item.reply.set_result(outcome)
        else:
            item.reply.set_exception(outcome)
