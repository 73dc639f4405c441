"""Revenue in a storm: collecting, the treasurer's decisions, the soulbound token, epochs."""

from __future__ import annotations

from tests.storm.scene import Scene
from zlp.engine import Command, Envelope
from zlp.engine.commands import revenue as commands
from zlp.engine.leaves.revenue import BUCKETS, Epoch


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
    number = scene.random.choice(epochs).number if epochs else 1
    command: Command = scene.random.choice((commands.JoinEpoch(epoch=number), commands.ClaimEpoch(epoch=number)))
    if draw > 0.97:
        return scene.envelope("treasurer", commands.CloseEpoch(epoch=number))
    return scene.envelope(scene.account(), command)


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
    return commands.FundEpoch(
        pool=scene.pool.pool,
        bucket=bucket,
        token=token,
        amount=scene.amount(held),
        starts=scene.now + scene.random.choice((0, 0, 60, -1)),
        ends=scene.now + scene.random.choice((60, 3_600, 86_400)),
        score=scene.random.choice(("volume", "fees", "shares", "luck")),
    )
