"""The signer sets of a stream, read from the `ConfigSet` events of its verifier contract on an EVM chain."""

from typing import Any

from eth_abi import abi
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from zlp.oracle.data_streams.verification import SignerSet
from zlp.oracle.ethereum_rpc import Client

# Not indexed fields, in order: previous block, config digest, count, signers, transmitters, f, three more.
_FIELDS = ("uint32", "bytes32", "uint64", "address[]", "bytes32[]", "uint8", "bytes", "uint64", "bytes")
CONFIG_SET = keccak(f"ConfigSet(bytes32,{','.join(_FIELDS)})".encode())
BLOCKS_PER_REQUEST = 10_000


async def read_signer_sets(
    web3: Client, verifier: str, feed_id: bytes, from_block: int, to_block: int
) -> tuple[SignerSet, ...]:
    """Every configuration that the verifier (generation v0.3) was given for a stream, oldest first.

    Asks for logs in ranges of 10,000 blocks. An event whose set could not verify anything (too few signers)
    raises `ValueError`.
    """
    found = []
    for start in range(from_block, to_block + 1, BLOCKS_PER_REQUEST):
        logs: Any = await web3.eth.get_logs(
            {
                "address": to_checksum_address(verifier),
                "topics": ["0x" + CONFIG_SET.hex(), "0x" + feed_id.hex()],
                "fromBlock": start,
                "toBlock": min(start + BLOCKS_PER_REQUEST - 1, to_block),
            }
        )
        found += [_signer_set(bytes(log["data"])) for log in logs]
    return tuple(found)


def _signer_set(data: bytes) -> SignerSet:
    _, digest, _, signers, _, f, *_ = abi.decode(_FIELDS, data)
    return SignerSet(config_digest="0x" + digest.hex(), f=f, signers=tuple(signer.lower() for signer in signers))
