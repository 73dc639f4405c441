"""Staked pool shares: streams of revenue and emission, and vesting of escrowed rewards (N4, N5)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.access import next_number, require_role
from zlp.engine.branches.base import Branch
from zlp.engine.branches.custody import require_amount
from zlp.engine.commands import staking as commands
from zlp.engine.draft import Draft
from zlp.engine.events import staking as events
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.staking import RewardStream, Stake, StakeDebt, StakingSettings, Vesting
from zlp.engine.mechanisms.streaming import RewardRate, earned, not_earned
from zlp.engine.rejections import Code, Reject
from zlp.engine.state import Reader


def staking_of(draft: Draft, pool: str) -> StakingSettings:
    """The pool's staking, or ``unknown_staking``."""
    return draft.need(StakingSettings, (pool,), Code.UNKNOWN_STAKING)


def stake_minted(draft: Draft, pool: str, account: str, shares: int) -> None:
    """Stake freshly minted shares, unless the pool has no staking or the account asked otherwise."""
    settings = draft.get(StakingSettings, (pool,))
    if settings is None:
        return
    held = draft.get(Stake, (pool, account))
    if held is None or not held.manual:
        _change(draft, settings, account, shares)


def stake(draft: Draft, command: commands.StakeShares) -> None:
    """Put shares in."""
    require_amount(command.amount)
    _change(draft, staking_of(draft, command.pool), draft.sender, command.amount)


def unstake(draft: Draft, command: commands.UnstakeShares) -> None:
    """Take shares out."""
    require_amount(command.amount)
    settings = staking_of(draft, command.pool)
    held = _stake(draft, settings, draft.sender).amount
    if command.amount > held:
        raise Reject(Code.STAKE_INSUFFICIENT, limit=held, actual=command.amount)
    _change(draft, settings, draft.sender, -command.amount)


def set_automatic(draft: Draft, command: commands.SetAutomaticStaking) -> None:
    """Remember what the account wants for its mints."""
    settings = staking_of(draft, command.pool)
    draft.put(replace(_stake(draft, settings, draft.sender), manual=not command.automatic))


def claim(draft: Draft, command: commands.ClaimStreams) -> None:
    """Pay everything the stake has earned."""
    settings = staking_of(draft, command.pool)
    held = _stake(draft, settings, draft.sender).amount
    paid = 0
    for stream in _synced(draft, settings):
        total = earned(held, stream.per_share)
        amount = max(0, total - _debt(draft, stream, draft.sender))
        if amount:
            ledger.move(draft, stream.token, settings.reward_holder, draft.sender, amount)
            draft.put(StakeDebt(stream.pool, draft.sender, stream.token, total))
            draft.record(
                events.RewardClaimed(pool=stream.pool, account=draft.sender, token=stream.token, amount=amount)
            )
        paid += amount
    if not paid:
        raise Reject(Code.NOTHING_TO_CLAIM, detail=command.pool)


def pending(draft: Draft, pool: str, account: str, token: str) -> int:
    """Base units of ``token`` an account could claim now."""
    settings = staking_of(draft, pool)
    stream = _advanced(draft, settings, draft.get(RewardStream, (pool, token)) or RewardStream(pool, token))
    held = _stake(draft, settings, account).amount
    return max(0, earned(held, stream.per_share) - _debt(draft, stream, account))


def feed(draft: Draft, settings: StakingSettings, token: str, amount: int, seconds: int) -> None:
    """Stream ``amount``, which lies at the reward holder already, and what is left, over ``seconds``."""
    if not settings.rate.allows(seconds):
        raise Reject(Code.STREAM_LENGTH, limit=settings.rate.min_seconds, actual=seconds)
    stream = draft.get(RewardStream, (settings.pool, token)) or RewardStream(settings.pool, token)
    stream = _advanced(draft, settings, stream)
    left = RewardRate.left(stream.rate, max(0, stream.ends_at - draft.time))
    rate = RewardRate.rate(left, amount, seconds)
    stream = replace(stream, rate=rate, updated_at=draft.time, ends_at=draft.time + seconds, fed_at=draft.time)
    draft.put(stream)
    draft.record(events.StreamFed(pool=settings.pool, token=token, amount=amount, rate=rate, ends_at=stream.ends_at))


def start_emission(draft: Draft, command: commands.StartEmission) -> None:
    """Begin an epoch: create the escrow tokens it emits and stream them."""
    require_role(draft, Role.GOVERNOR)
    require_amount(command.amount)
    settings = staking_of(draft, command.pool)
    ledger.issue(draft, settings.escrow_token, settings.reward_holder, command.amount)
    feed(draft, settings, settings.escrow_token, command.amount, command.seconds)


def start_vesting(draft: Draft, command: commands.StartVesting) -> None:
    """Give escrow tokens up for their linear exchange."""
    require_amount(command.amount)
    settings = staking_of(draft, command.pool)
    number = next_number(draft, "vesting")
    ledger.move(draft, settings.escrow_token, draft.sender, settings.vesting_holder, command.amount)
    draft.put(Vesting(command.pool, number, draft.sender, command.amount, 0, draft.time))
    draft.record(events.VestingStarted(pool=command.pool, account=draft.sender, vesting=number, amount=command.amount))


def claim_vested(draft: Draft, command: commands.ClaimVested) -> None:
    """Exchange what has vested."""
    settings = staking_of(draft, command.pool)
    vesting = _pay_vested(draft, settings, _own_vesting(draft, command.pool, command.vesting), leaving=False)
    if vesting.claimed == vesting.amount:
        draft.drop(vesting)
    else:
        draft.put(vesting)


def leave_vesting(draft: Draft, command: commands.LeaveVesting) -> None:
    """Exchange what has vested; the rest ceases to exist."""
    settings = staking_of(draft, command.pool)
    draft.drop(_pay_vested(draft, settings, _own_vesting(draft, command.pool, command.vesting), leaving=True))


def _own_vesting(draft: Draft, pool: str, number: int) -> Vesting:
    vesting = draft.need(Vesting, (pool, number), Code.UNKNOWN_VESTING)
    if vesting.account != draft.sender:
        raise Reject(Code.SENDER_NOT_ALLOWED, detail=vesting.account)
    return vesting


def _pay_vested(draft: Draft, settings: StakingSettings, vesting: Vesting, *, leaving: bool) -> Vesting:
    vested = settings.vesting.vested(vesting.amount, draft.time - vesting.started_at)
    amount = max(0, vested - vesting.claimed)
    if not amount and not leaving:
        raise Reject(Code.NOTHING_TO_CLAIM, detail=settings.vested_token)
    rest = vesting.amount - vesting.claimed - amount
    forfeited = rest if leaving else 0
    ledger.retire(draft, settings.escrow_token, settings.vesting_holder, amount + forfeited)
    ledger.issue(draft, settings.vested_token, vesting.account, amount)
    draft.record(
        events.Vested(
            pool=settings.pool,
            account=vesting.account,
            vesting=vesting.number,
            amount=amount,
            forfeited=forfeited,
            left=rest - forfeited,
        )
    )
    return replace(vesting, claimed=vesting.claimed + amount)


def _stake(draft: Draft, settings: StakingSettings, account: str) -> Stake:
    return draft.get(Stake, (settings.pool, account)) or Stake(settings.pool, account)


def _debt(draft: Draft, stream: RewardStream, account: str) -> int:
    debt = draft.get(StakeDebt, (stream.pool, account, stream.token))
    return 0 if debt is None else debt.amount


def _change(draft: Draft, settings: StakingSettings, account: str, change: int) -> None:
    """Bring the streams up to now, then change the stake so that what was earned before stays the same."""
    held = _stake(draft, settings, account)
    for stream in _synced(draft, settings):
        shift = not_earned(change, stream.per_share) if change > 0 else -earned(-change, stream.per_share)
        if shift:
            debt = _debt(draft, stream, account) + shift
            draft.put(StakeDebt(stream.pool, account, stream.token, debt))
    if change > 0:
        ledger.move(draft, settings.share, account, settings.stake_holder, change)
    else:
        ledger.move(draft, settings.share, settings.stake_holder, account, -change)
    draft.put(replace(held, amount=held.amount + change))
    draft.record(
        events.SharesStaked(pool=settings.pool, account=account, before=held.amount, after=held.amount + change)
    )


def _synced(draft: Draft, settings: StakingSettings) -> list[RewardStream]:
    """The pool's streams, brought up to now and stored."""
    streams = []
    for token in (settings.revenue_token, settings.escrow_token):
        stream = draft.get(RewardStream, (settings.pool, token)) or RewardStream(settings.pool, token)
        stream = _advanced(draft, settings, stream)
        draft.put(stream)
        streams.append(stream)
    return streams


def _advanced(draft: Draft, settings: StakingSettings, stream: RewardStream) -> RewardStream:
    """The stream at this second; while nobody stakes, its end moves on, so no reward is lost or misdirected."""
    until = min(draft.time, stream.ends_at)
    seconds = max(0, until - stream.updated_at)
    if not seconds:
        return replace(stream, updated_at=max(stream.updated_at, draft.time))
    staked = ledger.balance_of(draft, settings.stake_holder, settings.share)
    if not staked:
        waited = draft.time - stream.updated_at
        return replace(stream, updated_at=draft.time, ends_at=stream.ends_at + waited)
    growth = RewardRate.per_share(seconds, stream.rate, staked)
    return replace(stream, per_share=stream.per_share + growth, updated_at=draft.time)


def audit(reader: Reader) -> list[str]:
    """Stakes, vesting and the ledger agree."""
    faults = []
    for settings in reader.each(StakingSettings):
        stakes = sum(stake.amount for stake in reader.each(Stake) if stake.pool == settings.pool)
        held = ledger.balance_of(reader, settings.stake_holder, settings.share)
        if stakes != held:
            faults.append(f"{settings.stake_holder} holds {held}, stakes are {stakes}")
        waiting = sum(
            vesting.amount - vesting.claimed for vesting in reader.each(Vesting) if vesting.pool == settings.pool
        )
        held = ledger.balance_of(reader, settings.vesting_holder, settings.escrow_token)
        if waiting != held:
            faults.append(f"{settings.vesting_holder} holds {held}, {waiting} is vesting")
    return faults


BRANCH = Branch(
    name="staking",
    version=1,
    summary="staked shares, streams of revenue and emission, vesting of escrowed rewards",
    handlers={
        commands.StakeShares: stake,
        commands.UnstakeShares: unstake,
        commands.SetAutomaticStaking: set_automatic,
        commands.ClaimStreams: claim,
        commands.StartEmission: start_emission,
        commands.StartVesting: start_vesting,
        commands.ClaimVested: claim_vested,
        commands.LeaveVesting: leave_vesting,
    },
    audit=lambda reader: iter(audit(reader)),
)
