// Liquidity: what a pool holds and earned, deposits and withdrawals with exact quotes, and what one risks.

import { explained, get, post, segment } from "../api.js";
import { busy, card, empty, facts, field, fill, h, select, stat, table, tabs, throttled, toast } from "../dom.js";
import { amount, bps, clock, cut, float, money, percent, price, shown, span, text, tone, units, USD } from "../numbers.js";
import { panels } from "../panels.js";
import * as plan from "../plan.js";
import { columns, curves, meter } from "../plots.js";
import { balanceRows, feeRows } from "../quote.js";
import { riskWords } from "../risk_words.js";
import { balance, decimals, emit, has, kept, now, on, pool, settings, state } from "../store.js";
import { send } from "../wallet.js";

export function show(root, [name]) {
  const chosen = pool(name) || pool(kept.get("pool")) || state.desk.pools[0];
  if (!chosen) {
    const why = state.desk.missing?.pools;
    fill(root, h("div.empty.page", {}, h("h1", {}, "No pool to show yet"), h("p", {}, why ? `Pools show once prices are posted (${why.code.replaceAll("_", " ")}).` : "This venue has no pool.")));
    return on("desk", () => state.desk.pools.length && show(root, [name]));
  }
  kept.set("pool", chosen.pool);
  const page = new LiquidityPage(root, chosen.pool);
  return () => page.ends.forEach((end) => end());
}

const priced = (row) => row.share_price && row.share_price !== "0";

const NAMES = { fee_borrow: "Borrow fees", fee_trading: "Trading fees", fee_mint: "Deposit fees", fee_burn: "Withdrawal fees", fee_swap: "Swap fees", trader_pnl: "Traders' losses and gains", prices: "Prices of what it holds" };
const sourceName = (name) => NAMES[name] || (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll("_", " ");

class LiquidityPage {
  constructor(root, name) {
    this.name = name;
    this.action = "deposit";
    this.token = kept.get(`lp.${name}`) || this.pool.assets[0].token;
    this.amount = "";
    this.top = h("section.card.pool-stats", { "aria-label": "Pool" });
    this.assets = h("div");
    this.form = h("section.card.liquidity-form", { "aria-label": "Deposit and withdraw" });
    this.history = h("div");
    this.returns = h("div");
    this.curve = h("div");
    this.risk = h("div");
    this.past = [];
    this.panels = panels(name);
    const pools = state.desk.pools;
    fill(
      root,
      h("div.intro", {}, h("div", {}, h("h1", {}, "Provide liquidity"), h("p", {}, "Your tokens back every trade here. You earn the fees and the traders' losses, and you pay their gains.")),
        pools.length > 1 && tabs(pools.map((each) => [each.pool, each.share]), name, (next) => (location.hash = `#/liquidity/${segment(next)}`), { label: "Pool" })),
      h("div.columns", {},
        h("div.stack", {}, this.top, card("What it holds", this.assets), card("Share price", this.history), card("Return by source", this.returns), card("Fee curve", this.curve)),
        h("div.stack", {}, this.form, card("What you risk", this.risk), this.panels.map((panel) => panel.element))),
    );
    this.drawForm();
    this.refresh();
    this.loadHistory();
    this.loadCurve();
    const redraw = throttled(() => this.refresh(), 900);
    const mine = throttled(() => this.panels.forEach((panel) => panel.load()), 600);
    this.ends = [on("desk", redraw), on("account", () => { redraw(); mine(); if (!this.amount && !this.form.contains(document.activeElement)) this.drawForm(); }), on("wallet", () => this.drawForm())];
    const slow = setInterval(() => this.loadHistory(), 30000);
    const accrue = setInterval(() => this.panels.forEach((panel) => panel.refresh()), 4000);
    this.loadRisk();
    this.ends.push(() => clearInterval(slow), () => clearInterval(accrue), () => clearTimeout(this.timer));
  }

  get pool() {
    return pool(this.name);
  }

  refresh() {
    const found = this.pool;
    if (!found) return;
    const staked = stakedShares(found);
    const mine = text(cut(balance(found.share).amount, 30) + cut(staked, 30), 30);
    const worth = text((cut(mine, 18) * cut(found.share_price, USD)) / 10n ** 18n, USD);
    fill(this.top, h("div.stats", {},
      stat("Pool value", money(found.value_usd, { short: true })),
      stat("Share price", price(found.share_price), found.share),
      stat("Shares", amount(found.supply)),
      stat("Used by traders", bps(found.utilisation_bps), null),
      stat("You hold", state.account ? money(worth) : "–", state.account ? `${amount(mine)} ${found.share}${staked === "0" ? "" : `, ${amount(staked)} of them staked`}` : "not connected")));
    fill(this.assets, table([
      ["Token", (row) => h("strong", {}, row.token)],
      ["Amount", (row) => amount(row.amount), "number"],
      ["Value", (row) => money(row.value_usd), "number"],
      ["Weight", (row) => bps(row.weight_bps), "number"],
      ["Target", (row) => bps(row.target_bps), "number"],
      ["Against target", (row) => meter(row.weight_bps, row.target_bps)],
      ...(found.assets.some((row) => row.reserved !== "0") ? [["Lent to traders", (row) => (row.amount === "0" ? "–" : percent(ratio(row.reserved, row.amount))), "number"]] : []),
    ], found.assets, { label: "What the pool holds" }));
    fill(this.risk, riskWords(found, this.figures, this.past));
  }

  /** Traders' open profits, and what a design has besides: weekly figures of what a pool earned (O6). */
  async loadRisk() {
    const [figures, weeks, running] = await Promise.all([get("/v1/desk/risk").catch(() => null), ...["YieldRecord", "PoolYield"].map((kind) => (has("borrow_pool") ? settings(kind) : []))]);
    this.figures = figures;
    this.weeks = weeks.filter((row) => row.pool === this.name);
    this.running = running.find((row) => row.pool === this.name);
    this.refresh();
    if (this.running) this.loadHistory();
  }

  drawForm() {
    const found = this.pool;
    const deposits = this.action === "deposit";
    const tokens = deposits || !has("credit_vaults") ? found.assets.map((asset) => asset.token) : [found.assets[0].token];
    if (!tokens.includes(this.token)) this.token = tokens[0];
    const unit = deposits ? this.token : found.share;
    const box = h("input", { type: "text", inputMode: "decimal", name: "liquidity", placeholder: "0.0", autocomplete: "off", value: this.amount, oninput: (event) => { this.amount = event.target.value; this.later(); } });
    this.outcome = h("div.outcome", { "aria-live": "polite" });
    const redeems = !deposits && has("credit_vaults");
    this.button = h("button.primary.wide", { type: "submit" }, !state.account ? "Connect to provide liquidity" : deposits ? "Deposit" : redeems ? "Request redemption" : "Withdraw");
    const token = select(tokens, this.token, (value) => { this.token = value; kept.set(`lp.${this.name}`, value); this.drawForm(); this.loadCurve(); }, { "aria-label": "Token", class: "unit" });
    fill(this.form,
      tabs([["deposit", "Deposit"], ["withdraw", has("credit_vaults") ? "Redeem" : "Withdraw"]], this.action, (action) => { this.action = action; this.amount = ""; this.drawForm(); }, { label: "Direction" }),
      h("form", { onsubmit: (event) => { event.preventDefault(); this.submit(); } },
        field(deposits ? "Pay" : "Give up shares", box, { end: deposits ? token : h("span.unit", {}, found.share), hint: h("p.hint", {}, h("span", {}, `You have ${amount(this.most(unit))} ${unit}`), h("button.link", { type: "button", onclick: () => { this.amount = box.value = this.most(unit); this.later(); } }, "max")) }),
        !deposits && !redeems && field("Receive", select(tokens, this.token, (value) => { this.token = value; this.drawForm(); this.loadCurve(); })),
        this.outcome, this.button));
    this.quote();
  }

  /** What can be paid: for shares, also those staked, which are unstaked on the way. */
  most(unit) {
    const held = cut(balance(unit).amount, 30);
    return text(unit === this.pool.share ? held + cut(stakedShares(this.pool), 30) : held, 30);
  }

  commands(least = "0") {
    const command = this.command(least);
    if (this.action === "deposit") return [command];
    const missing = BigInt(command.shares) - BigInt(balance(this.pool.share).units);
    if (missing <= 0n || stakedShares(this.pool) === "0") return [command];
    const unstake = has("staking") ? { type: "UnstakeShares", pool: this.name, amount: missing.toString() } : { type: "UnstakeVaultShares", vault: this.name, shares: missing.toString() };
    return [unstake, command];
  }

  command(least = "0") {
    if (this.action === "deposit") return { type: "Mint", pool: this.name, token: this.token, amount: units(this.amount, decimals(this.token)).toString(), min_shares: least };
    const shares = units(this.amount, decimals(this.pool.share)).toString();
    if (has("credit_vaults")) return { type: "RequestRedemption", vault: this.name, shares };
    return { type: "Burn", pool: this.name, token: this.token, shares, min_amount: least, to: "" };
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.quote(), 150);
  }

  async quote() {
    this.least = "0";
    if (!this.amount || !state.account) {
      fill(this.outcome, h("p.hint", {}, state.account ? "Enter an amount to see exactly what you get." : "Connect to see exactly what you would get."));
      return;
    }
    try {
      const commands = this.commands();
      const command = commands.at(-1);
      const answer = await post("/v1/desk/quote", { account: state.account, commands });
      fill(this.outcome, answer.rejection ? h("p.refused", {}, explained(answer.rejection)) : this.quoted(answer, command));
    } catch (fault) {
      fill(this.outcome, h("p.refused", {}, fault.message));
    }
  }

  quoted(answer, command) {
    const event = answer.events.findLast((each) => each.type === "SharesMinted" || each.type === "SharesBurned");
    if (!event) return facts([...balanceRows(answer), has("credit_vaults") && ["Then", "redeem it below once the delay has passed"]]);
    const minted = event.type === "SharesMinted";
    const [got, unit] = minted ? [event.shares, this.pool.share] : [event.amount, this.token];
    this.least = ((BigInt(got) * 995n) / 1000n).toString();
    const after = answer.pools.find((each) => each.pool === this.name)?.assets.find((asset) => asset.token === this.token);
    const before = this.pool.assets.find((asset) => asset.token === this.token);
    return facts([
      ["You receive", h("strong", {}, `${amount(text(BigInt(got), decimals(unit)))} ${unit}`)],
      ["At least", `${amount(text(BigInt(this.least), decimals(unit)))} ${unit}`],
      ["Fee rate", `${shown(text((BigInt(event.fee_rate) * 10n ** 8n) / BigInt(event.fee_scale), 6), 3)} %`],
      ...feeRows(answer, plan.immediate(command) ? 0 : 1),
      after && this.pool.assets.length > 1 && [`${this.token} weight`, `${bps(before.weight_bps)} → ${bps(after.weight_bps)} (target ${bps(before.target_bps, 0)})`],
      ...balanceRows(answer).filter(([name]) => name.startsWith(unit)),
    ]);
  }

  async submit() {
    if (!state.account) {
      emit("want-wallet");
      return;
    }
    await busy(this.button, "Signing…", async () => {
      if (!this.amount) throw new Error("Enter an amount");
      await this.quote();
      const commands = this.commands(this.least);
      const command = commands.at(-1);
      await send(plan.sent(commands));
      toast(plan.immediate(command) ? "Done" : "Ordered; it runs at the next prices", "good");
      this.amount = "";
      this.drawForm();
    });
  }

  async loadHistory() {
    const of = `/v1/pools/${segment(this.name)}`;
    const samples = await get(`${of}/history`, { limit: 500 }).catch(() => null);
    // A pool that was not measured twice has no returns yet, and asking would be an error.
    const measured = samples && samples.items.filter(priced).length > 1;
    const [summary, steps] = measured
      ? await Promise.all([get(`${of}/returns`, { window: 604800 }).catch(() => null), get(`${of}/returns/history`, { step: 3600, limit: 48 }).catch(() => null)])
      : [null, null];
    this.past = samples ? samples.items.filter(priced) : [];
    if (!samples) fill(this.history, empty("This venue keeps no history (its read model is switched off)."));
    else if (samples.items.filter(priced).length < 2) fill(this.history, empty("The pool has not been measured twice yet."));
    else {
      const points = samples.items.filter(priced).map((row) => [Number(row.time), float(row.share_price)]).reverse();
      fill(this.history, curves(`Price of a share of ${this.name}`, [{ points }], { writeX: (value) => clock(value).slice(0, 5), writeY: (value) => price(value.toFixed(8)), area: true }));
    }
    this.drawReturns(summary, steps);
  }

  drawReturns(summary, steps) {
    if (!summary) {
      fill(this.returns, empty("Returns show once the pool has been measured twice."));
      return;
    }
    const sources = summary.sources;
    const whole = kept.get("returns") !== "earned";
    const rows = (steps?.items || []).map((step) => ({
      x: Number(step.start),
      title: `${clock(step.start, true)}: ${percent(step.return, 4)}`,
      parts: step.sources.filter((source) => whole || source.source !== "prices").map((source) => [source.source.startsWith("fee") ? "up" : source.source === "trader_pnl" ? "accent" : "neutral", float(source.return) * 100]),
    }));
    fill(this.returns,
      this.weekly(),
      h("div.stats", {}, stat("Return in this time", percent(summary.return), `${clock(summary.from, true)} to now`, tone(summary.return)), stat("As a yearly rate", percent(summary.apr), "if it went on like this", tone(summary.apr))),
      rows.length > 1 && columns("Return by hour and source", rows, { writeX: (value) => clock(value).slice(0, 5), writeY: (value) => `${value.toFixed(whole ? 2 : 4)} %` }),
      h("div.legend", {}, h("span", {}, h("i.up"), "fees"), h("span", {}, h("i"), "traders' losses and gains"), whole && h("span", {}, h("i.neutral"), "prices of what it holds"),
        h("label.check", {}, h("input", { type: "checkbox", checked: whole, onchange: (event) => { kept.set("returns", event.target.checked ? null : "earned"); this.drawReturns(summary, steps); } }), "with prices")),
      facts(sources.map((source) => [sourceName(source.source), h("span", { class: tone(source.return) }, percent(source.return, 4), h("small", {}, ` APR ${percent(source.apr)}`))]), "lined"));
  }

  /** The figure a pool states once a week has passed (O6), and what has come in since the last. */
  weekly() {
    if (!has("borrow_pool")) return null;
    const running = this.running;
    return facts([
      ["Weekly APR", this.weeks?.length ? bps(this.weeks.at(-1).apr_bps) : "after the first whole week"],
      running && ["Fees to the pool since then", `${money(text(BigInt(running.realised_fee_usd), USD))} in ${span(now() - Number(running.since))}`],
    ], "lined");
  }

  async loadCurve() {
    const asset = this.pool.assets.find((each) => each.token === this.token);
    if (!asset || asset.amount === "0") {
      fill(this.curve, empty(`The pool holds no ${this.token} yet: the first deposit sets its price.`));
      return;
    }
    try {
      const found = await get(`/v1/desk/curve/${segment(this.name)}/${segment(this.token)}`);
      const points = (rows) => rows.map((row) => [float(row.usd), float(row.fee_bps) / 100]);
      const series = [{ points: points(found.deposits) }, { points: points(found.withdrawals), kind: "second" }].filter((each) => each.points.length > 1);
      fill(this.curve, series.length
        ? [h("p.hint", {}, `What a deposit or a withdrawal of ${this.token} would pay now, by its size. Moving the pool away from its targets costs more.`),
          curves(`Fees of ${this.token} by size`, series, { writeX: (value) => money(String(Math.round(value)), { short: true }), writeY: (value) => `${value.toFixed(2)} %`, zero: true }),
          h("div.legend", {}, h("span", {}, h("i"), "deposit"), series.length > 1 && h("span", {}, h("i.warn"), "withdrawal"))]
        : empty("No size of deposit is accepted now."));
    } catch (fault) {
      fill(this.curve, empty(fault.message));
    }
  }
}

/** Shares of a pool that the account has staked. */
function stakedShares(found) {
  const stakes = state.other.filter((leaf) => (leaf.type === "Stake" && leaf.pool === found.pool) || (leaf.type === "CreditStake" && leaf.vault === found.pool));
  return text(stakes.reduce((sum, leaf) => sum + BigInt(leaf.amount ?? leaf.shares ?? 0), 0n), decimals(found.share));
}

/** One exact amount over another, as decimal text. */
function ratio(part, whole) {
  const [a, b] = [cut(part, 30), cut(whole, 30)];
  return b ? text((a * 10n ** 30n) / b, 30) : "0";
}
