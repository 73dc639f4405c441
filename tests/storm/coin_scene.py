"""What a generator of commands sees of a venue with a pool of coin vaults."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from tests.storm.scene import Scene
from zlp.engine.leaves.borrowed import BorrowedPosition, BorrowMarketSettings
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, CoinVault, CoinVaultSettings
from zlp.engine.leaves.ledger import Token


class Kind(NamedTuple):
    """What the dice need to know of a token."""

    decimals: int
    stable: bool


class CoinScene(Scene):
    """The scene of a pool of coin vaults: the same names, other records."""

    @cached_property
    def pool(self) -> Any:
        """The venue's first pool."""
        return next(iter(self.state.each(BorrowPoolSettings)))

    @cached_property
    def assets(self) -> Any:
        """The pool's tokens."""
        found = {}
        for settings in self.state.each(CoinVaultSettings):
            token = self.state.get(Token, (settings.token,))
            assert token is not None
            found[settings.token] = Kind(token.decimals, settings.stable)
        return found

    @cached_property
    def positions(self) -> Any:
        """Every open position."""
        return list(self.state.each(BorrowedPosition))

    @cached_property
    def markets(self) -> list[BorrowMarketSettings]:
        """Every market."""
        return list(self.state.each(BorrowMarketSettings))

    def vault(self, token: str) -> CoinVault:
        """The vault of a token as it was last stored."""
        return self.state.get(CoinVault, (self.pool.pool, token)) or CoinVault(self.pool.pool, token)
