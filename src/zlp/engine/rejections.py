"""Why a command can't be done: one flat catalogue of stable codes.

Three kinds of failure are never mixed. A ``Rejection`` is a value: the command can't be done, nothing
changed. ``InvariantBroken`` is our fault: whoever runs the root must stop. Everything else (feeds, journal, network)
belongs to the edges and never reaches the engine.
"""

from __future__ import annotations

import enum

import msgspec


class Code(enum.StrEnum):
    """Stable codes. Values never change; which of several applies is the order of a branch's steps."""

    # envelope and authority
    MALFORMED_COMMAND = "malformed_command"
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"
    UNKNOWN_COMMAND = "unknown_command"
    TIME_WENT_BACK = "time_went_back"
    DEADLINE_PASSED = "deadline_passed"
    NONCE_USED = "nonce_used"
    NONCE_OUT_OF_WINDOW = "nonce_out_of_window"
    AGENT_NOT_APPROVED = "agent_not_approved"
    AGENT_EXPIRED = "agent_expired"
    AGENT_OUT_OF_SCOPE = "agent_out_of_scope"
    ROLE_REQUIRED = "role_required"
    SENDER_NOT_ALLOWED = "sender_not_allowed"
    PAUSED = "paused"
    # governance
    UNKNOWN_SETTING = "unknown_setting"
    INVALID_SETTING = "invalid_setting"
    SETTING_IN_USE = "setting_in_use"
    UNKNOWN_BRANCH = "unknown_branch"
    BRANCH_EXISTS = "branch_exists"
    BRANCH_CONFLICT = "branch_conflict"
    BRANCH_REQUIRED = "branch_required"
    UNKNOWN_PROPOSAL = "unknown_proposal"
    ALREADY_APPROVED = "already_approved"
    NOT_A_MEMBER = "not_a_member"
    UNKNOWN_MULTISIG = "unknown_multisig"
    # arithmetic
    ARITHMETIC_UNDERFLOW = "arithmetic_underflow"
    DIVISION_BY_ZERO = "division_by_zero"
    # custody
    UNKNOWN_TOKEN = "unknown_token"
    INVALID_ACCOUNT = "invalid_account"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    TRANSFER_FORBIDDEN = "transfer_forbidden"
    FAUCET_CLOSED = "faucet_closed"
    UNKNOWN_WITHDRAWAL = "unknown_withdrawal"
    ZERO_AMOUNT = "zero_amount"
    # prices
    UNKNOWN_FEED = "unknown_feed"
    INVALID_PRICE = "invalid_price"
    NO_PRICE = "no_price"
    STALE_PRICE = "stale_price"
    DISPUTED_PRICE = "disputed_price"
    FEED_OFFLINE = "feed_offline"
    POST_TOO_SOON = "post_too_soon"
    POST_TIME_TOO_OLD = "post_time_too_old"
    POST_TIME_TOO_NEW = "post_time_too_new"
    ALREADY_VOTED = "already_voted"
    NO_VOTE = "no_vote"
    ADJUSTMENT_TOO_SOON = "adjustment_too_soon"
    # basket pool
    UNKNOWN_POOL = "unknown_pool"
    TOKEN_NOT_LISTED = "token_not_listed"
    INPUT_NOT_LISTED = "input_not_listed"
    OUTPUT_NOT_LISTED = "output_not_listed"
    MANAGED_ONLY = "managed_only"
    MINT_DISABLED = "mint_disabled"
    SWAP_DISABLED = "swap_disabled"
    SAME_TOKEN = "same_token"
    INVALID_PATH = "invalid_path"
    DEBT_TOO_SMALL = "debt_too_small"
    REDEMPTION_TOO_SMALL = "redemption_too_small"
    OUTPUT_TOO_SMALL = "output_too_small"
    POOL_INSUFFICIENT = "pool_insufficient"
    RESERVE_EXCEEDS_POOL = "reserve_exceeds_pool"
    RESERVE_INSUFFICIENT = "reserve_insufficient"
    POOL_BELOW_BUFFER = "pool_below_buffer"
    MAX_DEBT_EXCEEDED = "max_debt_exceeded"
    DEBT_BELOW_MINIMUM = "debt_below_minimum"
    SHARES_BELOW_MINIMUM = "shares_below_minimum"
    AMOUNT_BELOW_MINIMUM = "amount_below_minimum"
    COOLDOWN_NOT_PASSED = "cooldown_not_passed"
    # isolated positions
    LEVERAGE_DISABLED = "leverage_disabled"
    UNKNOWN_MARKET = "unknown_market"
    MISMATCHED_COLLATERAL = "mismatched_collateral"
    COLLATERAL_NOT_LISTED = "collateral_not_listed"
    COLLATERAL_IS_STABLE = "collateral_is_stable"
    COLLATERAL_NOT_STABLE = "collateral_not_stable"
    INDEX_IS_STABLE = "index_is_stable"
    INDEX_NOT_SHORTABLE = "index_not_shortable"
    COLLATERAL_BELOW_FEES = "collateral_below_fees"
    EMPTY_POSITION = "empty_position"
    ZERO_POSITION = "zero_position"
    SIZE_EXCEEDED = "size_exceeded"
    COLLATERAL_EXCEEDED = "collateral_exceeded"
    COLLATERAL_LEFT = "collateral_left"
    SIZE_BELOW_COLLATERAL = "size_below_collateral"
    INVALID_AVERAGE_PRICE = "invalid_average_price"
    LOSSES_EXCEED_COLLATERAL = "losses_exceed_collateral"
    FEES_EXCEED_COLLATERAL = "fees_exceed_collateral"
    LIQUIDATION_FEE_EXCEEDS_COLLATERAL = "liquidation_fee_exceeds_collateral"
    MAX_LEVERAGE_EXCEEDED = "max_leverage_exceeded"
    POSITION_NOT_LIQUIDATABLE = "position_not_liquidatable"
    LIQUIDATOR_NOT_ALLOWED = "liquidator_not_allowed"
    MAX_SHORTS_EXCEEDED = "max_shorts_exceeded"
    MAX_LONGS_EXCEEDED = "max_longs_exceeded"
    MAX_POSITION_SIZE_EXCEEDED = "max_position_size_exceeded"
    PRICE_ABOVE_ACCEPTABLE = "price_above_acceptable"
    PRICE_BELOW_ACCEPTABLE = "price_below_acceptable"
    LEVERAGE_DECREASE = "leverage_decrease"
    # requests and orders
    ACTION_NOT_IMMEDIATE = "action_not_immediate"
    ACTION_NOT_ALLOWED = "action_not_allowed"
    UNKNOWN_REQUEST = "unknown_request"
    UNKNOWN_ORDER = "unknown_order"
    EXECUTION_FEE_TOO_SMALL = "execution_fee_too_small"
    REQUEST_EXPIRED = "request_expired"
    REQUEST_TOO_YOUNG = "request_too_young"
    PRICE_NOT_NEWER = "price_not_newer"
    PRICE_NOT_REACHED = "price_not_reached"
    PURCHASE_TOO_SMALL = "purchase_too_small"
    TOO_MANY_ORDERS = "too_many_orders"
    # revenue
    UNKNOWN_BUCKET = "unknown_bucket"
    BUCKET_INSUFFICIENT = "bucket_insufficient"
    ALREADY_SOULBOUND = "already_soulbound"
    NOT_SOULBOUND = "not_soulbound"
    UNKNOWN_EPOCH = "unknown_epoch"
    EPOCH_NOT_OVER = "epoch_not_over"
    EPOCH_OVER = "epoch_over"
    EPOCH_EXISTS = "epoch_exists"
    NOTHING_TO_CLAIM = "nothing_to_claim"
    NOT_BURNABLE = "not_burnable"


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """Why a command was refused: the code, the limit that was broken and the value that broke it."""

    code: Code
    limit: int | None = None
    actual: int | None = None
    detail: str = ""


class Reject(Exception):  # noqa: N818 - it is control flow inside the engine, never an error of a caller
    """Raised anywhere inside a branch; the root drops the draft and returns the rejection."""

    __slots__ = ("rejection",)

    def __init__(
        self, code: Code, *, limit: int | None = None, actual: int | None = None, detail: str = ""
    ) -> None:
        super().__init__(code)
        self.rejection = Rejection(code, limit, actual, detail)


class InvariantBroken(RuntimeError):  # noqa: N818 - named by what happened
    """A property that must always hold does not: the engine is at fault and must not go on."""
