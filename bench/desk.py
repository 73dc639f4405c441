"""What the page asks of the desk, with many positions open, in process: python -m bench.desk

One account's view by the index of owners beside a walk over everybody's leaves; one pass over all positions with a
draft for all beside a draft for each.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.page_venue import SEED, populated
from bench.timing import interpreter, line, rates
from zlp.cli.local.clock import DemoClock
from zlp.cli.local.prices import made_up, path_of
from zlp.desks import desk_of
from zlp.engine import Root
from zlp.profiles.loader import load
from zlp.server.desk_risk import figures
from zlp.server.owned import FIELDS, AccountReader, Owned, owners
from zlp.simulator.feeds import assume
from zlp.simulator.world import World

POSITIONS = (1_000, 10_000)
ACCOUNT = "holder-1-1"


def filled(name: str, positions: int) -> Root:
    """A root of this profile in which so many people hold a position each."""
    profile, root = load(name), Root()
    for envelope in profile.genesis(identity="bench"):
        root.apply(envelope)
    first = next(made_up(SEED, 1, {}))
    world = World(root, profile.roles, assume(root.state, path_of(first)), SEED)
    populated(world, made_up(SEED, 20, first), positions, DemoClock())
    return root


def sides(root: Root) -> dict[str, Callable[[], int]]:
    """What is timed; each answers how often it did it."""
    desk, now, owned = desk_of(root.state), root.time, Owned(root)
    reader = AccountReader(owned, ACCOUNT)

    def walked() -> int:
        found = [leaf for kind in FIELDS for leaf in root.state.each(kind) if ACCOUNT in owners(leaf)]
        return len([*desk.positions(root.state, now, ACCOUNT), *found]) > 0

    def looked_up() -> int:
        for _ in range(20):
            found = [leaf for kind in FIELDS for leaf in reader.each(kind)]
            assert [*desk.positions(reader, now, ACCOUNT), *found]
        return 20

    def everybody() -> int:
        figures(desk, root.state, now)
        return 1

    return {"walked": walked, "looked up": looked_up, "risk": everybody}


def main() -> None:
    """Every profile at every size."""
    print(interpreter())
    for name in ("zeus", "zo", "zeno", "zaros"):
        for positions in POSITIONS:
            found = rates(sides(filled(name, positions)), rounds=5)
            print(line(f"{name}, {positions:,} positions: an account's leaves and positions, walked", found["walked"]))
            print(line("  by the index of owners", found["looked up"], found["walked"]))
            print(line("  the risk of all positions", found["risk"], note=f"{1_000 / found['risk']:.0f} ms each"))


if __name__ == "__main__":
    main()
