// The risk of providing liquidity, told plainly with the venue's own numbers.

import { facts, h } from "./dom.js";
import { bps, clock, cut, money, text, tone, USD } from "./numbers.js";
import { has, state } from "./store.js";

const total = (rows, name) => rows.reduce((sum, row) => sum + cut(row[name], USD), 0n);
const size = (value) => (value < 0n ? -value : value);

/** `figures` are the venue's risk figures once they are known, `past` the pool's measured share prices, newest first. */
export function riskWords(pool, figures, past) {
  const markets = state.desk.markets.filter((market) => !market.pool || market.pool === pool.pool);
  const long = total(markets, "long_usd");
  const short = total(markets, "short_usd");
  const value = cut(pool.value_usd, USD);
  const net = long - short;
  const tenth = size(net) / 10n;
  const share = value > 0n ? (tenth * 10000n) / value : 0n;
  const shared = pool.pool && markets.some((market) => !market.pool) && state.desk.pools.length > 1;
  const open = figures ? cut(figures.traders_pnl_usd, USD) : null;
  const fall = largestFall(past);
  return [
    h("p", {}, net === 0n
      ? "Longs and shorts balance: a move of the price costs providers nothing on net now."
      : `Traders are net ${net > 0n ? "long" : "short"} ${money(text(size(net), USD), { short: true })}${shared ? " across all vaults" : ""}. If prices ${net > 0n ? "rise" : "fall"} by 10 %, they win about ${money(text(tenth, USD), { short: true })} of the providers' money, ${bps(share)} of ${shared ? "this vault, if it bore all of it" : "this pool"}.`),
    facts([
      open !== null && [open > 0n ? "Traders would win if all closed now" : "Traders would lose if all closed now", h("span", { class: tone(text(-open, USD)) }, money(text(size(open), USD)))],
      fall && ["Largest fall of a share so far", h("span", { class: "down", title: `${clock(fall.from, true)} to ${clock(fall.to, true)}` }, `−${bps(fall.bps)}`)],
      ["Open interest over pool value", value > 0n ? bps(((long + short) * 10000n) / value) : "–"],
      [has("credit_vaults") ? "Credit in use" : "Set aside for traders", bps(pool.utilisation_bps)],
    ], "lined"),
    h("p.hint", {}, `The value of a share also moves with the prices of what the pool holds. ${has("credit_vaults") ? "Redemptions wait for the vault's delay and are refused while too much credit is in use" : "Withdrawals can be refused while tokens are lent out"}, and settings can change by governance.`),
  ];
}

/** The deepest fall of the share price from a high before it, in what was measured. */
function largestFall(past) {
  let [top, from, worst] = [0n, 0, null];
  for (const row of [...past].reverse()) {
    const price = cut(row.share_price, USD);
    if (price > top) [top, from] = [price, row.time];
    else if (top > 0n) {
      const fallen = ((top - price) * 10000n) / top;
      if (!worst || fallen > worst.bps) worst = { bps: fallen, from, to: row.time };
    }
  }
  return worst && worst.bps > 0n ? worst : null;
}
