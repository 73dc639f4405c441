// From a wish to the commands that are signed: orders around actions, prices that are still acceptable, margin.

import { priceOf, state } from "./store.js";
import { text, units, cut, USD } from "./numbers.js";

let kinds = null;

/** Kinds of commands by name, with whether an order may carry them. */
export async function commandKinds(get) {
  kinds ||= new Map((await get("/v1/commands")).items.map((kind) => [kind.type, kind]));
  return kinds;
}

export const orderable = (command) => kinds?.get(command.type)?.orderable ?? false;

export const immediate = (command) => !orderable(command) || !state.orders || state.orders.immediate.includes(command.type);

/** The registry wants a price strictly passed; what one waits for counts too, so it is told the next unit before it. */
export const beyond = (limit, above) => limit + (above ? -1n : 1n);

/** The price that an order of the registry executes at. */
export const limitOf = (row) => text(BigInt(row.trigger_price) + (row.trigger_above ? 1n : -1n), USD);

/** An order around an action: at the next prices, or when `trigger` is reached. */
export function order(action, trigger = null) {
  return {
    type: "PlaceOrder",
    action: JSON.stringify(action),
    fee: state.orders.minimum_fee,
    resting: Boolean(trigger),
    trigger_asset: trigger ? trigger.asset : "",
    trigger_quote: "",
    trigger_price: trigger ? beyond(units(trigger.price, USD), trigger.above).toString() : "0",
    trigger_above: trigger ? trigger.above : false,
    expires: "0",
    client: "",
  };
}

/** What is sent for these actions: directly where the venue runs them at once, as orders where it does not. */
export function sent(commands, trigger = null) {
  return commands.map((command, index) => {
    if (trigger && index === commands.length - 1) return order(command, trigger);
    return immediate(command) ? command : order(command);
  });
}

/** The worst price one accepts, `slippage` bps from `price`, rounded against oneself never. */
export function worst(price, buys, slippage) {
  const exact = cut(price, USD);
  const part = (exact * BigInt(slippage)) / 10000n;
  return (buys ? exact + part : exact - part).toString();
}

/** Basis points that a collateral may lose before the action runs, where a design lets one say so. */
const HALF = 5_000;

/** The action with the worst prices it may run at, where it has any. */
export function guarded(command, price, buys, slippage) {
  if (!("acceptable_price" in command) || !slippage) return command;
  const bound = { ...command, acceptable_price: worst(price, buys, slippage) };
  if ("collateral_price_floor" in command) bound.collateral_price_floor = worst(priceOf(command.token) || "0", false, HALF);
  return bound;
}

/** Tokens that may be paid into a position of this side. */
export function payable(market, isLong) {
  const accepted = isLong ? market.long_collaterals : market.short_collaterals;
  if (state.desk.design !== "isolated") return accepted;
  const tokens = state.desk.pools.find((pool) => pool.pool === market.pool)?.assets.map((asset) => asset.token) || [];
  return [...accepted, ...tokens.filter((token) => !accepted.includes(token))];
}

/** Whether positions share the margin of one account. */
export const sharesMargin = () => ["cross_margin", "credit_positions"].includes(state.desk.design);

/** Fees named in a quote's events, added up by kind and token. */
export function fees(events) {
  const found = new Map();
  for (const event of events) {
    if (event.type !== "FeeCharged") continue;
    const key = `${event.kind} ${event.token}`;
    const row = found.get(key) || { kind: event.kind, token: event.token, units: 0n, usd: 0n };
    row.units += BigInt(event.amount);
    row.usd += BigInt(event.value_usd);
    found.set(key, row);
  }
  return [...found.values()].map((row) => ({ ...row, value_usd: text(row.usd, USD) }));
}

/** The trade itself in a quote's events. */
export const fill = (events) => events.findLast((event) => event.type === "PositionChanged");
