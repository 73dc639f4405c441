"""The venue's doors are tested on the loop they run on."""

import asyncio

import pytest
import uvloop


@pytest.fixture(scope="session")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """What pytest-asyncio makes its loops by."""
    return uvloop.EventLoopPolicy()
