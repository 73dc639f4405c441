// How a quote is shown: price, premium, every fee by name, liquidation price, health and balances after.

import { explained } from "./api.js";
import { facts, h } from "./dom.js";
import { amount, bps, cut, money, price, shown, text, tone, USD } from "./numbers.js";
import { fees, fill } from "./plan.js";
import { decimals, state } from "./store.js";

const NAMES = {
  trading: "Trading fee", swap: "Swap fee", mint: "Deposit fee", burn: "Withdrawal fee", deposit: "Collateral fee", borrow: "Borrow fee",
  funding: "Funding", liquidation: "Liquidation fee", execution: "Execution fee", price_impact: "Price impact", settlement: "Settlement fee",
};

/** Signed distance of `value` from `mark` in percent text. */
export function distance(value, mark, places = 3) {
  const [a, b] = [cut(value, USD), cut(mark, USD)];
  if (!b) return "";
  const parts = ((a - b) * 1000000n) / b;
  return `${parts > 0n ? "+" : ""}${shown(text(parts, 4), places)} %`;
}

export function feeRows(answer, orders = 0) {
  const rows = fees(answer.events)
    .filter((row) => row.usd || row.units)
    .map((row) => [NAMES[row.kind] || row.kind, h("span", {}, money(row.value_usd), h("small", {}, ` ${amount(text(row.units, decimals(row.token)))} ${row.token}`))]);
  if (orders && state.orders) {
    const fee = text(BigInt(state.orders.minimum_fee) * BigInt(orders), decimals(state.orders.fee_token));
    rows.push([NAMES.execution, `${amount(fee)} ${state.orders.fee_token}`]);
  }
  return rows;
}

/** The outcome of opening or closing. */
export function quoteView(answer, { market, isLong, mark, orders = 0 }) {
  if (answer.rejection) return h("p.refused", {}, explained(answer.rejection));
  const trade = fill(answer.events);
  const after = answer.positions.find((each) => each.market === market && each.is_long === isLong) || answer.positions.find((each) => each.market === market);
  const executed = trade && text(BigInt(trade.price), USD);
  const premium = executed && distance(executed, mark);
  return facts([
    trade && ["Execution price", h("span", {}, price(executed), premium !== "0.000 %" && h("small", {}, ` ${premium}`))],
    ...feeRows(answer, orders),
    trade && BigInt(trade.pnl_usd) !== 0n && ["PnL realised", h("span", { class: tone(trade.pnl_usd) }, money(text(BigInt(trade.pnl_usd), USD), { sign: true }))],
    after && ["Size after", money(after.size_usd)],
    after && ["Entry price after", price(after.entry_price)],
    after && ["Liquidation price", h("strong", {}, price(after.liquidation_price), h("small", {}, after.liquidation_price === "0" ? " none" : ` ${distance(after.liquidation_price, mark)}`))],
    after && ["Health after", health(after.health_bps)],
  ]);
}

/** What is left over what must be kept, as people read it: 100 % is the edge. */
export function health(value) {
  const ratio = BigInt(value);
  const kind = ratio < 12000n ? "down" : ratio < 20000n ? "warn" : "up";
  return h("span", { class: `health ${kind}`, title: "What backs the position over what it must keep; at 100 % it is liquidated" }, ratio >= 1000000n ? "over 10,000 %" : bps(ratio, 0));
}

/** Balances that change. */
export function balanceRows(answer) {
  return answer.balances.map((row) => [`${row.token} after`, h("span", {}, amount(row.after), h("small", { class: tone(row.change) }, ` ${row.change.startsWith("-") ? "" : "+"}${amount(row.change)}`))]);
}
