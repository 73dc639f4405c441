"""Trading and providing liquidity from the command line, on every profile."""

import asyncio
import json
import re
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from eth_account import Account
from typer.testing import CliRunner, Result

from tests.client.living import Living, living
from zlp.cli import app, govern, liquidity, rewards, trade
from zlp.cli.local.keyring import Keyring
from zlp.client import Client, Signer
from zlp.client.trading import Trading
from zlp.engine.codec import plain
from zlp.engine.commands.base import Command
from zlp.engine.commands.borrowed import PledgeCollateral
from zlp.engine.commands.governance import SetParameter
from zlp.engine.commands.staking import StartEmission
from zlp.engine.leaves.access import Role, RoleHolder
from zlp.engine.leaves.staking import StakingSettings

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
        for module in (trade, liquidity, rewards, govern):
            module.console.width = WIDTH

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

        venue.prices["ETH"] = venue.prices["ETH"] * 995 // 1_000  # a young profit could not be taken everywhere
        await asyncio.sleep(1)
        assert f"{margin} {token} in" in await zlp.ok("trade", "margin", market, "--add", margin)
        assert await asyncio.to_thread(_backing, venue, zlp) == pytest.approx(4_000, rel=0.05)
        out, unit = ("1000", "USD") if profile == "zeus" else (f"{Decimal(margin) / 2:.4f}", token)
        assert f"{out} {unit} out" in await zlp.ok("trade", "margin", market, "--take", out)
        assert await asyncio.to_thread(_backing, venue, zlp) == pytest.approx(3_000, rel=0.05)
        assert "either --add or --take" in await zlp.refused("trade", "margin", market)
        assert "above 0" in await zlp.refused("trade", "margin", market, "--take", "0")

        number = re.search(r"order (\d+) waits", await zlp.ok("trade", "order", market, "--stop", "1000"))
        assert number is not None
        assert "below 1,000.00" in await zlp.ok("trade", "orders")
        await zlp.ok("trade", "cancel", number[1])
        limit = ("trade", "open", market, "long", "--size", "500", "--token", token, "--margin", "0.1", "--at", "900")
        number = re.search(r"order (\d+) waits", await zlp.ok(*limit))
        assert number is not None
        await zlp.ok("trade", "cancel", number[1])
        assert "no orders wait" in await zlp.ok("trade", "orders")
        assert "no orders wait" in await zlp.ok("trade", "cancel", "--all")
        for stop in ("900", "800"):
            await zlp.ok("trade", "order", market, "--stop", stop)
        if profile == "zaros":
            await zlp.ok("trade", "sign", market, "long", "--size", "500", "--at", "900")
        assert len(re.findall("below", await zlp.ok("trade", "orders"))) == 2 + (profile == "zaros")
        sequence = venue.node.root.sequence
        assert "cancelled all" in await zlp.ok("trade", "cancel", "--all")
        assert "no orders wait" in await zlp.ok("trade", "orders")
        assert together(venue, sequence) == 2 + (profile == "zaros")
        assert "--all or --after" in await zlp.refused("trade", "cancel")
        await zlp.ok("trade", "order", market, "--stop", "900")
        assert "taken back" in await zlp.ok("trade", "cancel", "--after", "0")
        assert "void in 1 s" in await zlp.ok("trade", "cancel", "--after", "1")
        async with asyncio.timeout(30):
            while "no orders wait" not in await zlp.ok("trade", "orders"):  # noqa: ASYNC110 - as its user would
                await asyncio.sleep(0.2)

        assert "long" in await zlp.ok("trade", "close", market, "--share", "0.5")
        with Client(venue.address, Signer(zlp.key)) as client:
            before = await asyncio.to_thread(client.balance, token)
            assert "no positions" in await zlp.ok("trade", "close", market)
            assert await asyncio.to_thread(client.balance, token) > before


def _plan(venue: Living, zlp: Shell) -> tuple[str, str, str]:
    """The ETH market, what backs a long, and how much of it is 2,000 USD."""
    with Client(venue.address, Signer(zlp.key)) as client:
        desk = Trading(client)
        row = next(row for row in desk.markets() if row["market"].startswith("ETH"))
        token = row["long_collaterals"][0]
        return row["market"], token, desk.tokens_for(token, 2_000)


def together(venue: Living, after: int) -> int:
    """How many cancelling commands came under one signature."""
    found = [record for record in venue.node.journal.records(after) if b'"type":"Cancel' in record.envelope]
    (count,) = [evidence["count"] for each in found if "count" in (evidence := msgspec.json.decode(each.evidence))]
    assert count == len(found)
    return count


def _backing(venue: Living, zlp: Shell) -> float:
    """USD behind the only position."""
    with Client(venue.address, Signer(zlp.key)) as client:
        (row,) = Trading(client).positions()
        return float(row["collateral_usd"])


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
        assert re.search(r"you hold [\d.,]*[1-9][\d.,]* shares", minted)
        burning = ("lp", "burn", token, "all", "--pool", pool["pool"])
        if profile in ("zeno", "zo"):
            assert "done" in await zlp.ok(*burning)
            assert "no shares" in await zlp.refused(*burning)
        elif profile == "zeus":
            assert "cooldown_not_passed" in await zlp.refused(*burning)
        else:
            assert "zlp lp request" in await zlp.refused(*burning)


async def test_a_vaults_shares_are_redeemed_after_their_delay(tmp_path: Path) -> None:
    """Z2: asked for, listed with the time that is left, taken back, refused before it is due, paid after it."""
    async with living("zaros", tmp_path / "venue") as venue:
        zlp = Shell(venue, tmp_path / "keys")
        await zlp.ok("faucet")
        assert "asked for nothing" in await zlp.refused("lp", "redeem")
        await zlp.ok("lp", "mint", "WETH", "10")
        assert "asked for nothing" in await zlp.ok("lp", "requests")
        asked = await zlp.ok("lp", "request", "1", "--pool", "weth")
        assert "in 24 h 0 min" in asked or "in 23 h 59 min" in asked
        assert "the first is in" in await zlp.refused("lp", "redeem")
        await zlp.ok("lp", "stay", "1")
        assert "asked for nothing" in await zlp.ok("lp", "requests")

        delay = {"leaf": "CreditVaultSettings", "key": '["weth"]', "field": "withdrawal_delay"}
        await decide(venue, SetParameter(**delay, value="0"))
        assert "now" in await zlp.ok("lp", "request", "1", "--pool", "weth")
        assert "amount_below_minimum" in await zlp.refused("lp", "redeem", "2", "--min", "1")
        assert re.search(r"redeemed 0\.9[45]\d* WETH", await zlp.ok("lp", "redeem", "2", "--min", "0.9"))
        assert "no request 2" in await zlp.refused("lp", "redeem", "2")

        await zlp.ok("rewards", "stake", "5", "--pool", "weth")
        assert "unstaked" in await zlp.ok("rewards", "unstake", "5", "--pool", "weth")
        assert "nothing to claim" in await zlp.refused("rewards", "claim")


async def decide(venue: Living, command: Command) -> None:
    """The governor decides something."""
    holders = venue.node.root.state.each(RoleHolder)
    governor = next(each.holder for each in holders if each.role == Role.GOVERNOR)
    (fact,) = await venue.node.command(governor, command, local="test")
    assert fact.receipt.rejection is None, fact.receipt.rejection


async def test_swaps_from_the_command_line(tmp_path: Path, profile: str) -> None:
    """E9, Z6: one token for another at the pool; on Zaros the stable token for a vault's collateral, by a keeper."""
    async with living(profile, tmp_path / "venue") as venue:
        zlp = Shell(venue, tmp_path / "keys")
        await zlp.ok("faucet")
        given, taken = {"zaros": ("USDz", "USDC"), "zeno": ("WETH", "m.USDC")}.get(profile, ("ETH", "USDC"))
        if profile == "zaros":
            await _earn(venue, zlp)
        said = await zlp.ok("trade", "swap", given, taken, "0.5" if profile != "zaros" else "100")
        assert "done" in said
        assert re.search(rf"you hold 1,00\d,\d+\.\d+ {taken}", said), said
        assert "amount_below" in await _refusal(zlp, "trade", "swap", given, taken, "100", "--min", "900000")


async def _earn(venue: Living, zlp: Shell) -> None:
    """A profit: stable tokens come from nowhere else."""
    await zlp.ok("trade", "open", "ETH", "long", "--size", "100000", "--token", "USDC", "--margin", "100000")
    venue.prices["ETH"] = venue.prices["ETH"] * 102 // 100
    await asyncio.sleep(1)
    await zlp.ok("trade", "close", "ETH")


async def _refusal(zlp: Shell, *arguments: str) -> str:
    """What a swap that pays too little says: at once, or when its order has failed."""
    return await zlp.refused(*arguments, "--timeout", "5")


async def test_a_market_order_says_what_it_accepts(tmp_path: Path, profile: str) -> None:
    """O8, E9: one percent from the price of the moment, on the index and, in ZO, half of the collateral's price."""
    async with living(profile, tmp_path / "venue") as venue:
        zlp = Shell(venue, tmp_path / "keys")
        await zlp.ok("faucet")
        market, token, margin = await asyncio.to_thread(_plan, venue, zlp)
        price = venue.prices["ETH"]
        opening = ("trade", "open", market, "long", "--size", "6000", "--token", token, "--margin", margin)
        assert "0 to less than 100" in await zlp.refused(*opening, "--slippage", "-1")
        assert f"no market {market} of pool none" in await zlp.refused(*opening, "--pool", "none")
        await zlp.ok(*opening, "--slippage", "1")
        venue.prices["ETH"] = venue.prices["ETH"] * 995 // 1_000
        await asyncio.sleep(1)
        await zlp.ok("trade", "close", market, "--slippage", "1.5")
        worst = [each["acceptable_price"] for each in _actions(venue) if "acceptable_price" in each]
        assert [int(each) / price for each in worst] == pytest.approx([1.01, 0.995 * 0.985], rel=1e-4)
        if profile == "zo":
            floors = [int(each["collateral_price_floor"]) / price for each in _actions(venue)]
            assert floors == pytest.approx([0.5, 0.4975], rel=1e-4)


def _actions(venue: Living) -> list[dict]:
    """What the venue's orders and trades said, oldest first."""
    kinds = ("PlaceOrder", "CrossTrade", "PlaceCreditOrder")
    sent = [plain(fact.command) for fact in venue.node.feed.read(venue.node.feed.oldest() - 1, 10**6)]
    return [json.loads(each["action"]) if "action" in each else each for each in sent if each["type"] in kinds]


async def test_any_command_from_the_command_line(tmp_path: Path) -> None:
    """O1, O8, A5: what has no words of its own is sent as JSON: collateral pledged and taken back, coins given back."""
    async with living("zo", tmp_path / "venue") as venue:
        zlp = Shell(venue, tmp_path / "keys")
        await zlp.ok("faucet")
        await zlp.ok("trade", "open", "ETH", "long", "--size", "6000", "--token", "ETH", "--margin", "1")
        pledge = '{"type": "PledgeCollateral", "position": 1, "amount": "25000000"}'
        before = venue.node.root.sequence
        assert "0.25" in await zlp.ok("send", "--quote", pledge)
        assert not any(isinstance(each, PledgeCollateral) for each in _commands(venue, before))
        assert "done" in await zlp.ok("send", pledge)
        venue.prices["ETH"] = venue.prices["ETH"] * 995 // 1_000
        await asyncio.sleep(1)
        assert "done" in await zlp.ok("send", pledge.replace("Pledge", "Redeem"))
        assert "ReserveChanged" in await zlp.ok("send", pledge.replace("PledgeCollateral", "ReduceReserve"))
        assert "invalid_pledge_amount" in await zlp.refused("send", pledge.replace("25000000", "0"))
        assert "invalid_pledge_amount" in await zlp.refused("send", "--quote", pledge.replace("25000000", "0"))
        assert "malformed_command" in await zlp.refused("send", '{"type": "Pledge"}')


def _commands(venue: Living, after: int) -> list[Command]:
    return [fact.command for fact in venue.node.feed.read(after, 10**6)]


async def test_rewards_from_the_command_line(tmp_path: Path) -> None:
    """N9, E13: shares of Zeno are staked by themselves and earn; escrowed tokens vest; ZEUS has holders and epochs."""
    async with living("zeno", tmp_path / "zeno") as venue:
        zlp = Shell(venue, tmp_path / "keys")
        await zlp.ok("faucet")
        pool = next(each.pool for each in venue.node.root.state.each(StakingSettings))
        await zlp.ok("lp", "mint", "WETH", "1")
        await zlp.ok("rewards", "unstake", "10")
        await zlp.ok("rewards", "stake", "10")
        await decide(venue, StartEmission(pool=pool, amount=10**24, seconds=14 * 86_400))
        await asyncio.sleep(1.5)
        assert "esZENO" in await zlp.ok("rewards", "earned")
        assert "claimed" in await zlp.ok("rewards", "claim")
        assert "vesting" in await zlp.ok("rewards", "vest", "0.0001")
        assert re.search(r"1 .*0\.0001", await zlp.ok("rewards", "vestings"))
        assert "forfeited" in await zlp.ok("rewards", "leave-vesting", "1")
        assert "no epochs" in await zlp.ok("rewards", "epochs")

    async with living("zeus", tmp_path / "zeus") as venue:
        zlp = Shell(venue, tmp_path / "other keys")
        await zlp.ok("faucet")
        assert "earn by themselves" in await zlp.refused("rewards", "stake", "1")
        assert "soulbound" in await zlp.ok("rewards", "soulbound", "USDC", "11")
        assert "already_soulbound" in await zlp.refused("rewards", "soulbound", "USDC", "11")
        assert "no epochs" in await zlp.ok("rewards", "epochs")
        assert "unknown_epoch" in await zlp.refused("rewards", "join", "1")


async def test_an_epoch_is_funded_by_the_members_of_the_treasury(tmp_path: Path) -> None:
    """E13, E14: two of three members open one with what fees have brought; a trader takes part and is paid."""
    async with living("zeus", tmp_path / "venue") as venue:
        trader, *members = shells(venue, tmp_path)
        await trader.ok("faucet")
        await trader.ok("lp", "mint", "USDC", "100000")
        assert "no fees" in await members[0].ok("rewards", "buckets")
        await trader.ok("send", '{"type": "CollectFees", "pool": "main", "token": "USDC"}')
        assert re.search(r"treasury\s+USDC\s+\d", await members[0].ok("rewards", "buckets"))
        assert "you are no treasurer" in await trader.refused("rewards", "fund", "USDC", "1")

        proposed = await members[0].ok("rewards", "fund", "USDC", "1", "--days", "0.0001", "--start-in", "1")
        number = re.search(r"zlp govern approve (\d+)", proposed)[1]
        waiting = await members[1].ok("govern", "proposals")
        assert "FundEpoch" in waiting
        assert "1 of 2" in waiting
        assert "already_approved" in await members[0].refused("govern", "approve", number)
        assert "not_a_member" in await trader.refused("govern", "approve", number)
        assert "done" in await members[1].ok("govern", "approve", number)
        assert "nothing waits" in await members[2].ok("govern", "proposals")
        assert "volume" in await trader.ok("rewards", "epochs")

        closing = ("send", '{"type": "CloseEpoch", "epoch": "1"}', "--multisig", "treasury")
        assert "waits" in await members[2].ok(*closing)
        assert "missing or unknown" in await members[2].refused("send", '{"type": "CloseEpochs"}')
        assert "role_required" in await trader.refused("send", '{"type": "CloseEpoch", "epoch": "1"}')


def shells(venue: Living, folder: Path) -> list[Shell]:
    """A trader and the treasury's members, with the keys that a local venue made for them."""
    made = [Shell(venue, folder / "keys"), *(Shell(venue, folder / "venue") for _ in range(3))]
    for number, shell in enumerate(made[1:], 1):
        shell.environment["ZLP_KEY"] = f"{folder / 'venue' / 'keys.json'}#treasurer-{number}"
    return made


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
