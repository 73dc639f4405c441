"""The catalogue: every branch the package has, by name and version."""

from __future__ import annotations

from zlp.engine.branches.base import Branch

CATALOGUE: dict[tuple[str, int], Branch] = {}


def register(*branches: Branch) -> None:
    """Add branches to the catalogue; a name and version can be taken once."""
    for branch in branches:
        if (branch.name, branch.version) in CATALOGUE:
            raise ValueError(f"branch {branch.name} version {branch.version} is registered twice")
        CATALOGUE[branch.name, branch.version] = branch
