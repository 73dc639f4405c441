"""Who owns what: tokens, balances and supplies. Every unit of every token is in exactly one balance."""

from __future__ import annotations

from zlp.engine.fixed import UNITS
from zlp.engine.leaves.base import Claim, Key, Leaf, Settings


class Token(Settings, frozen=True):
    """A token the venue knows.

    ``decimals``: base units of one whole token are ``10**decimals``. ``transferable``: accounts may send it
    to each other. ``faucet_limit``: most base units one faucet command may create; 0 closes the faucet
    (the only sane value outside a demo). ``native``: the token execution fees are paid in.
    ``burnable``: the treasurer may destroy what was bought back. ``issued``: the venue's own rules create and
    destroy it (shares of pools, stable tokens, rewards); the bridge never does: what it takes out of the venue
    is locked in it and counts on, so that no share gains or loses by the way.
    """

    symbol: str
    decimals: int
    transferable: bool = True
    faucet_limit: int = 0
    native: bool = False
    burnable: bool = False
    issued: bool = False

    @property
    def key(self) -> Key:
        """By symbol."""
        return (self.symbol,)

    @property
    def unit(self) -> int:
        """Base units of one whole token."""
        unit: int = UNITS[self.decimals]
        return unit

    def invalid(self) -> str | None:
        """Decimals outside 0..36 or an empty symbol can't be used."""
        if not 0 <= self.decimals < len(UNITS):
            return "decimals must be from 0 to 36"
        if not self.symbol:
            return "symbol must not be empty"
        if self.issued and self.faucet_limit:
            return "faucet_limit must be 0 for a token that the venue issues"
        return None


class Balance(Leaf, frozen=True):
    """What one owner holds of one token, in base units.

    Owners are accounts, or the engine's own holders, whose names contain a colon (``pool:main``,
    ``escrow:orders``, ``fees:treasury``); no account name may.
    """

    owner: str
    token: str
    amount: int

    @property
    def key(self) -> Key:
        """By owner and token."""
        return (self.owner, self.token)

    def broken(self) -> str | None:
        """No balance is negative."""
        return "balance below zero" if self.amount < 0 else None


class Supply(Leaf, frozen=True):
    """All that exists of one token inside the venue: deposits and mints less withdrawals and burns."""

    token: str
    amount: int

    @property
    def key(self) -> Key:
        """By token."""
        return (self.token,)

    def broken(self) -> str | None:
        """No supply is negative."""
        return "supply below zero" if self.amount < 0 else None


class Withdrawal(Leaf, frozen=True):
    """Tokens an account has asked out; held by ``withdrawal:<number>`` until the bridge settles."""

    number: int
    account: str
    token: str
    amount: int
    destination: str
    requested_at: int

    @property
    def key(self) -> Key:
        """By number."""
        return (self.number,)

    @property
    def holder(self) -> str:
        """Who holds the tokens meanwhile."""
        return f"withdrawal:{self.number}"

    def claim(self) -> Claim:
        """All of it."""
        return Claim(self.holder, self.token, self.amount)
