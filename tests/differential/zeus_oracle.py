"""Replay recordings of the price feeds: primary rounds, fast prices, votes, spreads (E5, A7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.differential.report import Report
from tests.differential.zeus import records
from zlp.engine import Envelope, Root, pricing
from zlp.engine.codec import canonical
from zlp.engine.commands.base import Command
from zlp.engine.commands.governance import BranchCut, Configure, Found, GrantRole, UpgradeBranches
from zlp.engine.commands.prices import DisputePrices, FastPrice, ForceSpread, PostPrices, PostRounds, Round
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.base import Settings
from zlp.engine.leaves.prices import FastFeed, FastFeedSettings, PriceFeed, PriceSettings
from zlp.engine.mechanisms.price_guard import FastPriceGuard, Spread
from zlp.engine.rejections import Code, Reject

REASONS = {
    "FastPriceFeed: forbidden": Code.ROLE_REQUIRED,
    "FastPriceFeed: already voted": Code.ALREADY_VOTED,
    "FastPriceFeed: already enabled": Code.NO_VOTE,
    "FastPriceFeed: _timestamp below allowed range": Code.POST_TIME_TOO_OLD,
    "FastPriceFeed: _timestamp exceeds allowed range": Code.POST_TIME_TOO_NEW,
    "FastPriceFeed: minBlockInterval not yet passed": Code.POST_TOO_SOON,
    "FastPriceFeed: invalid refPrice": Code.INVALID_PRICE,
    "FastPriceFeed: invalid cumulativeRefDelta": Code.INVALID_PRICE,
    "FastPriceFeed: invalid cumulativeFastDelta": Code.INVALID_PRICE,
    "SafeMath: division by zero": Code.DIVISION_BY_ZERO,
    "VaultPriceFeed: invalid price": Code.INVALID_PRICE,
}
LANES, LANE_BITS = 8, 32


class Feeds:
    """The engine's price branch with a recorded deployment's parameters."""

    def __init__(self, episode: dict[str, Any]) -> None:
        self.episode = episode
        self.tokens: list[str] = episode["tokens"]
        self.now = int(episode["startTime"])
        self.posted_in = 0  # a block: theirs counts the least time between posts in blocks, ours in seconds
        self.root = Root()
        self._must("gov", Found(identity="", profile="", profile_hash="", engine_version="", governor="gov"))
        self._must("gov", UpgradeBranches(cuts=(BranchCut(action="add", branch="prices", version=1),)))
        holders = [(Role.KEEPER, "updater")] + [(Role.PRICE_SIGNER, f"signer{n}") for n in range(3)]
        for role, holder in holders:
            self._must("gov", GrantRole(role=role, holder=holder))
        for record in self._settings():
            self._must("gov", Configure(settings=canonical(record).decode()))
        answers = zip(self.tokens, episode["config"]["answers"], strict=True)
        self._must("updater", PostRounds(rounds=tuple(Round(token, int(answer)) for token, answer in answers)))

    def _settings(self) -> list[Settings]:
        config = self.episode["config"]
        guard = FastPriceGuard(
            price_duration=int(config["priceDuration"]),
            max_update_delay=int(config["maxPriceUpdateDelay"]),
            max_time_deviation=int(config["maxTimeDeviation"]),
            max_deviation_bps=int(config["maxDeviationBasisPoints"]),
            spread_inactive_bps=int(config["spreadIfInactive"]),
            spread_chain_error_bps=int(config["spreadIfChainError"]),
            data_interval=int(config["priceDataInterval"]),
            votes_to_dispute=int(config["minAuthorizations"]),
            zero_clears=True,
            shared_age=True,
        )
        records: list[Settings] = [FastFeedSettings(guard)]
        for token, spread in zip(self.tokens, config["spreads"], strict=True):
            records.append(
                PriceSettings(
                    token,
                    sample_rounds=int(config["sampleSpace"]),
                    max_delta_difference=int(config["maxCumulativeDeltaDiff"]),
                    spread=Spread(
                        spread_bps=int(spread),
                        strict_stable=token in self.episode["strictStable"],
                        strict_deviation=int(config["maxStrictPriceDeviation"]),
                    ),
                )
            )
        return records

    def _must(self, account: str, command: Command) -> None:
        code = self._apply(account, command)
        if code is not None:
            raise AssertionError(f"{command}: {code}")

    def _apply(self, account: str, command: Command) -> Code | None:
        receipt = self.root.apply(Envelope(time=self.now, account=account, command=command))
        return None if receipt.rejection is None else receipt.rejection.code

    def run(self, record: dict[str, Any]) -> Code | None:
        """One recorded operation; the code it was refused with."""
        kind, account = record["op"], record.get("by", "updater")
        if kind == "advance":
            self.now += int(record["seconds"])
            return None
        if kind == "chainlink":
            return self._apply("updater", PostRounds(rounds=(Round(record["token"], int(record["answer"])),)))
        if kind == "vote":
            return self._apply(f"signer{record['signer']}", DisputePrices(dispute=record["disable"]))
        if kind == "gov":
            return self._apply("gov", ForceSpread(forced=record["args"][0]))
        return self._post(account, record)

    def _post(self, account: str, record: dict[str, Any]) -> Code | None:
        block, timestamp = int(record["blk"]), int(record["timestamp"])
        if account == "updater" and block - self.posted_in < int(self.episode["config"]["minBlockInterval"]):
            return Code.POST_TOO_SOON
        newest = (self.root.state.get(FastFeed, ()) or FastFeed()).updated_at
        code = self._apply(account, PostPrices(prices=self._prices(record), timestamp=timestamp))
        if code is None and timestamp >= newest:
            self.posted_in = block
        return code

    def _prices(self, record: dict[str, Any]) -> tuple[FastPrice, ...]:
        if record["op"] == "prices":
            pairs = zip(record["tokens"], record["prices"], strict=True)
            return tuple(FastPrice(token, int(price)) for token, price in pairs)
        words = [int(record["bits"])] if record["op"] == "bits" else [int(word) for word in record["words"]]
        prices = []
        for number, token in enumerate(self.tokens[: LANES * len(words)]):
            lane = words[number // LANES] >> (LANE_BITS * (number % LANES)) & (2**LANE_BITS - 1)
            precision = int(self.episode["tokenPrecisions"][number])
            prices.append(FastPrice(token, lane * 10**30 // precision))
        return tuple(prices)

    def state(self) -> dict[str, Any]:
        """The state in the recording's words."""
        shared = self.root.state.get(FastFeed, ()) or FastFeed()
        feeds = [self.root.state.get(PriceFeed, (token,)) or PriceFeed(token) for token in self.tokens]
        watched = [(f.reference, f.reference_at, f.reference_moved, f.fast_moved) for f in feeds]
        return {
            "fast": [str(feed.fast) for feed in feeds],
            "priceData(ref,time,cumRef,cumFast)": [[str(number) for number in row] for row in watched],
            "favour": [self._favoured(shared, feed) for feed in feeds],
            "max": [self._price(token, 1) for token in self.tokens],
            "min": [self._price(token, 0) for token in self.tokens],
            "lastUpdatedAt": str(shared.updated_at),
            "lastUpdatedBlock": str(self.posted_in),
            "votes": str(len(shared.votes)),
        }

    def _favoured(self, shared: FastFeed, feed: PriceFeed) -> bool:
        settings = self.root.state.get(PriceSettings, (feed.asset,))
        fast = self.root.state.get(FastFeedSettings, ())
        assert settings is not None
        assert fast is not None
        return pricing.favoured(settings, fast, shared, feed)

    def _price(self, token: str, side: int) -> str | Code:
        try:
            return str(pricing.bounds_at(self.root.state, token, self.now)[side])
        except Reject as refused:
            return refused.rejection.code


def replay(path: Path) -> Report:
    """Run every operation and compare the whole state and the reason."""
    report = Report()
    feeds: Feeds | None = None
    seed = ""
    for record in records(path):
        if record["t"] == "header":
            continue
        if record["t"] == "episode":
            seed, feeds = record["seed"], Feeds(record)
            continue
        assert feeds is not None
        code = feeds.run(record)
        difference = _difference(record, code, feeds.state())
        case = f"seed {seed} op {record['i']} {record['op']}"
        if difference:
            report.mismatch(case, difference)
        else:
            report.match()
    return report


def _difference(record: dict[str, Any], code: Code | None, state: dict[str, Any]) -> str:
    expected = None if record["ok"] else REASONS.get(record["reason"], record["reason"])
    if code != expected:
        return f"expected {record['reason']}, got {code}"
    found = []
    for name, ours in state.items():
        theirs = record["state"][name]
        if isinstance(theirs, list):
            theirs = [REASONS.get(item, item) if isinstance(item, str) else item for item in theirs]
        if ours != theirs:
            found.append(f"{name} {theirs} is {ours}")
    return "; ".join(found)
