"""Every Python block of the API's page runs against a real venue."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.journal.venue_log import KEY
from tests.server.running import running
from zlp.server.channels import CHANNELS

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("source", BLOCKS, ids=range(len(BLOCKS)))
async def test_a_documented_example_runs(source: str) -> None:
    """What the page shows is what happens; only the address and the key are the reader's own."""
    async with running() as venue:
        source = source.replace("http://127.0.0.1:8420", venue.address).replace("0xYOUR_PRIVATE_KEY", "0x" + KEY.hex())
        await asyncio.to_thread(exec, compile(source, "docs/api.md", "exec"), {"__name__": "example"})


def test_the_page_names_every_channel() -> None:
    """None is hidden, none is invented."""
    listed = re.search(r"^Channels: (.*?)\. ", PAGE, re.MULTILINE)
    assert listed is not None
    assert re.findall(r"`(\w+)`", listed[1]) == list(CHANNELS)
