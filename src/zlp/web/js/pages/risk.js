// Risk: how much is open on which side, what a move of the price would liquidate, who is nearest, what prices rest on.

import { get } from "../api.js";
import { card, empty, fill, h, stat, table, tabs } from "../dom.js";
import { bps, cut, float, money, percent, price, short, shown, span, text, tone, USD } from "../numbers.js";
import { columns, meter } from "../plots.js";
import { health } from "../quote.js";
import { backing } from "../backing.js";
import { has, now, on, state } from "../store.js";

export function show(root) {
  let figures = null;
  let chosen = "";
  const body = h("div.stack");
  const sources = h("div");
  fill(root,
    h("div.intro", {}, h("div", {}, h("h1", {}, "Risk"), h("p", {}, "What the venue stands to win and to lose, from its own state at one sequence."))),
    h("div.stack", {}, body, card("Prices and their sources", sources)));
  const draw = () => figures && fill(body, overview(figures), markets(figures), h("div.two", {}, ladderCard(figures, chosen || figures.markets[0]?.market, (next) => { chosen = next; draw(); }), nearest(figures)), queue(figures), backing(figures));
  const load = async () => {
    try {
      figures = await get("/v1/desk/risk");
      if (body.contains(document.activeElement) && document.activeElement.tagName === "BUTTON") return;
      draw();
    } catch (fault) {
      fill(body, empty(fault.message));
    }
  };
  const drawSources = () => fill(sources, sourceTable());
  fill(body, h("p.loading", {}, "Looking at every position"));
  load();
  drawSources();
  const timer = setInterval(() => { load(); drawSources(); }, 4000);
  const end = on("line", load);
  return () => { clearInterval(timer); end(); };
}

const total = (rows, name) => rows.reduce((sum, row) => sum + cut(row[name], USD), 0n);

function overview(figures) {
  const value = total(figures.pools, "value_usd");
  const long = total(figures.markets, "long_usd");
  const shorts = total(figures.markets, "short_usd");
  const pnl = cut(figures.traders_pnl_usd, USD);
  const most = figures.pools.reduce((top, pool) => (BigInt(pool.utilisation_bps) > top ? BigInt(pool.utilisation_bps) : top), 0n);
  const buffer = value > 0n ? 10000n - (pnl * 10000n) / value : 10000n;
  return h("section.card", { "aria-label": "Summary" }, h("div.stats", {},
    stat("Liquidity", money(text(value, USD), { short: true })),
    stat("Open interest", money(text(long + shorts, USD), { short: true }), `${figures.positions} positions`),
    stat("Net of all sides", money(text(long - shorts, USD), { short: true, sign: true }), long > shorts ? "traders are long" : "traders are short"),
    stat("Traders' open PnL", money(figures.traders_pnl_usd, { sign: true, short: true }), "before fees", tone(figures.traders_pnl_usd)),
    stat("Left after paying it", bps(buffer), "of liquidity", buffer < 9000n ? "down" : ""),
    stat("Highest utilisation", bps(most), null, most > 8000n ? "down" : ""),
    stat("Due for liquidation", figures.due, "at the standing prices", figures.due === "0" ? "" : "down")));
}

function limitMeter(used, limit, kind) {
  if (limit === "0") return h("span.dim", {}, "no limit");
  const part = (cut(used, USD) * 10000n) / (cut(limit, USD) || 1n);
  return h("span", { title: `${money(used)} of ${money(limit)}` }, meter(part, null, kind));
}

function markets(figures) {
  return card("Markets", table([
    ["Market", (row) => h("strong", {}, row.market)],
    ["Long", (row) => money(row.long_usd, { short: true }), "number"],
    ["of limit", (row) => limitMeter(row.long_usd, row.max_long_usd, "up")],
    ["Short", (row) => money(row.short_usd, { short: true }), "number"],
    ["of limit", (row) => limitMeter(row.short_usd, row.max_short_usd, "down")],
    ["Skew", (row) => money(text(cut(row.long_usd, USD) - cut(row.short_usd, USD), USD), { short: true, sign: true }), "number"],
    ["Longs' PnL", (row) => h("span", { class: tone(row.long_pnl_usd) }, money(row.long_pnl_usd, { sign: true, short: true })), "number"],
    ["Shorts' PnL", (row) => h("span", { class: tone(row.short_pnl_usd) }, money(row.short_pnl_usd, { sign: true, short: true })), "number"],
    ["Longs pay / h", (row) => percent(row.long_hourly, 5), "number"],
    ["Shorts pay / h", (row) => percent(row.short_hourly, 5), "number"],
  ], figures.markets, { label: "Markets", empty: "No market has a price now." }));
}

function ladderCard(figures, name, choose) {
  const found = figures.markets.find((row) => row.market === name);
  if (!found) return card("Liquidation ladder", empty("No market to show."));
  const rows = found.ladder.map((row) => ({
    x: Number(row.move_bps) / 100,
    parts: [[Number(row.move_bps) < 0 ? "down" : "up", float(row.liquidated_usd)]],
    title: `${Number(row.move_bps) / 100} %: ${money(row.liquidated_usd)}`,
  }));
  const any = rows.some((row) => row.parts[0][1] > 0);
  return card(["Liquidation ladder", figures.markets.length > 1 && tabs(figures.markets.map((row) => [row.market, row.market]), name, choose, { label: "Market", kind: "plain" })],
    h("p.hint", {}, `Notional in ${name} that would be due if its price moved so far and nothing else did.`),
    any ? columns(`Liquidation ladder of ${name}`, rows, { writeX: (value) => `${value > 0 ? "+" : ""}${Math.round(value)} %`, writeY: (value) => money(String(Math.round(value)), { short: true }), xTicks: [-50, -25, 0, 25, 50] }) : empty("No position would be due within 50 %."));
}

const who = (row) => h("a.mono", { href: `#/explorer/${encodeURIComponent(row.account)}` }, short(row.account));
const side = (row) => h("span", { class: `side ${row.is_long ? "up" : "down"}` }, row.is_long ? "Long" : "Short");

function nearest(figures) {
  return card("Nearest to liquidation", table([
    ["Account", who],
    ["Market", (row) => h("span.pair", {}, row.market, side(row))],
    ["Size", (row) => money(row.size_usd, { short: true }), "number"],
    ["At", (row) => price(row.liquidation_price), "number"],
    ["Move", (row) => bps(row.move_bps), "number"],
    ["Health", (row) => health(row.health_bps), "number"],
  ], figures.nearest.slice(0, 10), { label: "Nearest to liquidation", empty: "Nobody has a position with a liquidation price." }));
}

function queue(figures) {
  const ordered = has("cross_margin");
  return card(ordered ? "Deleverage queue" : "Largest open profits",
    h("p.hint", {}, ordered ? "If the fund's buffer falls short, the most profitable positions are closed first, in this order." : "What the pool would pay if everybody closed now."),
    table([
      ["Place", (row) => figures.most_profitable.indexOf(row) + 1],
      ["Account", who],
      ["Market", (row) => h("span.pair", {}, row.market, side(row))],
      ["Size", (row) => money(row.size_usd), "number"],
      ["Entry", (row) => price(row.entry_price), "number"],
      ["Profit", (row) => h("span.up", {}, money(row.pnl_usd, { sign: true })), "number"],
    ], figures.most_profitable.slice(0, 10), { label: "Largest open profits", empty: "No position is in profit." }));
}

function sourceTable() {
  const rows = [...state.prices.values()].flatMap((row) => (row.sources?.length ? row.sources.map((source, index) => ({ row, source, index })) : [{ row, source: null, index: 0 }]));
  const age = (row, source) => span(now() - (source ? Number(source.time) : row.at));
  return table([
    ["Asset", ({ row, index }) => (index ? "" : h("strong", {}, row.asset))],
    ["In use", ({ row, index }) => (index ? "" : row.low ? (row.low === row.high ? price(row.low) : `${price(row.low)} – ${price(row.high)}`) : "–"), "number"],
    ["State", ({ row, index }) => (index ? "" : h("span", { class: `badge ${row.status === "live" ? "good" : "bad"}` }, row.status.replaceAll("_", " ")))],
    ["Source", ({ source }) => source?.source || "–"],
    ["Says", ({ source }) => (source ? (source.low === source.high ? price(source.low) : `${price(source.low)} – ${price(source.high)}`) : "–"), "number"],
    ["Deviation", ({ row, source }) => (source && row.low ? deviation(source.low, row.low) : "–"), "number"],
    ["Age", ({ row, source }) => (source ? age(row, source) : "–"), "number"],
  ], rows, { label: "Prices and their sources" });
}

function deviation(value, used) {
  const [a, b] = [cut(value, USD), cut(used, USD)];
  return `${shown(text(((a - b) * 1000000n) / (b || 1n), 4), 3)} %`;
}
