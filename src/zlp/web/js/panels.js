// What only some designs have (staking, vesting, soulbound token, epochs, vault rewards, stable-token swaps): shown
// where the venue has installed the branch. A panel is data: commands with their fields, and what the account has.

import { explained, post } from "./api.js";
import { busy, card, facts, field, fill, h, put, select, table, toast } from "./dom.js";
import { amount, clock, cut, money, shown, span, text, units, USD } from "./numbers.js";
import { sent } from "./plan.js";
import { balanceRows, feeRows } from "./quote.js";
import { balance, decimals, emit, has, now, pool as poolOf, priceOf, settings, state } from "./store.js";
import { send } from "./wallet.js";

const leaves = (...types) => [...state.other, ...state.waiting].filter((leaf) => types.includes(leaf.type));
const tokens = (units, symbol) => `${amount(text(BigInt(units), decimals(symbol)))} ${symbol}`;
const stable = (known) => known.credit?.stable || "USDz";

/** Vestings of a pool by number, with what they hold. */
const vestings = (pool) => leaves("Vesting").filter((leaf) => leaf.pool === pool.pool);
const vesting = (pool, known) => vestings(pool).map((leaf) => [leaf.number, `${leaf.number}: ${tokens(leaf.amount, known.escrow_token)}`]);
const redemptions = (pool) => leaves("Redemption").filter((leaf) => leaf.vault === pool.pool);
const redemption = (pool) => redemptions(pool).map((leaf) => [leaf.number, `${leaf.number}: ${tokens(leaf.shares, pool.share)}`]);
const swaps = (pool) => leaves("StableSwapRequest").filter((leaf) => leaf.vault === pool.pool);

/** Epochs in which something can still be done, by number. */
const epochs = (pool, known) => (known.epochs || []).filter((epoch) => epoch.pool === pool.pool);
const joinable = (pool, known) => epochs(pool, known).filter((epoch) => Number(epoch.ends) > now()).map((epoch) => [epoch.number, epochName(epoch)]);
const claimable = (pool, known) => epochs(pool, known).filter((epoch) => leaves("EpochScore").some((score) => score.epoch === epoch.number)).map((epoch) => [epoch.number, epochName(epoch)]);
const epochName = (epoch) => `${epoch.number}: ${tokens(epoch.budget, epoch.token)} by ${epoch.score}`;

/** What the soulbound token costs in a token, a little more for a price that moves meanwhile. */
function soulboundPrice(token, known) {
  const worth = cut(priceOf(token) || "0", USD);
  const asked = BigInt(known.soulbound_price || 0);
  if (!worth || !asked) return "";
  const one = 10n ** BigInt(decimals(token));
  return text((asked * one * 102n) / (worth * 100n) + 1n, decimals(token));
}

/** A command is [type, name, fields, fixed]; a field [name, label, kind]: a token's symbol for amounts of it, a function for choices, or text, flag, chosen. */
const PANELS = [
  {
    branch: "staking", title: "Staking and vesting",
    text: "Staked shares earn revenue and rewards as they stream. Rewards in escrow vest into the token.",
    load: async (pool) => (await settings("StakingSettings")).find((each) => each.pool === pool.pool) || {},
    commands: [
      ["ClaimStreams", "Claim rewards", () => []],
      ["StakeShares", "Stake", (pool) => [["amount", "Shares", pool.share]]],
      ["UnstakeShares", "Unstake", (pool) => [["amount", "Shares", pool.share]]],
      ["StartVesting", "Start vesting", (pool, known) => [["amount", "Escrowed tokens", known.escrow_token]]],
      ["ClaimVested", "Claim vested", () => [["vesting", "Vesting", vesting]]],
      ["LeaveVesting", "Leave vesting", () => [["vesting", "Vesting", vesting]]],
      ["SetAutomaticStaking", "Automatic staking", () => [["automatic", "Stake future deposits at once", "flag"]]],
    ],
    fixed: (pool) => ({ pool: pool.pool }),
    yours: (pool, known) => {
      const stake = leaves("Stake").find((leaf) => leaf.pool === pool.pool);
      return [
        ["Staked", tokens(stake?.amount || 0, pool.share)],
        ["Future deposits", stake?.manual ? "stay unstaked" : "are staked at once"],
        ...vestings(pool).map((leaf) => [`Vesting ${leaf.number}`, `${tokens(leaf.amount, known.escrow_token)}, ${tokens(leaf.claimed, known.vested_token)} paid, since ${clock(leaf.started_at, true)}`]),
      ];
    },
  },
  {
    branch: "revenue", title: "Soulbound token and epochs",
    text: "Holders of the soulbound token share in epochs: a budget is split by what each did while it ran.",
    load: async (pool) => ({ ...((await settings("RevenueSettings")).find((each) => each.pool === pool.pool) || {}), epochs: await settings("Epoch") }),
    commands: [
      ["MintSoulbound", "Get the token", (pool) => [["token", "Pay with", () => pool.assets.map((asset) => [asset.token, asset.token])], ["max_amount", "Pay at most", "chosen", soulboundPrice]], (pool) => ({ pool: pool.pool })],
      ["JoinEpoch", "Join an epoch", () => [["epoch", "Epoch", joinable]]],
      ["ClaimEpoch", "Claim an epoch", () => [["epoch", "Epoch", claimable]]],
    ],
    yours: (pool, known) => {
      const token = leaves("Soulbound")[0];
      return [
        ["Price of the token", money(text(BigInt(known.soulbound_price || 0), USD))],
        ["Your token", token ? `since ${clock(token.minted_at, true)}` : "none yet"],
      ];
    },
    more: (pool, known) => table([
      ["Epoch", (row) => row.number],
      ["Budget", (row) => tokens(row.budget, row.token), "number"],
      ["By", (row) => row.score],
      ["State", (row) => (now() < Number(row.starts) ? `in ${span(Number(row.starts) - now())}` : now() < Number(row.ends) ? `${span(Number(row.ends) - now())} left` : "over")],
      ["You", (row) => (leaves("EpochScore").some((score) => score.epoch === row.number) ? "joined" : "–")],
    ], epochs(pool, known).slice(-6).reverse(), { label: "Epochs", empty: "No epoch has been funded yet." }),
  },
  {
    branch: "credit_vaults", title: "Redemptions",
    text: "Requested shares can be redeemed after the vault's delay, or taken back.",
    load: async (pool) => (await settings("CreditVaultSettings")).find((each) => each.vault === pool.pool) || {},
    commands: [
      ["RedeemShares", "Redeem", () => [["redemption", "Request", redemption]], () => ({ min_amount: "0" })],
      ["CancelRedemption", "Take back", () => [["redemption", "Request", redemption]]],
    ],
    yours: (pool, known) => [
      ["Delay, fee", `${span(known.withdrawal_delay || 0)}, ${shown(text(BigInt(known.redeem_fee || 0), 16), 2)} %`],
      ...redemptions(pool).map((leaf) => [`Request ${leaf.number}`, `${tokens(leaf.shares, pool.share)}, from ${clock(Number(leaf.requested_at) + Number(known.withdrawal_delay || 0), true)}`]),
    ],
  },
  {
    branch: "fee_distribution", title: "Vault staking and points",
    text: "Staked vault shares earn their part of the fees, and points in the vaults that give them.",
    load: async (pool) => ({ ...((await settings("CreditVaultSettings")).find((each) => each.vault === pool.pool) || {}), state: (await settings("CreditVault")).find((each) => each.vault === pool.pool) }),
    commands: [
      ["StakeVaultShares", "Stake", (pool) => [["shares", "Shares", pool.share]]],
      ["UnstakeVaultShares", "Unstake", (pool) => [["shares", "Shares", pool.share]]],
      ["ClaimVaultRewards", "Claim rewards", () => []],
    ],
    fixed: (pool) => ({ vault: pool.pool }),
    yours: (pool, known) => {
      const stake = leaves("CreditStake").find((leaf) => leaf.vault === pool.pool);
      const rate = BigInt(known.point_rate || 0);
      return [
        ["Staked", tokens(stake?.shares || 0, pool.share)],
        ["Staked by all", tokens(known.state?.staked || 0, pool.share)],
        rate > 0n ? ["Points", stake ? amount(text(points(stake, known, rate), decimals(pool.share)), 4) : "0"] : ["Points", "this vault gives none"],
      ];
    },
  },
  {
    branch: "stability", title: "Swap the stable token",
    text: "Give the stable token for the vault's collateral. The deeper the vault is in debt, the more it pays. A keeper fills the swap at a signed price.",
    load: async () => ({ credit: (await settings("CreditSettings"))[0] }),
    commands: [
      ["RequestStableSwap", "Request a swap", (pool, known) => [["amount", "Stable tokens", stable(known)]], (pool) => ({ vault: pool.pool, min_amount: "0" })],
      ["RefundStableSwap", "Take it back", (pool, known) => [["swap", "Swap", (at) => swaps(at).map((leaf) => [leaf.number, `${leaf.number}: ${tokens(leaf.amount, stable(known))}`])]]],
      ["RedeemSettled", "Redeem settled debt", (pool, known) => [["amount", "Stable tokens", stable(known)]], () => ({ min_amount: "0" })],
    ],
    yours: (pool) => swaps(pool).map((leaf) => [`Swap ${leaf.number}`, `${tokens(leaf.amount, leaf.token)}, can be taken back from ${clock(leaf.deadline, true)}`]),
  },
  {
    branch: "borrowed", title: "Referrer",
    text: "Name, once, the account that shares in your trading fees.",
    commands: [["SetReferrer", "Set", () => [["referrer", "Account", "text"]]]],
    yours: () => leaves("Referral").map((leaf) => ["Your referrer", h("span.mono", {}, leaf.referrer)]),
  },
];

/** Points of a stake up to this second, as the engine counts them: per base unit of a share and second. */
function points(stake, known, rate) {
  const since = Math.max(0, Math.floor(now()) - Number(known.state?.points_at || now()));
  const index = BigInt(known.state?.point_index || 0) + rate * BigInt(since);
  return BigInt(stake.points) + ((index - BigInt(stake.point_index)) * BigInt(stake.shares)) / 10n ** 18n;
}

/** Panels of the installed branches, for one pool; they keep what one has begun to fill in. */
export const panels = (name) => PANELS.filter((panel) => has(panel.branch)).map((panel) => new Panel(panel, name));

class Panel {
  constructor(panel, name) {
    Object.assign(this, { panel, name, known: {}, chosen: panel.commands[0], values: {}, turn: 0 });
    this.controls = h("div");
    this.outcome = h("div.outcome", { "aria-live": "polite" });
    this.button = h("button.wide", { type: "submit" });
    this.mine = h("div");
    const { commands } = panel;
    const picker = commands.length > 1 && field("What to do", select(commands.map(([type, title]) => [type, title]), commands[0][0], (type) => {
      this.chosen = commands.find((each) => each[0] === type);
      this.values = {};
      this.draw();
    }, { name: `do-${panel.branch}` }));
    this.element = card(panel.title, h("p.hint", {}, panel.text), h("form", { onsubmit: (event) => { event.preventDefault(); this.go(); } }, picker, this.controls, this.outcome, this.button), this.mine);
    this.draw();
    this.load();
  }

  get pool() {
    return poolOf(this.name);
  }

  /** Settings and what the account has, anew; a form one is in stays as it is. */
  async load() {
    if (this.panel.load) this.known = await this.panel.load(this.pool).catch(() => this.known);
    this.refresh();
  }

  refresh() {
    const rows = state.account && this.pool ? this.panel.yours?.(this.pool, this.known) || [] : [];
    fill(this.mine, rows.length > 0 && facts(rows, "lined"), this.panel.more?.(this.pool, this.known));
    if (!this.element.contains(document.activeElement) || this.element.querySelector("select:focus, button:focus")) this.offer();
    this.quote();
  }

  draw() {
    put(this.button, this.chosen[1]);
    this.offered = "";
    fill(this.outcome);
    this.offer();
    this.quote();
  }

  /** The fields; made anew only if what they offer has changed. */
  offer() {
    const made = this.chosen[2](this.pool, this.known).map(([key, label, kind, suggested]) => {
      const choices = typeof kind === "function" ? kind(this.pool, this.known) : null;
      if (choices && !choices.some(([value]) => value === this.values[key])) this.values[key] = choices[0]?.[0] || "";
      const token = choices || ["text", "flag"].includes(kind) ? "" : kind === "chosen" ? this.values.token : kind;
      return { key, label, kind, choices, token, held: token && balance(token).amount, suggestion: suggested?.(token, this.known) };
    });
    const offered = JSON.stringify(made);
    if (offered === this.offered) return;
    this.offered = offered;
    fill(this.controls, made.map((each) => this.control(each)));
  }

  control({ key, label, kind, choices, token, held, suggestion }) {
    const changed = (value) => { this.values[key] = value; this.later(); };
    if (kind === "flag") {
      this.values[key] ??= true;
      return h("label.check", {}, h("input", { type: "checkbox", checked: this.values[key], onchange: (event) => changed(event.target.checked) }), label);
    }
    if (choices) {
      if (!choices.length) return h("p.hint", {}, `${label}: there is none for you now.`);
      return field(label, select(choices, this.values[key], (value) => { changed(value); this.offer(); }, { name: key }));
    }
    if (suggestion !== undefined) this.values[key] = suggestion;
    const box = h("input", { type: "text", name: key, autocomplete: "off", value: this.values[key] ?? "", inputMode: token ? "decimal" : "text", oninput: (event) => changed(event.target.value.trim()) });
    const max = token && h("p.hint", {}, h("span", {}, `You have ${amount(held)} ${token}`), suggestion === undefined && h("button.link", { type: "button", onclick: () => { box.value = balance(token).amount; changed(box.value); } }, "max"));
    return field(label, box, { end: token && h("span.unit", {}, token), hint: max });
  }

  /** The command as filled in, or null where something is missing. */
  command() {
    const [type, , fieldsOf, fixed] = this.chosen;
    const command = { type, ...(this.panel.fixed || (() => ({})))(this.pool), ...(fixed || (() => ({})))(this.pool) };
    for (const [key, , kind] of fieldsOf(this.pool, this.known)) {
      const value = this.values[key];
      if (kind === "flag") command[key] = Boolean(value);
      else if (value === undefined || value === "") return null;
      else if (typeof kind === "function" || kind === "text") command[key] = value;
      else command[key] = units(value, decimals(kind === "chosen" ? this.values.token : kind)).toString();
    }
    return command;
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.quote(), 200);
  }

  /** What it would do now; answers the quote, or null where there is none. */
  async quote() {
    const mine = ++this.turn;
    try {
      const command = state.account && this.pool ? this.command() : null;
      if (!command) {
        fill(this.outcome);
        return null;
      }
      const answer = await post("/v1/desk/quote", { account: state.account, commands: [command] });
      if (mine !== this.turn) return null;
      const rows = answer.rejection ? [] : [...feeRows(answer), ...balanceRows(answer)];
      fill(this.outcome, answer.rejection ? h("p.refused", {}, explained(answer.rejection)) : rows.length ? facts(rows) : h("p.hint", {}, "Changes none of your balances."));
      return answer;
    } catch (fault) {
      if (mine === this.turn) fill(this.outcome, h("p.refused", {}, fault.message));
      return null;
    }
  }

  async go() {
    if (!state.account) {
      emit("want-wallet");
      return;
    }
    await busy(this.button, "Signing…", async () => {
      const command = this.command();
      if (!command) throw new Error("Fill in what is missing");
      const answer = await this.quote();
      if (answer?.rejection) return;
      await send(sent([guarded(command, answer)]));
      this.values = {};
      this.draw();
      toast(`${this.chosen[1]}: done`, "good");
      this.load();
    });
  }
}

/** The least one accepts: a hundredth below what was quoted, where a command has such a limit. */
function guarded(command, answer) {
  const gained = answer?.balances.find((row) => !row.change.startsWith("-"));
  if (!("min_amount" in command) || !gained) return command;
  return { ...command, min_amount: ((units(gained.change, decimals(gained.token)) * 99n) / 100n).toString() };
}

const HIDDEN = new Set(["type", "account", "owner", "pool"]);

/** A leaf for people: names spaced, times as times, amounts where the token is known. */
export function leafRows(leaf) {
  const rows = [[leaf.type.replace(/([a-z])([A-Z])/g, "$1 $2"), leaf.pool || leaf.vault || ""]];
  for (const [name, value] of Object.entries(leaf)) {
    if (HIDDEN.has(name) || typeof value === "object" || value === "") continue;
    const isTime = /(_at|until|starts|ends|deadline|expires)$/.test(name) && /^\d{10}$/.test(value);
    rows.push([name.replaceAll("_", " "), isTime ? clock(value, true) : plain(leaf, name, value)]);
  }
  return rows;
}

function plain(leaf, name, value) {
  if (leaf.token && /amount|staked|earned|paid/.test(name) && state.tokens.has(leaf.token)) return tokens(value, leaf.token);
  if (/^(shares|amount|staked)$/.test(name) && /^\d{13,}$/.test(value)) return amount(text(BigInt(value), 18));
  return String(value);
}
