"""The desk over HTTP: pools, markets, plans, quotes with the state after, risk and fee curves, on the zeus profile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from tests.server.running import OPEN, Running
from zlp.engine.codec import decode_command
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.liquidity import Mint
from zlp.engine.commands.orders import ExecuteOrders
from zlp.engine.commands.prices import FastPrice, PostPrices, PostRounds, Round
from zlp.engine.fixed import USD
from zlp.engine.leaves.ledger import Balance
from zlp.journal import MemoryJournal
from zlp.node import Node
from zlp.profiles.loader import load
from zlp.server.app import VenueApp
from zlp.server.page import page_routes
from zlp.server.serve import VenueServer

TRADER = "0x" + "ab" * 20
UNITS = {"ETH": 10**18, "BTC": 10**8, "USDC": 10**6, "USDT": 10**6}
PRICES = {"ETH": 2_000, "BTC": 40_000, "USDC": 1, "USDT": 1}
POOL_PART = 3_000_000


@contextlib.asynccontextmanager
async def venue() -> AsyncIterator[Running]:
    """A zeus venue with prices, a filled pool and a trader with 10 ETH."""
    node = Node(MemoryJournal())
    node.start(load("zeus").genesis())
    server = VenueServer(VenueApp(node, limits=OPEN, mounts=page_routes(demo=True)), port=0)
    task = asyncio.create_task(server.run())
    address = await server.started()
    rounds = tuple(Round(asset, price * 10**8) for asset, price in PRICES.items())
    for _ in range(3):
        await node.command("keeper", PostRounds(rounds=rounds), local="test")
    fast = tuple(FastPrice(asset, price * USD) for asset, price in PRICES.items())
    await node.command("keeper", PostPrices(prices=fast, timestamp=node.now()), local="test")
    for token, price in PRICES.items():
        amount = POOL_PART * UNITS[token] // price
        await node.command("bridge", Deposit(account="lp", token=token, amount=amount), local="test")
        await node.command("lp", Mint(pool="main", token=token, amount=amount), local="test")
    await node.command("bridge", Deposit(account=TRADER, token="ETH", amount=10 * UNITS["ETH"]), local="test")
    async with httpx.AsyncClient(base_url=address, timeout=20) as client:
        yield Running(node, server, client, address)
    server.stop()
    await task


async def plan(running: Running, **changes: str) -> list[dict[str, object]]:
    """A 5x long of 1 ETH, or what is asked for in its place."""
    query = {"pool": "main", "market": "ETH", "token": "ETH", "amount": "1", "size": "10000"} | changes
    answer = await running.client.get("/v1/desk/open/long", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["commands"]


async def test_a_quote_shows_the_position_after_and_changes_nothing() -> None:
    """A5: fees, balances and the position as they would be; the state's digest stays."""
    async with venue() as running:
        before = running.node.root.chain
        commands = await plan(running)
        answer = (await running.post("/v1/desk/quote", {"account": TRADER, "commands": commands})).json()
        assert answer["accepted"], answer["rejection"]
        (position,) = answer["positions"]
        assert (position["market"], position["is_long"], position["size_usd"]) == ("ETH", True, "10000")
        assert 0 < float(position["liquidation_price"]) < 2_000
        fees = [event for event in answer["events"] if event["type"] == "FeeCharged"]
        assert sum(int(fee["value_usd"]) for fee in fees) == 10 * USD  # 0.1 % of the size
        (moved,) = answer["balances"]
        assert (moved["token"], moved["before"], moved["after"], moved["change"]) == ("ETH", "10", "9", "-1")
        assert running.node.root.chain == before
        assert (await running.get(f"/v1/desk/positions?account={TRADER}"))["items"] == []


async def test_commands_are_quoted_in_a_row() -> None:
    """A5: the second command sees what the first did; the first refusal ends the quote."""
    async with venue() as running:
        first, second = (await plan(running))[0], (await plan(running, amount="8", size="40000"))[0]
        both = (await running.post("/v1/desk/quote", {"account": TRADER, "commands": [first, second]})).json()
        assert both["positions"][0]["size_usd"] == "50000"
        thrice = (await running.post("/v1/desk/quote", {"account": TRADER, "commands": [first, second, second]})).json()
        assert not thrice["accepted"]
        assert thrice["rejection"]["code"] == "insufficient_balance"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/desk/open/up", "not_found"),
        ("/v1/desk/open/long?token=DOGE&amount=1", "not_found"),
        ("/v1/desk/open/long?pool=main&market=ETH&token=ETH&amount=-1", "malformed_request"),
        ("/v1/desk/open/long?pool=main&market=ETH&token=ETH&amount=1&size=1e9", "malformed_request"),
        ("/v1/desk/close/10000?position=nonsense", "malformed_request"),
        ("/v1/desk/margin/add?position=nonsense&amount=1", "malformed_request"),
        ("/v1/desk/margin/add?position=main/a/ETH/ETH/long&amount=1", "unknown_position"),
        ("/v1/desk/margin/add?position=main/a/ETH/ETH/long&amount=1&token=DOGE", "not_found"),
        ("/v1/desk/margin/change?position=main/a/ETH/ETH/long&amount=1", "not_found"),
        ("/v1/desk/curve/main/DOGE", "not_found"),
        ("/v1/calculators/yield?given=pool_value=0", "malformed_request"),
        ("/v1/calculators/adaptive-price?given=oracle=nan", "malformed_request"),
    ],
)
async def test_nonsense_is_refused_with_a_code(path: str, code: str) -> None:
    """Nothing but problem+json comes back, and the venue goes on."""
    async with venue() as running:
        answer = await running.client.get(path)
        assert answer.json()["code"] == code
        assert (await running.get("/health"))["status"] == "ready"


async def test_the_fee_curve_rises_with_the_imbalance() -> None:
    """E4: a larger deposit of the same token pays more, as the engine itself would charge."""
    async with venue() as running:
        held = dict(running.node.root.state.tables[Balance])
        curve = await running.get("/v1/desk/curve/main/ETH")
        fees = [float(point["fee_bps"]) for point in curve["deposits"]]
        assert fees == sorted(fees)
        assert fees[0] < fees[-1]
        assert running.node.root.state.tables[Balance] == held


async def test_the_calculators_give_the_published_examples() -> None:
    """N11, O6, E15: 1803 USD; 205.31 % a week; 10 USD margin fee."""
    async with venue() as running:
        assert (await running.get("/v1/calculators/adaptive-price"))["exact"] == "1803"
        assert (await running.get("/v1/calculators/yield"))["apr_bps"] == "20531"
        lines = {line["name"]: line["usd"] for line in (await running.get("/v1/calculators/opening"))["lines"]}
        assert lines["margin fee"] == "10"
        assert (await running.get("/v1/calculators/deleverage"))["factor"] == "0.6"


async def test_the_ladder_counts_a_position_from_where_it_is_due() -> None:
    """The ladder is cumulative: nothing before the liquidation price, the whole size beyond it."""
    async with venue() as running:
        (command,) = await plan(running)
        order = {"type": "PlaceOrder", "action": msgspec.json.encode(command).decode(), "fee": str(18 * 10**13)}
        placed = await running.node.command(TRADER, decode_command(msgspec.json.encode(order)), local="test")
        number = placed[0].receipt.events[-1].number
        rounds = tuple(Round(asset, price * 10**8) for asset, price in PRICES.items())
        await running.node.command("keeper", PostRounds(rounds=rounds), local="test")
        await running.node.command("keeper", ExecuteOrders(numbers=(number,)), local="test")
        figures = await running.get("/v1/desk/risk")
        (market,) = [row for row in figures["markets"] if row["market"] == "ETH"]
        rungs = {int(row["move_bps"]): row["liquidated_usd"] for row in market["ladder"]}
        assert (rungs[-250], rungs[-5_000], rungs[5_000]) == ("0", "10000", "0")
        assert figures["nearest"][0]["account"] == TRADER


async def test_the_page_is_served_under_a_policy() -> None:
    """The page may speak to its own host only; what the browser has is not sent again; nothing else is served."""
    async with venue() as running:
        page = await running.client.get("/")
        assert 'data-demo="yes"' in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        script = await running.client.get("/web/js/main.js")
        assert script.headers["content-type"].startswith("text/javascript")
        again = await running.client.get("/web/js/main.js", headers={"if-none-match": script.headers["etag"]})
        assert again.status_code == 304
        assert (await running.client.get("/web/../__init__.py")).status_code == 404
        assert (await running.client.get("/web/__init__.py")).status_code == 404


async def test_one_answer_may_serve_many() -> None:
    """The desk is asked anew after every command, unless one says that an answer may be a little old."""
    async with venue() as running:
        first = await running.get("/v1/desk")
        await running.node.command("bridge", Deposit(account="lp", token="ETH", amount=1), local="test")
        assert int((await running.get("/v1/desk"))["sequence"]) == int(first["sequence"]) + 1
        await running.node.command("bridge", Deposit(account="lp", token="ETH", amount=1), local="test")
        kept = await running.get("/v1/desk?lag=5000")
        assert int(kept["sequence"]) == int(first["sequence"]) + 1
        assert int((await running.get("/v1/prices"))["sequence"]) == int(first["sequence"]) + 2


async def test_the_premium_of_stable_swaps() -> None:
    """Z6: a vault in debt pays more than the oracle's worth, one in credit less; in between it is the price."""
    async with venue() as running:

        async def factor(debt: str) -> str:
            return (await running.get(f"/v1/calculators/premium?given=debt={debt}"))["factor"]

        assert await factor("0") == "1"
        assert await factor("300000") == "1"
        assert await factor("800000") == "1.1"
        assert await factor("-800000") == "0.9"
        wrong = await running.client.get("/v1/calculators/premium?given=assets=0")
        assert wrong.status_code == 400
