"""Revenue in a storm: collecting, the treasurer's decisions, the soulbound token, epochs."""

from __future__ import annotations

from tests.storm.scene import Scene
from zlp.engine import Command, Envelope
from zlp.engine.commands import revenue as commands
from zlp.engine.leaves.revenue import BUCKETS, Epoch, EpochScore, Soulbound


def next_command(scene: Scene) -> Envelope:
    """Anything about fees that have been collected."""
    pool, token = scene.pool.pool, scene.token()
    draw = scene.random.random()
    if draw < 0.25:
        return scene.envelope(scene.account(), commands.CollectFees(pool=pool, token=token))
    if draw < 0.35:
        limit = scene.held("fees:treasury", token) + 10**24
        return scene.envelope(scene.account(), commands.MintSoulbound(pool=pool, token=token, max_amount=limit))
    if draw < 0.65:
        return scene.envelope(scene.random.choice(("treasurer", "treasurer", scene.account())), _decision(scene, token))
    epochs = list(scene.state.each(Epoch))
    if not epochs:
        return scene.envelope("treasurer", _epoch(scene, token, "treasury", scene.held("fees:treasury", token)))
    epoch = scene.random.choice(epochs)
    over = scene.now >= epoch.ends
    if over and scene.random.random() < 0.15:
        return scene.envelope("treasurer", commands.CloseEpoch(epoch=epoch.number))
    likely, other = commands.JoinEpoch(epoch=epoch.number), commands.ClaimEpoch(epoch=epoch.number)
    command: Command = other if over == (scene.random.random() < 0.9) else likely
    scores = [score.account for score in scene.state.each(EpochScore) if score.epoch == epoch.number]
    holders = [holder.account for holder in scene.state.each(Soulbound)]
    return scene.envelope(scene.random.choice((scores if over else holders) or [scene.account()]), command)


def _decision(scene: Scene, token: str) -> Command:
    """The treasurer's."""
    bucket = scene.random.choice((*BUCKETS, "nowhere"))
    held = scene.held(BUCKETS.get(bucket, ""), token)
    kind = scene.random.randrange(4)
    if kind == 0:
        return commands.AllocateFees(bucket=bucket, token=token, amount=scene.amount(held), to=scene.account())
    if kind == 1:
        path = (token, scene.random.choice((scene.token(), scene.pool.share)))
        amount = scene.amount(scene.held("fees:buyback", token))
        return commands.Buyback(pool=scene.pool.pool, path=path, amount=amount, min_amount=0)
    if kind == 2:
        share = scene.pool.share
        return commands.BurnBought(token=share, amount=scene.amount(scene.held("fees:buyback", share)))
    return _epoch(scene, token, bucket, held)


def _epoch(scene: Scene, token: str, bucket: str, held: int) -> Command:
    """A reward programme of some hours, or one that can't be."""
    return commands.FundEpoch(
        pool=scene.pool.pool,
        bucket=bucket,
        token=token,
        amount=scene.amount(held),
        starts=scene.now + scene.random.choice((0, 0, 0, 60, -1)),
        ends=scene.now + scene.random.choice((60, 8_000, 86_400, 300_000)),
        score=scene.random.choice(("volume", "volume", "fees", "fees", "shares", "shares", "luck")),
    )
