"""What must hold over a whole basket pool, the slow way: totals equal the sums over positions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from zlp.engine.leaves.isolated import IsolatedSettings, Market, Position
from zlp.engine.leaves.pool import PoolAsset
from zlp.engine.mechanisms.shorts import SoundShorts, entry_tokens
from zlp.engine.state import Reader


def faults(reader: Reader) -> Iterator[str]:
    """A sentence for every total that is not the sum of its positions."""
    reserved: dict[tuple[str, str], int] = defaultdict(int)
    longs: dict[tuple[str, str], int] = defaultdict(int)
    shorts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    guaranteed: dict[tuple[str, str], int] = defaultdict(int)
    for position in reader.each(Position):
        reserved[position.pool, position.collateral] += position.reserved
        market = (position.pool, position.index)
        if position.is_long:
            longs[market] += position.size
            guaranteed[position.pool, position.collateral] += position.size - position.collateral_usd
        else:
            shorts[market][0] += position.size
            shorts[market][1] += entry_tokens(position.size, position.average)
    for asset in reader.each(PoolAsset):
        if asset.reserved != reserved[asset.key]:  # type: ignore[index]
            yield f"{asset.key}: reserved {asset.reserved}, positions {reserved[asset.key]}"  # type: ignore[index]
        if asset.guaranteed != guaranteed[asset.key]:  # type: ignore[index]
            yield f"{asset.key}: guaranteed {asset.guaranteed}, positions {guaranteed[asset.key]}"  # type: ignore[index]
    for open_interest in reader.each(Market):
        key = (open_interest.pool, open_interest.token)
        if open_interest.long_size != longs[key]:
            yield f"{key}: longs {open_interest.long_size}, positions {longs[key]}"
        if open_interest.short_size != shorts[key][0]:
            yield f"{key}: shorts {open_interest.short_size}, positions {shorts[key][0]}"
        trading = reader.get(IsolatedSettings, (open_interest.pool,))
        sound = trading is not None and isinstance(trading.shorts, SoundShorts)
        if sound and open_interest.shorts.entry_tokens != shorts[key][1]:
            yield f"{key}: short entry {open_interest.shorts.entry_tokens}, positions {shorts[key][1]}"
