"""A market's cash with the engine: losses come in, profits are minted, fees are received (reference 6 and 9)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.branches.credit.values import (
    credit_settings,
    market_settings,
    market_state,
    realized_debt,
    unrealized_debt,
    usd_of,
)
from zlp.engine.draft import Draft
from zlp.engine.events import credit as events
from zlp.engine.events.liquidity import FeeCharged
from zlp.engine.fixed import RATE, USD, amount_of, mul_div_down, value_of
from zlp.engine.leaves.credit import (
    PROTOCOL_HOLDER,
    SETTLED_HOLDER,
    STAKERS_HOLDER,
    CreditMarket,
    CreditMarketSettings,
    FeeRecipients,
)
from zlp.engine.mechanisms.credit import capacity, per_credit, split_fee
from zlp.engine.rejections import Code, Reject


def distribute(draft: Draft, market: str) -> CreditMarket:
    """Index what the market's debt has changed by since the last time, over the credit lent meanwhile.

    O(1) in vaults. While no vault has ever lent to the market its debt waits for who does.
    """
    state = market_state(draft, market)
    if not state.bearing:
        return state
    realized = realized_debt(draft, state)
    unrealized = unrealized_debt(draft, market_settings(draft, market))
    if realized == state.realized_seen and unrealized == state.unrealized_seen:
        return state
    realized_change = realized - state.realized_seen
    unrealized_change = unrealized - state.unrealized_seen
    state = replace(
        state,
        realized_index=state.realized_index + per_credit(realized_change, state.bearing),
        unrealized_index=state.unrealized_index + per_credit(unrealized_change, state.bearing),
        realized_seen=realized,
        unrealized_seen=unrealized,
    )
    draft.put(state)
    draft.record(
        events.DebtDistributed(
            market=market,
            realized_change=realized_change,
            unrealized_change=unrealized_change,
            delegated=state.bearing,
        )
    )
    return state


def total_debt(draft: Draft, settings: CreditMarketSettings) -> int:
    """Realised and unrealised debt of a market (USD, signed), as of now."""
    return realized_debt(draft, market_state(draft, settings.market)) + unrealized_debt(draft, settings)


def credit_capacity(draft: Draft, settings: CreditMarketSettings) -> int:
    """What the market may still pay out: the credit lent to it less its debt (Z3)."""
    return capacity(market_state(draft, settings.market).delegated, total_debt(draft, settings))


def payable(draft: Draft, settings: CreditMarketSettings, profit: int) -> tuple[int, int]:
    """``(payout, factor)`` of a profit that is still part of the unrealised debt; the curve applies once (Z5)."""
    state = market_state(draft, settings.market)
    debt = total_debt(draft, settings)
    left = capacity(state.delegated, debt)
    if left <= 0:
        raise Reject(Code.INSUFFICIENT_CREDIT_CAPACITY, limit=left, actual=profit, detail=settings.market)
    factor = settings.deleverage.payout_factor(state.delegated, debt)
    return mul_div_down(profit, factor, RATE), factor


def pay_profit(
    draft: Draft, settings: CreditMarketSettings, account: int, target: str, profit: int, payout: int, factor: int
) -> int:
    """Mint the payout in stable tokens and book it as the market's debt (Z4); answers the base units."""
    stable = ledger.token(draft, credit_settings(draft).stable)
    minted = amount_of(payout, USD, stable.unit)
    state = market_state(draft, settings.market)
    draft.put(replace(state, issued=state.issued + value_of(minted, USD, stable.unit)))
    ledger.issue(draft, stable.symbol, target, minted)
    draft.record(
        events.ProfitMinted(
            market=settings.market, trading_account=account, profit_usd=profit, payout_factor=factor, minted=minted
        )
    )
    return minted


def take_loss(draft: Draft, market: str, account: int, source: str, token: str, amount: int) -> None:
    """Receive what a loser pays: stable tokens lower the issuance, settlement tokens reach the vaults at once,
    anything else waits as a credit deposit for its conversion."""
    if not amount:
        return
    tokens = credit_settings(draft)
    state = market_state(draft, market)
    value = usd_of(draft, token, amount)
    if token == tokens.settlement and state.bearing:
        ledger.move(draft, token, source, SETTLED_HOLDER, amount)
        push_settlement(draft, state, amount)
    else:
        issued = state.issued - (value if token == tokens.stable else 0)
        held = state.tokens if token in state.tokens else (*state.tokens, token)
        draft.put(replace(state, issued=issued, tokens=held))
        ledger.move(draft, token, source, state.deposits_holder, amount)
    draft.record(
        events.LossDeposited(market=market, trading_account=account, token=token, amount=amount, value_usd=value)
    )


def push_settlement(draft: Draft, state: CreditMarket, amount: int) -> None:
    """Index settlement tokens, already with the engine, to the vaults behind the market."""
    if not state.bearing:
        raise Reject(Code.NO_DELEGATED_CREDIT, detail=state.market)
    draft.put(replace(state, settled_index=state.settled_index + per_credit(amount, state.bearing)))


def receive_fee(draft: Draft, market: str, kind: str, payer: tuple[str, str], token: str, amount: int) -> None:
    """Receive a fee from ``payer`` (account, holder): reward tokens are split at once, others wait (Z7).

    None of it stays in a vault: stakers receive their part in reward tokens, beside the value of their shares.
    """
    if not amount:
        return
    account, source = payer
    draft.record(
        FeeCharged(
            kind=kind,
            pool=market,
            account=account,
            token=token,
            amount=amount,
            to_pool=0,
            value_usd=usd_of(draft, token, amount),
        )
    )
    if token == credit_settings(draft).reward:
        split_reward(draft, market, source, amount)
    else:
        ledger.move(draft, token, source, market_state(draft, market).fees_holder, amount)


def protocol_share(draft: Draft) -> int:
    """The protocol's part of all fees, at 1e18."""
    recipients = draft.get(FeeRecipients, ())
    return 0 if recipients is None else recipients.protocol_share


def split_reward(draft: Draft, market: str, source: str, amount: int) -> tuple[int, int]:
    """Split reward tokens between the protocol and the vaults behind a market; without vaults all is the protocol's."""
    state = market_state(draft, market)
    reward = credit_settings(draft).reward
    protocol, vaults = split_fee(amount, protocol_share(draft)) if state.bearing else (amount, 0)
    ledger.move(draft, reward, source, PROTOCOL_HOLDER, protocol)
    ledger.move(draft, reward, source, STAKERS_HOLDER, vaults)
    if vaults:
        draft.put(replace(state, reward_index=state.reward_index + per_credit(vaults, state.bearing)))
    return protocol, vaults
