"""The bot of docs/how-to-write-a-bot.md, as it is printed there, on every profile."""

import asyncio
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.client.living import KEY, Living, living
from zlp.client import Client, Signer
from zlp.client.trading import Trading

PAGE = (Path(__file__).parents[2] / "docs" / "how-to-write-a-bot.md").read_text(encoding="utf-8")
(BOT,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
PROFILES = ("zeus", "zeno", "zo", "zaros")


def loaded(venue: Living, name: str) -> dict[str, Any]:
    """The page's code as a module of this name; only the address and the key are the reader's own."""
    source = BOT.replace("http://127.0.0.1:8420", venue.address).replace("0xYOUR_PRIVATE_KEY", "0x" + KEY.hex())
    module: dict[str, Any] = {"__name__": name}
    exec(compile(source, "how-to-write-a-bot.md", "exec"), module)
    return module


async def drift(venue: Living) -> None:
    """A market that falls a little, so that there is no young profit that a design would hold back."""
    while True:
        await asyncio.sleep(0.2)
        venue.prices["ETH"] = venue.prices["ETH"] * 9_998 // 10_000


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_bot_opens_protects_and_closes(tmp_path: Path, profile: str, capsys) -> None:
    """A1: as printed, it makes its round, and nothing of it is left but its fills."""
    async with living(profile, tmp_path) as venue:
        falling = asyncio.create_task(drift(venue))
        await asyncio.to_thread(loaded, venue, "__main__")
        falling.cancel()
        said = capsys.readouterr().out
        assert re.search(r"^open +\d+", said, re.MULTILINE)
        assert re.search(r"^stop +\d+$", said, re.MULTILINE)
        assert said.endswith("closed []\n")
        with Client(venue.address, Signer(KEY)) as client:
            assert await asyncio.to_thread(lambda: Trading(client).orders()) == []
            fills = await asyncio.to_thread(lambda: client.get("/v1/trades", account=Trading(client).account)["items"])
            assert len(fills) == 2


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_protection_works(tmp_path: Path, profile: str) -> None:
    """A1, E9: when the price falls through the stop a keeper closes the position, whether the bot runs or not."""
    async with living(profile, tmp_path) as venue:
        bot = loaded(venue, "bot")
        with Client(venue.address, Signer(KEY)) as client:
            desk = Trading(client)
            await asyncio.to_thread(bot["take_tokens"], desk)
            position = await asyncio.to_thread(bot["open_long"], desk, "ETH")
            stop = Decimal(position["entry_price"]) * Decimal("0.95")
            order = await asyncio.to_thread(bot["protect"], desk, position, stop)
            await asyncio.sleep(0.5)
            assert (await asyncio.to_thread(desk.order, order))["status"] == "waiting"

            venue.prices["ETH"] = venue.prices["ETH"] * 94 // 100
            await asyncio.to_thread(desk.settled, {"id": order, "status": "open"})
            assert await asyncio.to_thread(desk.positions) == []
