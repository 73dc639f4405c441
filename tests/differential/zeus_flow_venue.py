"""The reference venue with orders: recorded requests and book orders as the commands they stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from tests.differential.zeus_venue import GOVERNOR, POOL, RICH, ReferenceVenue
from zlp.engine import Envelope, Receipt, Root, ledger
from zlp.engine.branches import orders
from zlp.engine.codec import canonical
from zlp.engine.commands.base import Command
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.governance import BranchCut, GrantRole, UpgradeBranches
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition, LiquidatePosition
from zlp.engine.commands.liquidity import Mint, Swap
from zlp.engine.commands.orders import CancelOrder, ExecuteOrder, PlaceOrder
from zlp.engine.events.orders import OrderCancelled, OrderPlaced
from zlp.engine.leaves.access import Role
from zlp.engine.leaves.base import Settings
from zlp.engine.leaves.isolated import IsolatedSettings, MarketSettings, Position
from zlp.engine.leaves.ledger import Token
from zlp.engine.leaves.orders import Order, OrderSettings
from zlp.engine.leaves.revenue import TREASURY
from zlp.engine.mechanisms.shorts import ReferenceShorts
from zlp.engine.rejections import Code, Reject

NATIVE = "NATIVE"
RECEIVER = "feeRecv"
DIRECTIONS = ("inc", "dec")
BEFORE_TRIGGER = (
    Code.MAX_LONGS_EXCEEDED,
    Code.MAX_SHORTS_EXCEEDED,
    Code.LEVERAGE_LOWERED,
    Code.INVALID_AVERAGE_PRICE,
)


@dataclass
class Result:
    """What became of an operation: refused with a code, or done, with an answer where it gives one."""

    code: Code | None = None
    answer: bool | None = None


class FlowVenue(ReferenceVenue):
    """Keeps the reference's numbering: requests by account and direction from 1, queues, book orders from 0."""

    def __init__(self, config: dict[str, Any], params: dict[str, str | Any]) -> None:
        self.params = params
        super().__init__(config)
        self.must(GOVERNOR, UpgradeBranches(cuts=(BranchCut(action="add", branch="orders", version=1),)))
        self.must(GOVERNOR, GrantRole(role=Role.KEEPER, holder="keeper"))
        for record in self._order_settings():
            self.configure(record)
        for account in config["accounts"]:
            self.must("bridge", Deposit(account=account, token=NATIVE, amount=RICH))
        self.requests: dict[tuple[str, str, int], int] = {}
        self.book: dict[tuple[str, str, int], int] = {}
        self.queues: dict[str, list[int]] = {"inc": [], "dec": []}
        self.starts = {"inc": 0, "dec": 0}

    def _order_settings(self) -> list[Settings]:
        params = self.params
        records: list[Settings] = [
            Token(NATIVE, 18),
            OrderSettings(
                fee_token=NATIVE,
                minimum_fee=int(params["minExecutionFee"]),
                immediate=("Mint", "Swap"),
                market_lifetime=int(params["maxTimeDelay"]),
                keeper_delay=int(params["minBlockDelayKeeper"]),
                owner_delay=int(params["minTimeDelayPublic"]),
                newer_price=False,
                maximum_open=10_000,
                minimum_margin=int(params["minPurchaseTokenAmountUsd"]),
            ),
            IsolatedSettings(
                POOL,
                opening_fee_bps=int(params["timelockMarginFee"]),
                closing_fee_bps=int(params["timelockMarginFee"]),
                liquidation_fee=int(self.config["liquidationFeeUsd"]),
                private_liquidation=True,
                deposit_fee_bps=int(params["depositFee"]),
                leverage_buffer_bps=int(params["increasePositionBufferBps"]),
                shorts=ReferenceShorts(),
            ),
        ]
        records += [
            MarketSettings(
                POOL,
                token,
                max_leverage=int(self.config["maxLeverage"]),
                max_long=int(params["maxGlobalLong"].get(token, 0)),
                max_short=int(params["maxGlobalShort"].get(token, 0)),
            )
            for token in self.tokens
        ]
        return records

    def run(self, record: dict[str, Any]) -> Result:
        """One operation."""
        handler: Callable[[dict[str, Any]], Result] = getattr(self, f"_{record['op']}")
        return handler(record)

    def _result(self, receipt: Receipt) -> Result:
        return Result(None if receipt.rejection is None else receipt.rejection.code)

    def _set_price(self, record: dict[str, Any]) -> Result:
        self.set_answers({record["token"]: record["answer"]})
        return Result()

    def _advance(self, record: dict[str, Any]) -> Result:
        self.now += int(record["seconds"])
        return Result()

    def _add_liquidity(self, record: dict[str, Any]) -> Result:
        mint = Mint(pool=POOL, token=record["token"], amount=int(record["amount"]))
        return self._result(self.apply(record["account"], mint))

    # requests ---------------------------------------------------------------------------------------------

    def _pr_inc(self, record: dict[str, Any]) -> Result:
        path = tuple(record["path"])
        action = IncreasePosition(
            pool=POOL,
            market=record["index"],
            collateral=path[-1],
            is_long=record["isLong"],
            amount=int(record["amountIn"]),
            size_delta=int(record["sizeDelta"]),
            path=path if len(path) > 1 else (),
            min_amount=int(record["minOut"]),
            acceptable_price=int(record["acceptablePrice"]),
        )
        return self._request("inc", record, action)

    def _pr_dec(self, record: dict[str, Any]) -> Result:
        path = tuple(record["path"])
        action = DecreasePosition(
            pool=POOL,
            market=record["index"],
            collateral=path[0],
            is_long=record["isLong"],
            size_delta=int(record["sizeDelta"]),
            collateral_delta=int(record["collateralDelta"]),
            path=path if len(path) > 1 else (),
            min_amount=int(record["minOut"]) if len(path) > 1 else 0,
            acceptable_price=int(record["acceptablePrice"]),
            to=record["receiver"],
        )
        return self._request("dec", record, action)

    def _request(self, direction: str, record: dict[str, Any], action: Command) -> Result:
        receipt = self.apply(record["account"], PlaceOrder(action=_text(action), fee=int(record["fee"])))
        if receipt.rejection is None:
            number = _placed(receipt)
            index = 1 + sum(key[:2] == (direction, record["account"]) for key in self.requests)
            self.requests[direction, record["account"], index] = number
            self.queues[direction].append(number)
        return self._result(receipt)

    def _pr_one(self, record: dict[str, Any]) -> Result:
        number = self.requests.get((record["dir"], record["account"], int(record["index_"])))
        if number is None or self.root.state.get(Order, (number,)) is None:
            return Result(answer=True)
        sender = record["sender"]
        if record["what"] == "execute":
            return self._execute_one(number, sender)
        return self._cancel_one(number, sender)

    def _execute_one(self, number: int, sender: str) -> Result:
        """The reference reverts where we cancel: look first, and leave the order where it would have stayed."""
        order = self.root.state.get(Order, (number,))
        assert order is not None
        if order.placed_at + int(self.params["maxTimeDelay"]) <= self.now:  # asked before who executes
            return Result(Code.REQUEST_EXPIRED)
        command = ExecuteOrder(number=number, reward_to=RECEIVER)
        receipt = self.root.quote(Envelope(time=self.now, account=sender, command=command)).receipt
        if receipt.rejection is not None:
            code = receipt.rejection.code
            young = code is Code.REQUEST_TOO_YOUNG and sender == "keeper"
            return Result(answer=False) if young else Result(code)
        ended = _ended(receipt)
        if ended is not None:
            return Result(ended)
        self.must(sender, command)
        return Result(answer=True)

    def _cancel_one(self, number: int, sender: str) -> Result:
        """A keeper of the reference may cancel what is old enough; ours only what has expired, or by failing."""
        order = self.root.state.get(Order, (number,))
        assert order is not None
        if sender == "keeper" and order.placed_at + int(self.params["minBlockDelayKeeper"]) > self.now:
            return Result(answer=False)
        if sender == "keeper":
            self._end_for_keeper(order)
            return Result(answer=True)
        receipt = self.apply(sender, CancelOrder(number=number))
        if receipt.rejection is None:  # ours returns the fee to the owner, theirs to whom the canceller names
            self._pay_native(order.account, RECEIVER, order.fee)
        return Result(None if receipt.rejection is None else receipt.rejection.code, receipt.rejection is None or None)

    def _end_for_keeper(self, order: Order) -> None:
        draft = self.draft("keeper")
        orders._end(draft, order, "cancelled", RECEIVER)
        self.root._commit(draft)

    def _pay_native(self, source: str, target: str, amount: int) -> None:
        draft = self.draft(source)
        ledger.move(draft, NATIVE, source, target, amount)
        self.root._commit(draft)

    def _pr_batch(self, record: dict[str, Any]) -> Result:
        """The keeper's loop: stop at what is too young, cancel what fails, blank what is done."""
        if record["sender"] != "keeper":
            return Result(Code.ROLE_REQUIRED)
        direction = record["dir"]
        queue = self.queues[direction]
        end = min(int(record["end"]), len(queue))
        while self.starts[direction] < end:
            number = queue[self.starts[direction]]
            if self.root.state.get(Order, (number,)) is not None:
                receipt = self.apply("keeper", ExecuteOrder(number=number, reward_to=RECEIVER))
                if receipt.rejection is not None:
                    break
            self.starts[direction] += 1
        return Result()

    # book orders ------------------------------------------------------------------------------------------

    def _ob_inc(self, record: dict[str, Any]) -> Result:
        account, path = record["account"], tuple(record["path"])
        amount, purchase = int(record["amountIn"]), path[-1]
        fee = int(record["fee"])
        if fee < int(self.params["minExecutionFee"]):
            return Result(Code.EXECUTION_FEE_TOO_SMALL)
        if ledger.balance_of(self.root.state, account, path[0]) < amount:
            return Result(Code.INSUFFICIENT_BALANCE)
        if len(path) > 1:
            swap = Swap(pool=POOL, path=path, amount=amount, min_amount=int(record["minOut"]))
            try:
                replace(swap, amount=1).require_form()  # theirs asks the amount after all else
            except Reject as refused:
                return Result(refused.rejection.code)
            root, before = self.root, ledger.balance_of(self.root.state, account, purchase)
            self.root = Root(root.state.leaves(), chain=root.chain, sequence=root.sequence, time=root.time)
            swapped = self._result(self.apply(account, swap))
            if swapped.code is not None:
                return swapped
            amount = ledger.balance_of(self.root.state, account, purchase) - before
        collateral = record["collateral"]
        action = IncreasePosition(
            pool=POOL,
            market=record["index"],
            collateral=collateral,
            is_long=record["isLong"],
            amount=amount,
            size_delta=int(record["sizeDelta"]),
            path=(purchase, collateral) if purchase != collateral else (),
            keep_leverage=True,
        )
        result = self._rest("inc", record, action, record["index"], fee)
        if len(path) > 1 and result.code is not None:
            self.root = root  # theirs is one transaction: without an order there was no swap
        return result

    def _ob_dec(self, record: dict[str, Any]) -> Result:
        if int(record["value"]) <= int(self.params["minExecutionFee"]):
            return Result(Code.EXECUTION_FEE_TOO_SMALL)
        action = DecreasePosition(
            pool=POOL,
            market=record["index"],
            collateral=record["collateral"],
            is_long=record["isLong"],
            size_delta=int(record["sizeDelta"]),
            collateral_delta=int(record["collateralDelta"]),
        )
        return self._rest("dec", record, action, record["index"], int(record["value"]))

    def _ob_swap(self, record: dict[str, Any]) -> Result:
        path = tuple(record["path"])
        action = Swap(pool=POOL, path=path, amount=int(record["amountIn"]), min_amount=int(record["minOut"]))
        try:
            action.require_form()  # theirs looks at the path before the fee
        except Reject as refused:
            return Result(refused.rejection.code)
        asset = path[-1] if record["above"] else ""
        return self._rest("swap", record, action, asset, int(record["fee"]), quote=path[0] if asset else "")

    def _rest(
        self, kind: str, record: dict[str, Any], action: Command, asset: str, fee: int, quote: str = ""
    ) -> Result:
        order = PlaceOrder(
            action=_text(action),
            fee=fee,
            resting=True,
            trigger_asset=asset,
            trigger_quote=quote,
            trigger_price=int(record["trigger"]) if asset else 0,
            trigger_above=record["above"],
        )
        receipt = self.apply(record["account"], order)
        if receipt.rejection is None:
            index = sum(key[:2] == (kind, record["account"]) for key in self.book)
            self.book[kind, record["account"], index] = _placed(receipt)
        return self._result(receipt)

    def _ob_cancel(self, record: dict[str, Any]) -> Result:
        number = self.book.get((record["kind"], record["account"], int(record["index_"])), 0)
        return self._result(self.apply(record["account"], CancelOrder(number=number)))

    def _pm_exec(self, record: dict[str, Any]) -> Result:
        number = self.book.get((record["kind"], record["account"], int(record["index_"])), 0)
        order = self.root.state.get(Order, (number,))
        if record["sender"] != "keeper":
            return Result(Code.ROLE_REQUIRED)
        if order is not None:
            refused = self._refused_before_trigger(order)
            if refused is not None:
                return Result(refused)
        command = ExecuteOrder(number=number, reward_to=RECEIVER)
        quoted = self.root.quote(Envelope(time=self.now, account="keeper", command=command)).receipt
        ended = _ended(quoted)
        if ended is not None:  # no later price cures it: ours ends it, theirs leaves it in the book
            return Result(ended)
        return self._result(self.apply("keeper", command))

    def _refused_before_trigger(self, order: Order) -> Code | None:
        """The reference's manager asks limits and tracker before the book asks the trigger, ours after it."""
        try:
            orders._run(self.draft("keeper"), order, orders.action_of(order), RECEIVER, None)
        except Reject as refused:
            code = refused.rejection.code
            return code if code in BEFORE_TRIGGER else None
        return None

    def _pm_liq(self, record: dict[str, Any]) -> Result:
        if record["sender"] not in self.config["liquidators"]:  # asked before anything of the position
            return Result(Code.LIQUIDATOR_NOT_ALLOWED)
        command = LiquidatePosition(
            pool=POOL,
            account=record["account"],
            market=record["index"],
            collateral=record["collateral"],
            is_long=record["isLong"],
            reward_to=record.get("feeReceiver", RECEIVER),
        )
        return self._result(self.apply(record["sender"], command))

    # comparison -------------------------------------------------------------------------------------------

    def flow_differences(self, record: dict[str, Any]) -> list[str]:
        """Queues, escrow, deposit fees, every open position."""
        state = record["state"]
        queues = [str(n) for d in DIRECTIONS for n in (self.starts[d], len(self.queues[d]))]
        ours = {
            "queues(incStart,incLen,decStart,decLen)": queues,
            "prFeeReserves": [str(ledger.balance_of(self.root.state, TREASURY, token)) for token in self.tokens],
            "prBalance": self._escrow(False, TREASURY),
            "obBalance": self._escrow(True, ""),
        }
        found = [f"{name} {state[name]} is {value}" for name, value in ours.items() if state[name] != value]
        positions = sorted(map(_listed, self.root.state.each(Position)))
        if positions != sorted(record["positions"]):
            found.append(f"positions {sorted(record['positions'])} are {positions}")
        return found

    def _escrow(self, resting: bool, also: str) -> list[str]:
        """What orders of one kind hold; the reference keeps fees wrapped in its first token."""
        held = dict.fromkeys(self.tokens, 0)
        for order in self.root.state.each(Order):
            if order.resting == resting:
                for token in self.tokens:
                    held[token] += ledger.balance_of(self.root.state, order.holder, token)
                held[self.tokens[0]] += ledger.balance_of(self.root.state, order.holder, NATIVE)
        if also:
            for token in self.tokens:
                held[token] += ledger.balance_of(self.root.state, also, token)
        return [str(held[token]) for token in self.tokens]


def _text(action: Command) -> str:
    return canonical(action).decode()


def _placed(receipt: Receipt) -> int:
    return next(event.number for event in receipt.events if isinstance(event, OrderPlaced))


def _ended(receipt: Receipt) -> Code | None:
    """Why an execution ended an order without running it."""
    for event in receipt.events:
        if isinstance(event, OrderCancelled):
            return Code.REQUEST_EXPIRED if event.reason == "expired" else Code(event.reason)
    return None


def _listed(position: Position) -> list[Any]:
    numbers = (
        position.size,
        position.collateral_usd,
        position.average,
        position.entry_funding,
        position.reserved,
        position.pnl,
        position.increased_at,
    )
    return [position.account, position.collateral, position.index, position.is_long, *map(str, numbers)]
