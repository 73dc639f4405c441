"""Signer sets read from the events of a verifier contract on a real EVM."""

import asyncio

import pytest
from typer.testing import CliRunner
from web3 import AsyncHTTPProvider, AsyncWeb3

from tests.oracle.local_chain import LocalChain, serve
from tests.oracle.report_factory import CONFIG_DIGEST, FEED_ID, NOW, address, key, report, signer_set
from zlp.oracle.commands import oracle_app
from zlp.oracle.data_streams.signer_sets import CONFIG_SET, read_signer_sets
from zlp.oracle.data_streams.verification import SignerSet, Verifier

SIGNERS = [address(key(number)) for number in range(4)]


@pytest.fixture(scope="module")
def chain() -> LocalChain:
    """One EVM for the module."""
    return LocalChain()


def test_the_event_is_the_published_one() -> None:
    """Z6: the topic equals the one in the contract's published bindings."""
    assert CONFIG_SET.hex() == "a23a88453230b183877098801ff5a8f771a120e2573eea559ce6c4c2e305a4da"


async def test_configurations_in_order_and_only_of_the_stream(chain: LocalChain) -> None:
    """Z6: both configurations of our stream, oldest first, none of another; and they verify a report."""
    verifier, newer = chain.verifier(), bytes.fromhex("0006" + "aa" * 30)
    chain.set_config(verifier, FEED_ID, CONFIG_DIGEST, SIGNERS, 1)
    chain.set_config(verifier, bytes(32), bytes.fromhex("0006" + "bb" * 30), SIGNERS, 1)
    chain.set_config(verifier, FEED_ID, newer, SIGNERS[::-1], 1)
    async with serve(chain) as [endpoint]:
        web3 = AsyncWeb3(AsyncHTTPProvider(endpoint.url))
        found = await read_signer_sets(web3, verifier, FEED_ID, 0, chain.web3.eth.block_number)
        await web3.provider.disconnect()
    assert found == (
        signer_set(),
        SignerSet(config_digest="0x" + newer.hex(), f=1, signers=tuple(SIGNERS[::-1])),
    )
    assert Verifier(found).verify(report(), feed_id=FEED_ID, now=NOW).report.feed_id == FEED_ID


async def test_the_command_prints_settings(chain: LocalChain) -> None:
    """Z6: `zlp oracle signers` prints lines for the settings file."""
    verifier = chain.verifier()
    chain.set_config(verifier, FEED_ID, CONFIG_DIGEST, SIGNERS, 1)
    async with serve(chain) as [endpoint]:
        arguments = ["signers", "--rpc", endpoint.url, "--verifier", verifier, "--feed", "0x" + FEED_ID.hex()]
        invoked = asyncio.to_thread(CliRunner().invoke, oracle_app, [*arguments, "--from-block", "0"])
        result = await invoked
    assert result.exit_code == 0, result.output
    assert f'config_digest = "0x{CONFIG_DIGEST.hex()}", f = 1, signers = ["{SIGNERS[0]}", ' in result.output
