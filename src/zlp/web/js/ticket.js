// The ticket: what one wants to do, what it would cost and lead to exactly, and the button that signs it.

import { get, post, segment } from "./api.js";
import { busy, facts, field, fill, h, put, select, tabs, toast } from "./dom.js";
import { amount as readAmount, cut, money, price, shown, text, units, USD } from "./numbers.js";
import * as plan from "./plan.js";
import { balance, decimals, emit, kept, market, priceOf, state } from "./store.js";
import { protection } from "./positions.js";
import { quoteView } from "./quote.js";
import { send } from "./wallet.js";
import { swapForm } from "./swap.js";

const NOBODY = `0x${"0".repeat(39)}1`;

export class Ticket {
  constructor(name) {
    this.name = name;
    this.side = "long";
    this.kind = "market";
    this.amount = "";
    this.leverage = 5;
    this.size = "";
    this.token = "";
    this.trigger = "";
    this.slippage = kept.get("slippage") || "50";
    this.element = h("section.card.ticket", { "aria-label": "Ticket" });
    this.outcome = h("div.outcome", { "aria-live": "polite" });
    this.asked = 0;
    this.draw();
  }

  get market() {
    return market(this.name);
  }

  get isLong() {
    return this.side === "long";
  }

  choose(changes) {
    Object.assign(this, changes);
    this.draw();
  }

  draw() {
    const found = this.market;
    if (!found) {
      fill(this.element, h("p.empty", {}, "This venue has no market to trade now."));
      return;
    }
    const tokens = plan.payable(found, this.isLong);
    if (!tokens.includes(this.token)) this.token = tokens[0] || "";
    const kinds = [["market", "Market", "At the next prices"]];
    if (state.orders) kinds.push(["limit", "Limit", "When the price is better"], ["stop", "Stop", "When the price breaks out"], ["protect", "TP / SL", "Take profit and stop loss of what is open"]);
    if (state.desk.pools.some((pool) => pool.assets.length > 1)) kinds.push(["swap", "Swap", "Exchange tokens at the pool"]);
    if (!kinds.some(([kind]) => kind === this.kind)) this.kind = "market";
    fill(
      this.element,
      tabs(kinds, this.kind, (kind) => this.choose({ kind }), { label: "Kind of order" }),
      this.kind === "swap" ? swapForm() : this.kind === "protect" ? this.protects() : this.form(found, tokens),
    );
    if (this.trades) this.quote();
  }

  /** Whether what is shown opens a position, and so is quoted. */
  get trades() {
    return !["swap", "protect"].includes(this.kind);
  }

  /** Take profit and stop loss of one open position of this market. */
  protects() {
    const held = state.positions.filter((row) => row.market === this.name);
    if (!state.account) return h("div.empty", {}, h("p", {}, "Connect to protect what you have open."), h("button.primary", { type: "button", onclick: () => emit("want-wallet") }, "Connect"));
    const row = held.find((each) => each.position === this.protected) || held[0];
    if (!row) return h("p.empty", {}, `You have no position in ${this.name}. Open one first.`);
    const named = (each) => `${each.is_long ? "Long" : "Short"} ${money(each.size_usd)}${each.collateral ? `, ${each.collateral}` : ""}`;
    return h("div.protect", {},
      held.length > 1 && field("Position", select(held.map((each) => [each.position, named(each)]), row.position, (value) => this.choose({ protected: value }))),
      protection(row, () => this.draw()));
  }

  form(found, tokens) {
    const most = Number(BigInt(found.max_leverage_bps || 10000n) / 10000n);
    this.leverage = Math.min(this.leverage, most);
    const held = balance(this.token).amount;
    const paid = h("input", {
      type: "text", inputMode: "decimal", placeholder: "0.0", autocomplete: "off", value: this.amount, name: "amount",
      oninput: (event) => this.take({ amount: event.target.value, size: "" }),
    });
    const token = select(tokens, this.token, (value) => this.choose({ token: value }), { "aria-label": "Token paid", class: "unit" });
    const slider = h("input", {
      type: "range", min: "1", max: String(most), step: most > 30 ? "1" : "0.5", value: String(this.leverage), name: "leverage",
      "aria-valuetext": `${this.leverage} times`,
      oninput: (event) => this.take({ leverage: Number(event.target.value), size: "" }),
    });
    this.slider = slider;
    this.lever = h("output", {}, `${this.leverage}×`);
    this.sizeBox = h("input", {
      type: "text", inputMode: "decimal", placeholder: "0", autocomplete: "off", name: "size", value: this.size || this.wanted(),
      oninput: (event) => this.take({ size: event.target.value }, false),
    });
    this.button = h("button.wide", { type: "submit", class: this.isLong ? "buy" : "sell" }, this.caption());
    return h(
      "form",
      { onsubmit: (event) => { event.preventDefault(); this.submit(); } },
      tabs([["long", "Long"], ["short", "Short"]], this.side, (side) => this.choose({ side }), { label: "Side", kind: "sides" }),
      field(plan.sharesMargin() ? "Add margin" : "Pay", paid, { end: token, hint: this.heldHint(held, paid) }),
      field("Leverage", slider, { end: this.lever }),
      field("Size", this.sizeBox, { end: h("span.unit", {}, "USD") }),
      this.kind !== "market" && this.triggerField(),
      this.outcome,
      this.button,
      h("details.more", {}, h("summary", {}, "Protection"), this.protection()),
    );
  }

  heldHint(held, paid) {
    return h(
      "p.hint", {},
      (this.has = h("span", {}, `You have ${readAmount(held)} ${this.token}`)),
      h("span.fractions", {}, [25, 50, 100].map((part) =>
        h("button.link", { type: "button", onclick: () => {
          const exact = (units(balance(this.token).amount, 30) * BigInt(part)) / 100n;
          paid.value = text(cut(text(exact, 30), decimals(this.token)), decimals(this.token));
          this.take({ amount: paid.value, size: "" });
        } }, part === 100 ? "max" : `${part} %`),
      )),
    );
  }

  /** What one has changes with every fill. */
  holds() {
    if (this.has) put(this.has, `You have ${readAmount(balance(this.token).amount)} ${this.token}`);
  }

  triggerField() {
    const [low, word] = this.kind === "limit" ? [this.isLong, this.isLong ? "falls below" : "rises above"] : [!this.isLong, this.isLong ? "rises above" : "falls below"];
    this.above = !low;
    const box = h("input", {
      type: "text", inputMode: "decimal", autocomplete: "off", name: "trigger", value: this.trigger, placeholder: price(this.market.high).replaceAll(",", ""),
      oninput: (event) => this.take({ trigger: event.target.value }),
    });
    return field(`When ${this.name} ${word}`, box, { end: h("span.unit", {}, "USD") });
  }

  protection() {
    return field("Price may move against me by", select([["10", "0.1 %"], ["50", "0.5 %"], ["100", "1 %"], ["300", "3 %"], ["0", "any amount"]], this.slippage, (value) => {
      kept.set("slippage", value);
      this.take({ slippage: value });
    }), { hint: h("p.hint", {}, "A worse price is refused. Orders are filled at prices posted after them.") });
  }

  /** Notional in USD by amount, price and leverage: exact, then cut to cents. */
  wanted() {
    if (!this.amount || !this.token) return "";
    try {
      const paid = cut(this.amount, 18);
      const worth = (paid * cut(priceOf(this.token) || "0", USD)) / 10n ** 18n;
      const size = (worth * BigInt(Math.round(this.leverage * 100))) / 100n;
      return text(size / 10n ** 28n, 2);
    } catch {
      return "";
    }
  }

  take(changes, sizes = true) {
    Object.assign(this, changes);
    this.lever.textContent = `${this.leverage}×`;
    this.slider.setAttribute("aria-valuetext", `${this.leverage} times`);
    if (sizes) this.sizeBox.value = this.size || this.wanted();
    this.quote();
  }

  caption() {
    if (!state.account) return "Connect to trade";
    const word = this.isLong ? "Long" : "Short";
    return this.kind === "market" ? `${word} ${this.name}` : `Place ${this.kind} order`;
  }

  /** The commands, as the venue's desk would have them; guarded by an acceptable price where they are to be signed. */
  async commands(signal, guard = true) {
    const size = this.size || this.wanted();
    const amount = this.amount ? text(cut(this.amount, decimals(this.token)), decimals(this.token)) : "0";
    if (!size || units(size, USD) <= 0n) throw new Error("");
    const found = this.market;
    // A quote is of the standing prices; what is signed counts coins at the price it waits for.
    const waitsFor = guard && this.kind !== "market" && this.trigger ? text(cut(this.trigger, USD), USD) : "";
    const query = { pool: found.pool, market: found.market, token: this.token, amount, size: text(cut(size, USD), USD), price: waitsFor };
    const { commands } = await get(`/v1/desk/open/${segment(this.side)}`, query, signal);
    if (!guard) return commands;
    const at = this.kind === "market" ? (this.isLong ? found.high : found.low) : this.trigger || found.high;
    commands.push(plan.guarded(commands.pop(), at, this.isLong, Number(this.slippage)));
    return commands;
  }

  /** Ask for a quote shortly after the last change; an older answer never overwrites a newer one. */
  quote() {
    this.askedAt = Date.now();
    clearTimeout(this.timer);
    this.controller?.abort();
    this.timer = setTimeout(() => this.ask(++this.asked), 120);
  }

  /** The prices moved: a quote that is seconds old is asked for again, but never one that is still on its way. */
  freshen() {
    if (this.trades && this.amount && !this.waits && Date.now() - this.askedAt > 2500) this.quote();
  }

  async ask(turn) {
    this.controller = new AbortController();
    const { signal } = this.controller;
    this.waits = turn;
    try {
      const commands = await this.commands(signal, false);
      const answer = await post("/v1/desk/quote", { account: state.account || NOBODY, commands }, signal);
      if (turn === this.asked) this.show(answer, commands);
    } catch (fault) {
      if (fault.name === "AbortError" || turn !== this.asked) return;
      fill(this.outcome, fault.message ? h("p.refused", {}, fault.message) : this.preview());
    } finally {
      if (this.waits === turn) this.waits = 0;
    }
  }

  preview() {
    const found = this.market;
    const hourly = this.isLong ? found.long_hourly : found.short_hourly;
    return facts([
      ["Price", price(this.isLong ? found.high : found.low)],
      ["Carry per hour", `${shown(text(cut(hourly, 30), 28), 5)} %`],
    ]);
  }

  show(answer, commands) {
    const lost = answer.rejection && !state.account && /balance|insufficient/.test(answer.rejection.code);
    if (lost) {
      fill(this.outcome, h("p.hint", {}, "Connect to see exact fees, price and liquidation price before you sign."), this.preview());
      return;
    }
    const waits = plan.sent(commands).filter((command) => command.type === "PlaceOrder").length;
    fill(this.outcome, this.kind !== "market" && h("p.hint", {}, "As it would be at the standing prices:"), quoteView(answer, { market: this.name, isLong: this.isLong, mark: this.isLong ? this.market.high : this.market.low, orders: this.kind === "market" ? waits : 1 }));
  }

  async submit() {
    if (!state.account) {
      emit("want-wallet");
      return;
    }
    await busy(this.button, "Signing…", async () => {
      const trigger = this.kind === "market" ? null : { asset: this.name, price: this.trigger, above: this.above };
      if (trigger && !this.trigger) throw new Error("Enter the price at which the order acts");
      const commands = await this.commands().catch((fault) => {
        throw new Error(fault.message || "Enter an amount");
      });
      await send(plan.sent(commands, trigger));
      toast(trigger ? `${this.kind === "limit" ? "Limit" : "Stop"} order placed` : "Order sent; it is filled at the next prices", "good");
      this.amount = this.size = "";
      this.draw();
    });
  }
}

export { money };
