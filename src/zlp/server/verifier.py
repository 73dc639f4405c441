"""Recovering signers, on the event loop or beside it.

libsecp256k1 releases the interpreter lock, so threads help where cores are free: signatures that come together go to
the pool in one piece, so that the hop between threads is paid once. With two cores there is none free (the journal
has the other), and recovering in place is faster; `python -m bench.venue` measures both. Then a few are done at a
time, so that the loop is never held for long. A lone signature is always recovered in place.
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
IN_PLACE = 16
"""Signatures recovered on the event loop before others get their turn: about a millisecond."""


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
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[str] = loop.create_future()
        self._waiting.append(_Waiting(intent, signature, reply))
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._flush)
        return await reply

    def _flush(self) -> None:
        self._scheduled = False
        if not self._waiting or self._busy >= max(1, self._threads):
            return  # a thread that finishes flushes again
        if len(self._waiting) == 1 or not self._threads:
            waiting, self._waiting = self._waiting[:IN_PLACE], self._waiting[IN_PLACE:]
            _settle(waiting, self._recover(waiting))
            if self._waiting:
                self._scheduled = True
                asyncio.get_running_loop().call_soon(self._flush)
            return
        waiting, self._waiting = self._waiting, []
        self._busy += 1
        job = asyncio.get_running_loop().run_in_executor(self._pool, self._recover, waiting)
        job.add_done_callback(lambda done: self._finish(waiting, done.result()))

    def _finish(self, waiting: list[_Waiting], outcomes: list[Outcome]) -> None:
        self._busy -= 1
        _settle(waiting, outcomes)
        self._flush()

    def _recover(self, waiting: list[_Waiting]) -> list[Outcome]:
        started = time.perf_counter()
        outcomes: list[Outcome] = []
        for intent, signature, _ in waiting:
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
