"""Waiting for what another task will do."""

import asyncio
from collections.abc import Callable

LIMIT_SECONDS = 10.0
LOOK_SECONDS = 0.005


async def eventually(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; fail the test after ten seconds."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while not condition():  # noqa: ASYNC110 - the condition belongs to code that knows no event
            await asyncio.sleep(LOOK_SECONDS)
