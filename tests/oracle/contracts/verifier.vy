# pragma version 0.4.3
# pragma evm-version paris
"""
The part of a Data Streams verifier that readers of its configuration see: the ConfigSet event.
"""

event ConfigSet:
    feedId: indexed(bytes32)
    previousConfigBlockNumber: uint32
    configDigest: bytes32
    configCount: uint64
    signers: DynArray[address, 31]
    offchainTransmitters: DynArray[bytes32, 31]
    f: uint8
    onchainConfig: Bytes[64]
    offchainConfigVersion: uint64
    offchainConfig: Bytes[64]

@external
def set_config(feed: bytes32, digest: bytes32, signers: DynArray[address, 31], f: uint8):
    log ConfigSet(
        feedId=feed,
        previousConfigBlockNumber=0,
        configDigest=digest,
        configCount=1,
        signers=signers,
        offchainTransmitters=[digest],
        f=f,
        onchainConfig=b"\x01",
        offchainConfigVersion=30,
        offchainConfig=b"\x02\x03",
    )
