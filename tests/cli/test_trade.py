"""Trading and providing liquidity from the command line, on every profile."""

import asyncio
import re
from pathlib import Path

import pytest
from eth_account import Account
from typer.testing import CliRunner, Result

from tests.client.living import Living, living
from zlp.cli import app, liquidity, trade
from zlp.cli.local.keyring import Keyring
from zlp.client import Client, Signer
from zlp.client.trading import Trading

PROFILES = ("zeus", "zeno", "zo", "zaros")
PASSWORD = "a password"
WIDTH = 300
"""Characters of the terminal, so that no cell is folded."""


class Shell:
    """Runs `zlp` as its user would, key and venue given by the environment."""

    def __init__(self, venue: Living, folder: Path) -> None:
        self.key = Keyring(folder).key("trader")
        self.environment = {
            "ZLP_URL": venue.address,
            "ZLP_KEY": f"{folder / 'keys.json'}#trader",
        }
        trade.console.width = liquidity.console.width = WIDTH

    async def run(self, *arguments: str) -> Result:
        """One command, beside the venue's event loop."""
        return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), env=self.environment)

    async def ok(self, *arguments: str) -> str:
        """What a command that must work says."""
        result = await self.run(*arguments)
        assert result.exit_code == 0, f"{arguments}\n{result.output}"
        return result.output

    async def refused(self, *arguments: str) -> str:
        """What a command that must fail says: one line and exit code 1."""
        result = await self.run(*arguments)
        assert result.exit_code == 1, result.output
        assert isinstance(result.exception, SystemExit), result.exception
        return result.output


@pytest.fixture(params=PROFILES)
def profile(request) -> str:
    """Each design once."""
    return request.param


async def test_a_position_from_the_command_line(tmp_path: Path, profile: str) -> None:
    """A1: the same words open, protect and close on every profile."""
    async with living(profile, tmp_path / "venue") as venue:
        zlp = Shell(venue, tmp_path / "keys")
        assert "no positions" in await zlp.ok("trade", "positions")
        assert "1,000,000" in await zlp.ok("faucet")
        market, token, margin = await asyncio.to_thread(_plan, venue, zlp)
        assert market in await zlp.ok("trade", "markets")
        opening = ("trade", "open", market, "long", "--size", "6000", "--token", token, "--margin", margin)
        shown = await zlp.ok(*opening)
        assert "done" in shown
        assert re.search(r"long.*6,0\d\d\.|long.*5,9\d\d\.", shown)

        if profile == "zaros":
            assert "can't wait for a price" in await zlp.refused("trade", "order", market, "--stop", "1")
        else:
            number = re.search(r"order (\d+) waits", await zlp.ok("trade", "order", market, "--stop", "1000"))
            assert number is not None
            assert "below 1,000.00" in await zlp.ok("trade", "orders")
            await zlp.ok("trade", "cancel", number[1])
        assert "no orders wait" in await zlp.ok("trade", "orders")

        venue.prices["ETH"] = venue.prices["ETH"] * 995 // 1_000
        await asyncio.sleep(1)
        assert "long" in await zlp.ok("trade", "close", market, "--share", "0.5")
        assert "no positions" in await zlp.ok("trade", "close", market)


def _plan(venue: Living, zlp: Shell) -> tuple[str, str, str]:
    """The ETH market, what backs a long, and how much of it is 2,000 USD."""
    with Client(venue.address, Signer(zlp.key)) as client:
        desk = Trading(client)
        row = next(row for row in desk.markets() if row["market"].startswith("ETH"))
        token = row["long_collaterals"][0]
        return row["market"], token, desk.tokens_for(token, 2_000)


async def test_liquidity_from_the_command_line(tmp_path: Path, profile: str) -> None:
    """A1: a provider mints and, where the design lets him out at once, burns."""
    async with living(profile, tmp_path / "venue") as venue:
        zlp = Shell(venue, tmp_path / "keys")
        with Client(venue.address) as client:
            pool = (await asyncio.to_thread(client.get, "/v1/desk"))["pools"][0]
        token = pool["assets"][0]["token"]
        assert pool["pool"] in await zlp.ok("lp", "pools")
        await zlp.ok("faucet")
        minted = await zlp.ok("lp", "mint", token, "1", "--pool", pool["pool"])
        assert re.search(r"you hold [\d.]*[1-9][\d.]* shares", minted)
        if profile in ("zeno", "zo"):
            assert "done" in await zlp.ok("lp", "burn", token, "all", "--pool", pool["pool"])
            assert "no shares" in await zlp.refused("lp", "burn", token, "all", "--pool", pool["pool"])
        else:
            assert await zlp.refused("lp", "burn", token, "all", "--pool", pool["pool"], "--timeout", "5")


async def test_mistakes_are_one_readable_line(tmp_path: Path) -> None:
    """A1: what is there is named, and codes are shown."""
    async with living("zeus", tmp_path / "venue") as venue:
        zlp = Shell(venue, tmp_path / "keys")
        opening = ("--size", "100", "--margin", "1")
        assert "there are" in await zlp.refused("trade", "open", "DOGE", "long", *opening)
        assert "long or short" in await zlp.refused("trade", "open", "ETH", "up", *opening)
        assert "insufficient_balance" in await zlp.refused("trade", "open", "ETH", "long", *opening)
        assert "no position is called ETH" in await zlp.refused("trade", "close", "ETH")
        assert "knows no token DOGE" in await zlp.refused("lp", "mint", "DOGE", "1")
        assert "unknown_order" in await zlp.refused("trade", "cancel", "99")
        zlp.environment["ZLP_KEY"] = str(tmp_path / "nothing")
        assert "make one: zlp account new" in await zlp.refused("trade", "positions")


async def test_an_encrypted_key_opens_with_its_password(tmp_path: Path, monkeypatch) -> None:
    """A8: a file of `zlp account new` signs, other tools open it too, and a wrong password is one line."""
    monkeypatch.setenv("ETH_ACCOUNT_KDF", "pbkdf2")
    folder = tmp_path / "keys"
    made = CliRunner().invoke(app, ["account", "new", "--folder", str(folder), "--password", PASSWORD])
    (path,) = folder.glob("0x*.json")
    assert Account.from_key(Account.decrypt(path.read_text(), PASSWORD)).address.lower() in made.output
    async with living("zeus", tmp_path / "venue") as venue:
        zlp = Shell(venue, tmp_path)
        zlp.environment |= {"ZLP_KEY": str(path), "ZLP_PASSWORD": PASSWORD}
        assert "ETH      5" in await zlp.ok("faucet", "ETH", "--amount", "5")
        zlp.environment["ZLP_PASSWORD"] = "wrong"
        assert "does not open" in await zlp.refused("trade", "positions")
