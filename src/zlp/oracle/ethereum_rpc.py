"""Reads from an EVM chain through several JSON-RPC endpoints: the first healthy one answers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.exceptions import BadFunctionCallOutput, ContractLogicError

from zlp.oracle.observation import FeedError

Answer = TypeVar("Answer")
Client = AsyncWeb3[Any]
REST_SECONDS_MIN = 5.0
REST_SECONDS_MAX = 300.0


class ChainlinkError(FeedError):
    """No endpoint answers, or the chain answers something a Chainlink feed never would."""


class ContractError(ChainlinkError):
    """A contract answers, and is not what the settings say it is."""


# Trouble with a contract is not the endpoint's fault: another endpoint would say the same.
CONTRACT_ERRORS = (BadFunctionCallOutput, ContractLogicError, ContractError)


class Endpoint:
    """One JSON-RPC server, with the time until which it rests after failures."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        parts = urlsplit(url)
        # Paths and queries of RPC services are API keys: they are never shown.
        self.shown = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        provider = AsyncHTTPProvider(
            url, request_kwargs={"timeout": timeout_seconds}, exception_retry_configuration=None
        )
        self.web3 = AsyncWeb3(provider)
        self.failures = 0
        self.rests_until = 0.0
        self.verified = False
        self.last_error = ""

    def failed(self, error: str, now: float) -> None:
        self.failures += 1
        self.verified = False
        self.last_error = error
        self.rests_until = now + min(REST_SECONDS_MIN * 2 ** (self.failures - 1), REST_SECONDS_MAX)

    def answered(self) -> None:
        self.failures, self.rests_until, self.last_error = 0, 0.0, ""


class EndpointPool:
    """Endpoints in order of preference. A failed one rests (5 s, doubling to 5 min) and is then tried again.

    An endpoint is good if it answers in time, serves the right chain, and its newest block is not older than
    `block_age_max_seconds` (a node that stopped following the chain still answers).
    """

    def __init__(
        self,
        urls: tuple[str, ...],
        *,
        chain_id: int,
        timeout_seconds: float,
        block_age_max_seconds: int,
        clock: Callable[[], float],
    ) -> None:
        self._endpoints = [Endpoint(url, timeout_seconds) for url in urls]
        self._chain_id = chain_id
        self._timeout = timeout_seconds
        self._block_age_max = block_age_max_seconds
        self._clock = clock

    async def read(self, work: Callable[[Client, int], Awaitable[Answer]]) -> Answer:
        """Run `work(web3, block_number)` on the first endpoint that can; all its reads see that one block.

        Raises `ChainlinkError` naming every endpoint's trouble when none can.
        """
        now = self._clock()
        ready = [endpoint for endpoint in self._endpoints if endpoint.rests_until <= now]
        for endpoint in ready or self._endpoints:
            try:
                answer = await asyncio.wait_for(self._try(endpoint, work), self._timeout)
            except CONTRACT_ERRORS:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a foreign server provokes, the next one is asked
                endpoint.failed(_sentence(error), self._clock())
            else:
                endpoint.answered()
                return answer
        troubles = "; ".join(f"{endpoint.shown}: {endpoint.last_error}" for endpoint in self._endpoints)
        raise ChainlinkError(f"no endpoint answers ({troubles})")

    async def _try(self, endpoint: Endpoint, work: Callable[[Client, int], Awaitable[Answer]]) -> Answer:
        if not endpoint.verified:
            chain_id = await endpoint.web3.eth.chain_id
            if chain_id != self._chain_id:
                raise ChainlinkError(f"serves chain {chain_id}, not {self._chain_id}")
            endpoint.verified = True
        block = await endpoint.web3.eth.get_block("latest")
        age = int(self._clock()) - block["timestamp"]
        if age > self._block_age_max:
            raise ChainlinkError(f"its newest block is {age} s old")
        return await work(endpoint.web3, block["number"])

    async def close(self) -> None:
        """Release the connections."""
        for endpoint in self._endpoints:
            await endpoint.web3.provider.disconnect()


def _sentence(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    # The text of a client's error may repeat the URL with its key.
    return str(error) if isinstance(error, ChainlinkError) else type(error).__name__
