// The risk of providing liquidity, told plainly with the venue's own numbers.

import { facts, h } from "./dom.js";
import { bps, cut, money, text, USD } from "./numbers.js";
import { state } from "./store.js";

const total = (rows, name) => rows.reduce((sum, row) => sum + cut(row[name], USD), 0n);

export function riskWords(pool) {
  const markets = state.desk.markets.filter((market) => !market.pool || market.pool === pool.pool);
  const long = total(markets, "long_usd");
  const short = total(markets, "short_usd");
  const value = cut(pool.value_usd, USD);
  const net = long - short;
  const size = net < 0n ? -net : net;
  const tenth = size / 10n;
  const share = value > 0n ? (tenth * 10000n) / value : 0n;
  const shared = pool.pool && markets.some((market) => !market.pool) && state.desk.pools.length > 1;
  return [
    h("p", {}, net === 0n
      ? "Longs and shorts balance: a move of the price costs providers nothing on net now."
      : `Traders are net ${net > 0n ? "long" : "short"} ${money(text(size, USD), { short: true })}${shared ? " across all vaults" : ""}. If prices ${net > 0n ? "rise" : "fall"} by 10 %, they win about ${money(text(tenth, USD), { short: true })} of the providers' money, ${bps(share)} of ${shared ? "this vault, if it bore all of it" : "this pool"}.`),
    facts([
      ["Open interest over pool value", value > 0n ? bps(((long + short) * 10000n) / value) : "–"],
      ["Lent to traders", bps(pool.utilisation_bps)],
    ], "lined"),
    h("p.hint", {}, "The value of a share also moves with the prices of what the pool holds. Withdrawals can be refused while tokens are lent out, and settings can change by governance."),
  ];
}
