// Trade: markets, chart, ticket, and what one has open.

import { get, segment } from "../api.js";
import { CandleChart } from "../candles.js";
import { card, fill, h, put, table, tabs, throttled } from "../dom.js";
import { clock, cut, float, money, percent, price, shown, short, text, tone, USD } from "../numbers.js";
import { ordersTable, past, positionsTable, margin } from "../positions.js";
import { kept, market, now, on, state, stream } from "../store.js";
import { Ticket } from "../ticket.js";
import { limitOf, sharesMargin } from "../plan.js";

/** So many positions are marked on the chart, the largest. */
const MARKED = 10;
const INTERVALS = ["1m", "5m", "15m", "1h", "4h", "1d"];

/** Draw the page; answers what ends it. */
export function show(root, [name]) {
  const markets = state.desk.markets;
  const chosen = market(name) || market(kept.get("market")) || markets[0];
  if (!chosen) {
    const why = state.desk.missing?.markets;
    fill(root, h("div.empty.page", {}, h("h1", {}, "Nothing to trade yet"), h("p", {}, why ? `Markets show once prices are posted (${why.code.replaceAll("_", " ")}).` : "This venue has no trading branch.")));
    return on("desk", () => state.desk.markets.length && show(root, [name]));
  }
  const page = new TradePage(root, chosen.market);
  return () => page.end();
}

class TradePage {
  constructor(root, name) {
    this.name = name;
    kept.set("market", name);
    this.tab = "positions";
    this.interval = kept.get("interval") || "15m";
    this.opened = new Map();
    this.chart = new CandleChart(`Candles of ${name}`);
    this.ticket = new Ticket(name);
    this.header = h("div.market-header");
    this.list = h("nav.markets", { "aria-label": "Markets" });
    this.tape = h("div.tape");
    this.lower = h("div.lower-body");
    this.lowerTabs = h("div.lower-tabs");
    this.trades = [];
    this.intervalBar = h("div.intervals");
    fill(
      root,
      h("h1.visually-hidden", {}, `Trade ${name}`),
      h(
        "div.trade-page", {},
        h("aside.left", { "aria-label": "Markets and trades" }, card("Markets", this.list), card("Recent trades", this.tape)),
        h("div.middle", {}, h("section.card.chart-card", { "aria-label": "Chart" }, this.header, this.intervalBar, this.chart.element), h("section.card.lower", { "aria-label": "Account" }, this.lowerTabs, this.lower)),
        h("aside.right", { "aria-label": "Order" }, this.ticket.element),
      ),
    );
    this.drawIntervals();
    this.build();
    this.loadAll();
    this.drawLower();
    const redrawLower = throttled(() => this.drawLower(), 300);
    this.ends = [
      on("desk", () => { this.refresh(); this.ticket.freshen(); }),
      on("tick", ({ asset, price: value }) => this.tick(asset, value)),
      on("account", () => { redrawLower(); this.lines(); this.held(); }),
      on("positions", () => { if (this.tab === "positions") redrawLower(); this.lines(); }),
      on("wallet", () => this.ticket.draw()),
      on("event", (event) => event.type === "PositionChanged" && this.tab !== "positions" && redrawLower()),
      on("trades", (message) => this.traded(message)),
    ];
    // The read model may still be behind when the page opens, and it knows the volume of past candles better.
    const timers = [setTimeout(() => this.loadAll(), 2500), setInterval(() => this.loadCandles(), 20000)];
    this.ends.push(() => timers.forEach(clearTimeout));
    this.filled = false;
    this.ends.push(on("account", () => { if (state.account && !this.filled && state.balances.size) { this.filled = true; this.ticket.draw(); } }));
  }

  /** The ticket protects what is open: it is drawn anew when another position is. */
  held() {
    this.ticket.holds();
    const names = state.positions.filter((row) => row.market === this.name).map((row) => row.position).join();
    if (this.ticket.kind === "protect" && names !== this.names && !this.ticket.element.contains(document.activeElement)) this.ticket.draw();
    this.names = names;
  }

  end() {
    for (const end of this.ends) end();
    clearTimeout(this.ticket.timer);
  }

  drawIntervals() {
    fill(this.intervalBar, tabs(INTERVALS.map((each) => [each, each]), this.interval, (interval) => {
      this.interval = interval;
      kept.set("interval", interval);
      this.drawIntervals();
      this.loadCandles();
    }, { label: "Candle length", kind: "plain" }));
  }

  /** Elements are made once; afterwards only their texts change. */
  build() {
    this.rows = new Map();
    fill(this.list, state.desk.markets.map((each) => {
      const parts = { price: h("span.number"), change: h("span.number.small"), interest: h("span.small.dim") };
      this.rows.set(each.market, parts);
      return h("a.market-row", { href: `#/trade/${segment(each.market)}`, "aria-current": each.market === this.name ? "page" : null },
        h("strong", {}, each.market), parts.price, parts.interest, parts.change);
    }));
    this.head = Object.fromEntries(["price", "change", "interest", "skew", "long", "short", "room"].map((key) => [key, h("span.value")]));
    const stat = (label, key, kind = "") => h("div.stat", { class: kind }, h("span.name", {}, label), this.head[key]);
    fill(this.header,
      h("div.title", {}, h("h2", {}, `${this.name} / USD`), this.head.price),
      h("div.figures", {}, stat("24 h", "change"), stat("Open interest", "interest"), stat("Skew", "skew"), stat("Longs pay / h", "long"), stat("Shorts pay / h", "short"), stat("Room long / short", "room")));
    this.refresh();
  }

  refresh() {
    if (state.desk.markets.length !== this.rows.size) return this.build();
    for (const each of state.desk.markets) {
      const parts = this.rows.get(each.market);
      if (!parts) return this.build();
      put(parts.price, price(each.low));
      put(parts.interest, `OI ${money(sum(each.long_usd, each.short_usd), { short: true })}`);
      this.change(each.market, parts.change, each.low);
    }
    const found = market(this.name);
    if (!found) return undefined;
    put(this.head.price, price(found.low) + (found.low === found.high ? "" : ` – ${price(found.high)}`));
    this.change(this.name, this.head.change, found.low);
    put(this.head.interest, `${money(found.long_usd, { short: true })} / ${money(found.short_usd, { short: true })}`);
    const skew = text(cut(found.long_usd, USD) - cut(found.short_usd, USD), USD);
    put(this.head.skew, money(skew, { short: true, sign: true }));
    for (const side of ["long", "short"]) {
      put(this.head[side], percent(found[`${side}_hourly`], 5));
      this.head[side].className = `value ${tone(found[`${side}_hourly`]) === "up" ? "down" : tone(found[`${side}_hourly`]) === "down" ? "up" : ""}`;
    }
    put(this.head.room, `${room(found.max_long_usd, found.long_usd)} / ${room(found.max_short_usd, found.short_usd)}`);
    return undefined;
  }

  change(name, element, current) {
    const before = this.opened.get(name);
    if (!before) return put(element, "–");
    const [a, b] = [cut(current, USD), cut(before, USD)];
    const value = text(((a - b) * 10n ** 28n) / (b || 1n), 26);
    put(element, `${value.startsWith("-") ? "" : "+"}${shown(value, 2)} %`);
    element.classList.remove("up", "down");
    element.classList.add(tone(value) || "dim");
    return undefined;
  }

  tick(asset, value) {
    if (asset !== this.name) return;
    this.chart.tick(value, now());
    document.title = `${price(value)} ${this.name} · ZLP`;
  }

  loadAll() {
    this.loadCandles();
    this.loadDay();
    this.loadTape();
  }

  async loadCandles() {
    try {
      const page = await get(`/v1/candles/${segment(this.name)}`, { interval: this.interval, limit: 500 });
      this.chart.set(page.items, this.interval);
    } catch (fault) {
      this.chart.set([], this.interval);
      this.chart.canvas.title = fault.message;
    }
    this.lines();
  }

  /** Yesterday's price of every market: the start of the newest day's candles. */
  async loadDay() {
    await Promise.all(state.desk.markets.map(async (each) => {
      const page = await get(`/v1/candles/${segment(each.market)}`, { interval: "1h", limit: 24 }).catch(() => null);
      const first = page?.items.at(-1);
      if (first) this.opened.set(each.market, first.open);
    }));
    this.refresh();
  }

  async loadTape() {
    try {
      const page = await get("/v1/trades", { limit: 25 });
      this.trades = page.items.filter((row) => row.traded_usd !== "0").map((row) => ({ market: row.market, side: row.side, size: row.traded_usd, price: row.price, time: row.time }));
    } catch {
      this.trades = [];
    }
    this.drawTape();
  }

  traded(message) {
    for (const event of message.data) {
      if (event.type !== "PositionChanged" || event.size_before === event.size_after) continue;
      const grown = BigInt(event.size_after) > BigInt(event.size_before);
      const moved = BigInt(event.size_after) - BigInt(event.size_before);
      this.trades.unshift({ market: event.market, side: grown === event.is_long ? "buy" : "sell", size: text(moved < 0n ? -moved : moved, USD), price: text(BigInt(event.price), USD), time: message.time });
    }
    this.trades.length = Math.min(this.trades.length, 25);
    this.drawTape();
  }

  drawTape() {
    fill(this.tape, table([
      ["Price", (row) => h("span", { class: row.side === "buy" ? "up" : "down" }, price(row.price))],
      ["Size", (row) => money(row.size, { short: true }), "number"],
      ["Market", (row) => row.market],
      ["Time", (row) => clock(row.time).slice(0, 5), "number dim"],
    ], this.trades.slice(0, 18), { empty: "No trades yet.", label: "Recent trades" }));
  }

  lines() {
    const lines = [];
    const held = state.positions.filter((each) => each.market === this.name).sort((a, b) => float(b.size_usd) - float(a.size_usd));
    for (const row of held.slice(0, MARKED)) {
      const side = row.is_long ? "long" : "short";
      lines.push({ price: row.entry_price, label: `${side} entry`, kind: "accent" }, { price: row.liquidation_price, label: `${side} liquidation`, kind: "down" });
    }
    for (const row of state.waiting.filter((each) => each.trigger_asset === this.name).slice(0, 2 * MARKED)) {
      lines.push({ price: limitOf(row), label: `order ${row.number}`, kind: "warn" });
    }
    this.chart.mark(lines);
  }

  drawLower() {
    const names = [["positions", `Positions (${state.positions.length})`], ["orders", `Orders (${state.waiting.length})`], ["trades", "Trades"], ["closed", "History"]];
    const margins = sharesMargin() && state.account && h("button.small", { type: "button", onclick: () => margin({ pool: market(this.name)?.pool, market: this.name, position: state.positions[0]?.position || "", mark_price: market(this.name)?.low, liquidation_price: "0", is_long: true, collateral: "" }) }, "Margin account");
    const focused = this.lowerTabs.contains(document.activeElement);
    fill(this.lowerTabs, tabs(names, this.tab, (tab) => { this.tab = tab; this.drawLower(); }, { label: "What to show", kind: "plain" }), margins);
    if (focused) this.lowerTabs.querySelector('[aria-pressed="true"]')?.focus();
    if (this.tab === "positions") this.keep(positionsTable());
    else if (this.tab === "orders") this.keep(ordersTable());
    else if (!state.account) fill(this.lower, h("p.empty", {}, "Connect to see what you did here."));
    else past(this.tab === "trades" ? "trades" : "positions").then((found) => fill(this.lower, found));
  }

  /** Redraw without taking the focus from a button one is about to press. */
  keep(element) {
    const buttons = [...this.lower.querySelectorAll("button")];
    const index = buttons.indexOf(document.activeElement);
    fill(this.lower, element);
    if (index >= 0) this.lower.querySelectorAll("button")[index]?.focus();
  }
}

const sum = (...values) => text(values.reduce((total, value) => total + cut(value, USD), 0n), USD);

function room(limit, used) {
  if (limit === "0") return "no limit";
  const left = cut(limit, USD) - cut(used, USD);
  return money(text(left > 0n ? left : 0n, USD), { short: true });
}

export { float, short, stream };
