"""Recovering signers off the event loop: libsecp256k1 releases the interpreter lock, so a thread truly helps.

A lone signature is recovered at once, which is faster than waking a thread. Signatures that come together go to the
pool in one piece, so that the hop between threads is paid once for all of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from zlp import signing

Outcome = str | signing.SignatureRefused


class _Waiting(NamedTuple):
    intent: signing.Intent
    signature: bytes
    reply: asyncio.Future[str]


class Verifier:
    """Checks intents against one venue's identity. ``spent`` is told the seconds of each computation."""

    def __init__(self, identity: str, *, threads: int = 1, spent: Callable[[float], None] | None = None) -> None:
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
        waiting, self._waiting = self._waiting, []
        if len(waiting) == 1 or not self._threads:
            _settle(waiting, self._recover(waiting))
            return
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
