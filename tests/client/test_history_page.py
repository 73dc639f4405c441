"""Every Python block of the page on history runs against a living venue."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.client.living import KEY, living
from zlp.client import Signer
from zlp.server.history import LISTS

PAGE = (Path(__file__).parents[2] / "docs" / "history.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


async def test_the_documented_examples_run(tmp_path) -> None:
    """What the page shows is what happens, in the order of a bot's day: trade, read, reckon."""
    async with living("zeus", tmp_path) as venue:
        await venue.fund(Signer(KEY))
        for source in sorted(BLOCKS, key=lambda block: "ZlpExchange" not in block):
            text = source.replace("http://127.0.0.1:8420", venue.address).replace(
                "0xYOUR_PRIVATE_KEY", "0x" + KEY.hex()
            )
            if "/returns" in text:
                await measured_twice(venue)
            await asyncio.to_thread(exec, compile(text, "docs/history.md", "exec"), {"__name__": "example"})


async def measured_twice(venue) -> None:
    """Ask for what the node asks for once a minute."""
    from zlp.engine.commands.liquidity import MeasurePool

    for _ in range(2):
        await venue.node.command("anybody", MeasurePool(pool="main"), local="test")
        await asyncio.sleep(1.1)


def test_the_page_names_every_list() -> None:
    """None is hidden."""
    missing = [path for path, *_ in LISTS if f"`{path}`" not in PAGE]
    assert missing == []


@pytest.mark.parametrize("source", BLOCKS, ids=range(len(BLOCKS)))
def test_examples_read_like_programs(source: str) -> None:
    """They compile as they stand."""
    compile(source, "docs/history.md", "exec")
