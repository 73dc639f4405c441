// What stands behind the traders' profits, as each design keeps it: reserves, a fund's buffer, or credit and debt.

import { card, facts, h, stat, table } from "./dom.js";
import { amount, bps, cut, float, money, percent, text, tone, USD } from "./numbers.js";
import { bars, meter } from "./plots.js";

const signed = (value) => h("span", { class: tone(value) === "up" ? "down" : tone(value) === "down" ? "up" : "" }, money(value, { short: true, sign: true }));

/** Cards for the venue's risk figures. */
export function backing(figures) {
  const { funds, vaults, credit_markets: markets, lent } = figures.backing;
  if (funds.length) return funds.map(fund);
  if (vaults.length) return [credit(markets), flow(vaults, markets, lent), debts(vaults)];
  return figures.pools.map(reserves);
}

/** Tokens that positions have set aside, of all a pool has of them. */
function reserves(pool) {
  return card(`Reserved for profits: ${pool.pool}`,
    h("p.hint", {}, "A position's profit is bounded by the tokens that are set aside for it."),
    table([
      ["Token", (row) => h("strong", {}, row.token)],
      ["In the pool", (row) => amount(row.amount), "number"],
      ["Reserved", (row) => amount(row.reserved), "number"],
      ["Of it", (row) => meter(part(row), null, part(row) > 8000n ? "down" : "")],
      ["Share", (row) => bps(part(row)), "number"],
      ["Free", (row) => amount(text(cut(row.amount, USD) - cut(row.reserved, USD), USD)), "number"],
    ], pool.assets, { label: "Reserved for profits" }));
}

const part = (row) => (cut(row.amount, USD) > 0n ? (cut(row.reserved, USD) * 10000n) / cut(row.amount, USD) : 0n);

function fund(row) {
  const healthy = BigInt(row.buffer_bps) >= BigInt(row.threshold_bps);
  return card(`Profit reserve buffer: ${row.pool}`,
    h("p.hint", {}, "The buffer is 1 + what the fund has won from open positions over its assets. Below the threshold, the most profitable positions are closed until it is restored."),
    h("div.stats", {},
      stat("Buffer", bps(row.buffer_bps), healthy ? `positions are closed below ${bps(row.threshold_bps, 0)}` : "short: positions are being closed", healthy ? "up" : "down"),
      stat("Fund's net PnL", money(row.net_pnl_usd, { short: true, sign: true }), "of open positions", tone(row.net_pnl_usd)),
      stat("Reserved for profits", money(row.reserved_usd, { short: true }), `${bps(row.reserved_bps)} of at most ${bps(row.max_reserved_bps, 0)}`),
      stat("Traders owe", money(row.owed_by_traders_usd, { short: true }), "fees and losses not yet paid"),
      stat("Lent to funding", money(row.lent_to_funding_usd, { short: true })),
      stat("Profits not yet paid", money(row.unpaid_profits_usd, { short: true }), null, row.unpaid_profits_usd === "0" ? "" : "down")),
    h("div.buffer", { title: `Buffer ${bps(row.buffer_bps)}, threshold ${bps(row.threshold_bps)}` }, meter(row.buffer_bps, row.threshold_bps, healthy ? "up" : "down")));
}

function credit(markets) {
  return card("Credit of markets",
    h("p.hint", {}, "A market can pay out what vaults have lent to it. From the first mark on, profits are paid in part; at the second, not at all."),
    table([
      ["Market", (row) => h("strong", {}, row.market)],
      ["Credit lent", (row) => money(row.credit_usd, { short: true }), "number"],
      ["Debt", (row) => signed(row.debt_usd), "number"],
      ["of it open", (row) => signed(row.unrealized_usd), "number"],
      ["Capacity left", (row) => money(row.capacity_usd, { short: true }), "number"],
      ["Debt over credit", (row) => h("span.gauge", {}, meter(points(row.ratio), points(row.starts), points(row.ratio) > points(row.starts) ? "down" : ""), percent(row.ratio)), "number"],
      ["Falls from, to nothing at", (row) => `${percent(row.starts, 0)}, ${percent(row.ends, 0)}`, "number"],
      ["Paid of a profit", (row) => h("strong", { class: row.paid === "1" ? "up" : "down" }, percent(row.paid, row.paid === "1" ? 0 : 2)), "number"],
    ], markets, { label: "Credit of markets" }));
}

const points = (ratio) => cut(ratio, 4);

/** How the markets' debt reaches the vaults: by the credit each lends. */
function flow(vaults, markets, lent) {
  const colors = ["accent", "up", "warn", "neutral", "down"];
  const of = (market) => lent.filter((row) => row.market === market);
  return card("Debt flow",
    h("p.hint", {}, "Every gain of traders in a market is a debt of the vaults behind it, by what each lends; every loss is their credit."),
    bars("Who bears a market's debt", markets.map((market) => ({
      name: `${market.market} ${money(market.debt_usd, { short: true, sign: true })}`,
      parts: of(market.market).map((row) => ({ kind: colors[vaults.findIndex((vault) => vault.vault === row.vault) % colors.length], value: float(row.bears_bps), title: `${row.vault} bears ${bps(row.bears_bps)} of ${market.market}, lending ${money(row.credit_usd, { short: true })}` })),
    }))),
    h("div.legend", {}, vaults.map((vault, index) => h("span", {}, h("i", { class: colors[index % colors.length] }), vault.vault))),
    facts(markets.map((market) => [market.market, of(market.market).map((row) => `${row.vault} ${bps(row.bears_bps, 0)}`).join(", ")]), "lined"));
}

function debts(vaults) {
  return card("Debt of vaults",
    table([
      ["Vault", (row) => h("strong", {}, row.vault)],
      ["Collateral", (row) => money(row.assets_usd, { short: true }), "number"],
      ["Realised debt", (row) => signed(row.realized_usd), "number"],
      ["Settled", (row) => money(row.settled_usd, { short: true }), "number"],
      ["Open debt", (row) => signed(row.unrealized_usd), "number"],
      ["Debt in all", (row) => h("strong", {}, signed(row.debt_usd)), "number"],
      ["Over assets", (row) => percent(row.debt_ratio, 3), "number"],
      ["Can lend", (row) => money(row.capacity_usd, { short: true }), "number"],
      ["Locked", (row) => money(row.locked_usd, { short: true }), "number"],
    ], vaults, { label: "Debt of vaults" }));
}
