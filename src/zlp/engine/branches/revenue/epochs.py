"""The soulbound token and the epochs its holders share in (E12, E13). Every step is O(running epochs)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger, pricing
from zlp.engine.access import next_number, require_role
from zlp.engine.branches.basket.assets import load_listed, load_pool
from zlp.engine.branches.custody import require_amount
from zlp.engine.branches.revenue.buckets import bucket
from zlp.engine.commands import revenue as commands
from zlp.engine.draft import Draft
from zlp.engine.events import revenue as events
from zlp.engine.events.ledger import Issued, Retired, Transferred
from zlp.engine.events.liquidity import FeeCharged, Swapped
from zlp.engine.events.trading import PositionChanged
from zlp.engine.fixed import mul_div_down, mul_div_up
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.pool import PoolSettings
from zlp.engine.leaves.revenue import TREASURY, Epoch, EpochScore, RevenueSettings, RunningEpochs, Soulbound
from zlp.engine.rejections import Code, Reject

SCORES = ("volume", "fees", "shares")
MOST_RUNNING = 8


def mint_soulbound(draft: Draft, command: commands.MintSoulbound) -> None:
    """Pay the price in a listed token at its minimum price, rounded up."""
    settings = draft.need(RevenueSettings, (command.pool,), Code.UNKNOWN_POOL)
    if draft.get(Soulbound, (draft.sender,)) is not None:
        raise Reject(Code.ALREADY_SOULBOUND, detail=draft.sender)
    asset = load_listed(draft, command.pool, command.token)
    price = pricing.bounds(draft, command.token)[0]
    paid = mul_div_up(settings.soulbound_price, asset.unit, price)
    if paid > command.max_amount:
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=command.max_amount, actual=paid)
    ledger.move(draft, command.token, draft.sender, TREASURY, paid)
    draft.put(Soulbound(draft.sender, draft.time))
    draft.record(events.SoulboundMinted(account=draft.sender, token=command.token, paid=paid))


def fund(draft: Draft, command: commands.FundEpoch) -> None:
    """Open an epoch with tokens from a bucket."""
    require_role(draft, Role.TREASURER)
    load_pool(draft, command.pool)
    require_amount(command.amount)
    if command.score not in SCORES:
        raise Reject(Code.INVALID_SETTING, detail=f"a score is one of {', '.join(SCORES)}")
    if not draft.time <= command.starts < command.ends:
        raise Reject(Code.INVALID_SETTING, limit=draft.time, actual=command.starts, detail="starts and ends")
    running = _running(draft)
    if len(running) >= MOST_RUNNING:
        raise Reject(Code.EPOCH_EXISTS, limit=MOST_RUNNING, actual=len(running))
    epoch = Epoch(
        number=next_number(draft, "epoch"),
        pool=command.pool,
        token=command.token,
        source=command.bucket,
        score=command.score,
        starts=command.starts,
        ends=command.ends,
        budget=command.amount,
        left=command.amount,
        counted_at=draft.time,
    )
    ledger.move(draft, command.token, bucket(command.bucket), epoch.holder, command.amount)
    draft.put(epoch)
    draft.put(RunningEpochs((*running, epoch.number)))
    draft.record(
        events.EpochFunded(
            number=epoch.number,
            pool=epoch.pool,
            token=epoch.token,
            budget=epoch.budget,
            starts=epoch.starts,
            ends=epoch.ends,
            score=epoch.score,
        )
    )


def _running(draft: Draft) -> tuple[int, ...]:
    found = draft.get(RunningEpochs, ())
    return () if found is None else found.numbers


def _watched(draft: Draft) -> tuple[int, ...]:
    """``_running``, read once per command: a trade's events all ask, and no trade opens or ends an epoch."""
    numbers: tuple[int, ...] | None = draft.memo.get(RunningEpochs)
    if numbers is None:
        numbers = draft.memo[RunningEpochs] = _running(draft)
    return numbers


def join(draft: Draft, command: commands.JoinEpoch) -> None:
    """Take part; for shares, what one holds now counts from now."""
    epoch = draft.need(Epoch, (command.epoch,), Code.UNKNOWN_EPOCH)
    if draft.get(Soulbound, (draft.sender,)) is None:
        raise Reject(Code.NOT_SOULBOUND, detail=draft.sender)
    if draft.time >= epoch.ends:
        raise Reject(Code.EPOCH_OVER, limit=epoch.ends, actual=draft.time)
    if draft.get(EpochScore, (epoch.number, draft.sender)) is not None:
        raise Reject(Code.EPOCH_EXISTS, detail=draft.sender)
    held = 0
    if epoch.score == "shares":
        share = load_pool(draft, epoch.pool).share
        held = ledger.balance_of(draft, draft.sender, share)
        counted = epoch.counted(draft.time)
        draft.put(replace(counted, held=counted.held + held))
    draft.put(EpochScore(epoch.number, draft.sender, 0, held, draft.time))
    draft.record(events.EpochJoined(number=epoch.number, account=draft.sender))


def claim(draft: Draft, command: commands.ClaimEpoch) -> None:
    """Pay a participant his share of the budget, rounded down, once."""
    epoch = draft.need(Epoch, (command.epoch,), Code.UNKNOWN_EPOCH)
    if draft.time < epoch.ends:
        raise Reject(Code.EPOCH_NOT_OVER, limit=epoch.ends, actual=draft.time)
    score = draft.need(EpochScore, (epoch.number, draft.sender), Code.NOTHING_TO_CLAIM)
    epoch, score = epoch.counted(draft.time), score.counted(epoch, draft.time)
    reward = mul_div_down(epoch.budget, score.points, epoch.total) if epoch.total else 0
    if reward == 0:
        raise Reject(Code.NOTHING_TO_CLAIM, detail=draft.sender)
    draft.drop(score)
    draft.put(replace(epoch, left=epoch.left - reward))
    _stop(draft, epoch.number)
    ledger.move(draft, epoch.token, epoch.holder, draft.sender, reward)
    draft.record(
        events.EpochClaimed(
            number=epoch.number,
            account=draft.sender,
            token=epoch.token,
            amount=reward,
            points=score.points,
            total=epoch.total,
        )
    )


def close(draft: Draft, command: commands.CloseEpoch) -> None:
    """Return what nobody claimed."""
    require_role(draft, Role.TREASURER)
    epoch = draft.need(Epoch, (command.epoch,), Code.UNKNOWN_EPOCH)
    settings = draft.need(RevenueSettings, (epoch.pool,), Code.UNKNOWN_POOL)
    earliest = epoch.ends + settings.claim_window
    if draft.time < earliest:
        raise Reject(Code.EPOCH_NOT_OVER, limit=earliest, actual=draft.time)
    ledger.move(draft, epoch.token, epoch.holder, bucket(epoch.source), epoch.left)
    draft.drop(epoch)
    _stop(draft, epoch.number)
    draft.record(events.EpochClosed(number=epoch.number, token=epoch.token, returned=epoch.left))


def _stop(draft: Draft, number: int) -> None:
    running = _running(draft)
    if number in running:
        draft.put(RunningEpochs(tuple(other for other in running if other != number)))


def scored_trade(draft: Draft, event: PositionChanged) -> None:
    """A trade counts for volume."""
    _add(draft, "volume", event.account, abs(event.size_after - event.size_before))


def scored_swap(draft: Draft, event: Swapped) -> None:
    """So does a swap."""
    _add(draft, "volume", event.account, event.value_usd)


def scored_fee(draft: Draft, event: FeeCharged) -> None:
    """A fee paid counts for fees."""
    _add(draft, "fees", event.account, event.value_usd)


def _add(draft: Draft, kind: str, account: str, points: int) -> None:
    for number in _watched(draft):
        epoch = draft.get(Epoch, (number,))
        if epoch is None or epoch.score != kind or not epoch.starts <= draft.time < epoch.ends:
            continue
        score = draft.get(EpochScore, (number, account))
        if score is not None and points:
            draft.put(replace(score, points=score.points + points))
            draft.put(replace(epoch, total=epoch.total + points))


def held_more(draft: Draft, event: Issued) -> None:
    """Shares were minted."""
    _hold(draft, event.token, event.target, event.amount)


def held_less(draft: Draft, event: Retired) -> None:
    """Shares were burned."""
    _hold(draft, event.token, event.source, -event.amount)


def passed_on(draft: Draft, event: Transferred) -> None:
    """Shares changed hands."""
    if _watched(draft):
        _hold(draft, event.token, event.source, -event.amount)
        _hold(draft, event.token, event.target, event.amount)


def _hold(draft: Draft, token: str, account: str, change: int) -> None:
    for number in _watched(draft):
        epoch = draft.get(Epoch, (number,))
        if epoch is None or epoch.score != "shares":
            continue
        pool = draft.get(PoolSettings, (epoch.pool,))
        score = draft.get(EpochScore, (number, account))
        if pool is None or pool.share != token or score is None:
            continue
        counted, scored = epoch.counted(draft.time), score.counted(epoch, draft.time)
        draft.put(replace(counted, held=counted.held + change))
        draft.put(replace(scored, held=scored.held + change))
