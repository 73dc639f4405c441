"""A real EVM in this process, served over JSON-RPC on loopback by endpoints that can be told to misbehave."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from eth_abi.abi import encode
from eth_tester.exceptions import TransactionFailed
from web3 import EthereumTesterProvider, Web3

CONTRACTS = Path(__file__).parent / "contracts"
PHASE = 1 << 64
HUGE = 2**190


class LocalChain:
    """An Ethereum chain with aggregators of the test contract on it."""

    def __init__(self) -> None:
        self.provider = EthereumTesterProvider()
        self.web3 = Web3(self.provider)
        self._contract = self._factory("aggregator")
        self._now: int | None = None

    def aggregator(self, decimals: int = 8, lowest: int = 1, highest: int = HUGE) -> str:
        """Deploy an aggregator; returns its address."""
        return self._deploy(self._contract, decimals, lowest, highest)

    def verifier(self) -> str:
        """Deploy a contract that emits `ConfigSet`; returns its address."""
        return self._deploy(self._factory("verifier"))

    def set_config(self, address: str, feed_id: bytes, digest: bytes, signers: list[str], f: int) -> None:
        """Emit a configuration of a stream."""
        known = [Web3.to_checksum_address(signer) for signer in signers]
        self._factory("verifier")(address).functions.set_config(feed_id, digest, known, f).transact()
        self._now = None

    def post(self, address: str, number: int, answer: int, *, age: int = 0, phase: int = 1) -> int:
        """Post a round that began and ended `age` seconds before now; returns its proxy round id."""
        at = self.now() - age
        round_id = phase * PHASE + number
        self.post_raw(address, round_id, answer, at, at)
        return round_id

    def post_raw(self, address: str, round_id: int, answer: int, started_at: int, updated_at: int) -> None:
        """Post any round."""
        self._contract(address).functions.post(round_id, answer, started_at, updated_at).transact()
        self._now = None

    def _factory(self, name: str) -> Any:
        artifact = json.loads((CONTRACTS / f"{name}.json").read_text())
        return self.web3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])

    def _deploy(self, factory: Any, *arguments: Any) -> str:
        sent = factory.constructor(*arguments).transact()
        self._now = None
        return str(self.web3.eth.wait_for_transaction_receipt(sent)["contractAddress"])

    def now(self) -> int:
        """Seconds of the newest block: the clock of the tests."""
        if self._now is None:
            self._now = int(self.web3.eth.get_block("latest")["timestamp"])
        return self._now

    def latest_round(self, address: str) -> int:
        """The id of an aggregator's newest round."""
        return int(self._contract(address).functions.latestRoundData().call()[0])

    def pass_time(self, seconds: int) -> None:
        """Mine a block so much later."""
        self.provider.ethereum_tester.time_travel(self.now() + seconds)
        self.provider.ethereum_tester.mine_block()
        self._now = None


class RpcEndpoint:
    """One JSON-RPC server of a chain. `mode` is `good`, `error`, `hang`, `garbage`, `other_chain` or `pinned`
    (follows the chain no further than `pinned_block`)."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain, self.mode, self.pinned_block = chain, "good", 0
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body["method"])
        if self.mode == "error":
            return web.Response(status=500, text="overloaded")
        if self.mode == "garbage":
            return web.Response(text="<html>rate limited</html>")
        if self.mode == "hang":
            await asyncio.sleep(60)
        if self.mode == "other_chain" and body["method"] == "eth_chainId":
            return web.json_response({"jsonrpc": "2.0", "id": body["id"], "result": "0x539"})
        return web.json_response({"jsonrpc": "2.0", "id": body["id"], **self._run(body["method"], body["params"])})

    def _run(self, method: str, params: list[Any]) -> dict[str, Any]:
        if self.mode == "pinned":
            params = [hex(self.pinned_block) if value == "latest" else value for value in params]
        try:
            result = self.chain.web3.manager.request_blocking(method, params)
        except TransactionFailed as error:
            reason = str(error).removeprefix("execution reverted: ")
            data = "0x08c379a0" + encode(["string"], [reason]).hex()
            return {"error": {"code": 3, "message": f"execution reverted: {reason}", "data": data}}
        return {"result": _wire(result)}


def _wire(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return hex(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list | tuple):
        return [_wire(item) for item in value]
    if hasattr(value, "items"):
        return {key: _wire(item) for key, item in value.items()}
    return value


@asynccontextmanager
async def serve(chain: LocalChain, count: int = 1) -> AsyncIterator[list[RpcEndpoint]]:
    """Run `count` endpoints of a chain on loopback."""
    endpoints, servers = [RpcEndpoint(chain) for _ in range(count)], []
    for endpoint in endpoints:
        app = web.Application()
        app.router.add_post("/secret-key", endpoint.answer)
        server = TestServer(app)
        await server.start_server()
        endpoint.url = str(server.make_url("/secret-key"))
        servers.append(server)
    try:
        yield endpoints
    finally:
        for server in servers:
            await server.close()
