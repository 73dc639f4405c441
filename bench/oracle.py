"""Price feeds a second: verified reports beside the bare cryptography, posted prices beside the bare engine."""

from __future__ import annotations

from collections.abc import Callable

import coincurve
from eth_hash.utils import auto_choose_backend
from eth_keys.backends import NativeECCBackend
from eth_keys.datatypes import Signature

from bench.timing import interpreter, line, rates
from tests.oracle.report_factory import FEED_ID, NOW, envelope, signer_set
from tests.oracle.report_factory import blob as report_blob
from zlp import Venue
from zlp.engine import Envelope
from zlp.engine.commands.prices import FastPrice, PostPrices, PostRounds, Round
from zlp.keepers import FastQuote, LocalPort, LocalVenue, PriceKeeper
from zlp.oracle.blending import BlendSettings, blend
from zlp.oracle.data_streams.report import decode_envelope, decode_v3
from zlp.oracle.data_streams.verification import Verifier, recover_signers
from zlp.oracle.decimal_text import price_from_text
from zlp.oracle.exchange_messages import BybitReader
from zlp.oracle.observation import Observation

BATCH = 300
FAULTY = 5
ASSETS = {"ETH": "2000", "BTC": "40000", "USDC": "1", "USDT": "1"}


def reports(count: int) -> list[bytes]:
    """Reports of a network of 16 oracles, six of which sign each: the size that Chainlink runs."""
    signers = list(range(FAULTY + 1))
    return [envelope(report_blob(price=10**21 + number), signers) for number in range(count)]


def verifying() -> dict[str, Callable[[], int]]:
    """The whole verification, and its parts alone."""
    made = reports(BATCH)
    verifier = Verifier((signer_set(3 * FAULTY + 1, FAULTY),))
    opened = [decode_envelope(one) for one in made]

    def whole() -> int:
        for one in made:
            verifier.verify(one, feed_id=FEED_ID, now=NOW)
        return BATCH

    def recovery() -> int:
        for one in opened:
            recover_signers(one)
        return BATCH

    def decoding() -> int:
        for one in made:
            decode_v3(decode_envelope(one).blob)
        return BATCH

    def pure_python() -> int:
        backend, one = NativeECCBackend(), opened[0]
        for r, s, v in zip(one.rs, one.ss, one.vs[: len(one.rs)], strict=True):
            signature = Signature(vrs=(v, int.from_bytes(r, "big"), int.from_bytes(s, "big")))
            backend.ecdsa_recover(one.digest, signature)
        return 1

    return {"whole": whole, "recovery": recovery, "decoding": decoding, "pure_python": pure_python}


def posting() -> dict[str, Callable[[], int]]:
    """Prices through the keeper into a venue, and the same commands given to the engine directly."""
    venue = Venue("zeus", time=NOW)
    rounds = tuple(Round(asset, price_from_text(price) // 10**22) for asset, price in ASSETS.items())
    keeper_of = LocalPort(LocalVenue(venue.root), "keeper", lambda: clock[0])
    clock = [NOW]
    keeper_of.submit(PostRounds(rounds=rounds))

    class Source:
        def rounds(self, now: int) -> dict[str, list[int]]:  # noqa: ARG002 - as keepers ask
            return {}

        def fast(self, now: int) -> FastQuote | None:
            return FastQuote(now, {asset: price_from_text(price) + now for asset, price in ASSETS.items()})

    keeper = PriceKeeper(keeper_of, Source())

    def through_the_keeper() -> int:
        for _ in range(BATCH):
            clock[0] += 1
            if keeper.work() != 1:
                raise RuntimeError("a post was refused")
        return BATCH * len(ASSETS)

    def straight() -> int:
        for _ in range(BATCH):
            clock[0] += 1
            prices = tuple(FastPrice(asset, price_from_text(price) + clock[0]) for asset, price in ASSETS.items())
            command = PostPrices(prices=prices, timestamp=clock[0])
            if not venue.root.apply(Envelope(time=clock[0], account="keeper", command=command)).accepted:
                raise RuntimeError("a post was refused")
        return BATCH * len(ASSETS)

    return {"keeper": through_the_keeper, "engine": straight}


def reading() -> dict[str, Callable[[], int]]:
    """Exchange messages, and blends of three sources."""
    messages = [
        {
            "topic": "orderbook.1.BTCUSDT", "type": "snapshot", "ts": NOW * 1000 + number,
            "data": {"s": "BTCUSDT", "b": [["93387.28", "0.73"]], "a": [["93387.29", "1.66"]], "u": number},
        }
        for number in range(BATCH)
    ]  # fmt: skip
    seen = [
        Observation(source=str(n), asset="BTC", price_e30=(93_387 + n) * 10**30, observed_at=NOW, received_at=NOW)
        for n in range(3)
    ]

    def parse() -> int:
        reader = BybitReader()
        for message in messages:
            reader.quote(message)
        return BATCH

    def blending() -> int:
        for _ in range(BATCH):
            blend("BTC", seen, BlendSettings(), NOW)
        return BATCH

    return {"parse": parse, "blend": blending}


def main() -> None:
    """Print the table."""
    found = rates(verifying() | posting() | reading(), rounds=5)
    print(interpreter())
    print(
        f"signatures: coincurve {coincurve.__version__} (libsecp256k1); hashes: {type(auto_choose_backend()).__name__}"
    )
    print("reports of 16 oracles, six signatures each")
    print(line("  signatures recovered, nothing else", found["recovery"]))
    print(
        line("  verified: decoded, hashed, recovered, checked", found["whole"], found["recovery"], "of recovery alone")
    )
    print(line("  decoded only", found["decoding"], found["whole"], "of verified"))
    print(line("  recovered in pure Python (eth-keys)", found["pure_python"], found["recovery"], "of coincurve"))
    print("fast prices, four in a post")
    print(line("  applied by the engine", found["engine"]))
    print(line("  through the price keeper", found["keeper"], found["engine"], "of the engine alone"))
    print("exchange messages and blends")
    print(line("  order book messages read from text", found["parse"]))
    print(line("  blends of three sources", found["blend"]))


if __name__ == "__main__":
    main()
