// What only some designs have (staking, vesting, soulbound token, epochs, vault rewards, stable-token swaps): shown
// where the venue has installed the branch. A panel is data: commands with their fields, and the leaves they change.

import { explained, post } from "./api.js";
import { busy, card, facts, field, fill, h, select, toast } from "./dom.js";
import { amount, clock, text, units } from "./numbers.js";
import { sent } from "./plan.js";
import { balance, decimals, emit, has, state } from "./store.js";
import { send } from "./wallet.js";

const share = (pool) => pool.share;
const escrow = () => ["esZLP", "esZEN", "ESCROW"].find((token) => state.tokens.has(token)) || [...state.tokens.keys()].find((token) => /^es/i.test(token)) || "";
const numbered = (kind, name) => () => state.other.concat(state.waiting).filter((leaf) => kind.test(leaf.type)).map((leaf) => leaf.number ?? leaf[name]);
const settled = () => [...state.tokens.keys()].find((token) => /USDz|stable/i.test(token)) || "USDz";

/** A field is [name, label, kind]; kind is amount:<token>, a list of choices, text or flag. */
const PANELS = [
  {
    branch: "staking", title: "Staking and vesting", leaves: /^(Stake|Vesting|StakeDebt)/,
    text: "Stake shares to earn revenue and rewards as they stream. Rewards in escrow vest into the token.",
    commands: [
      ["StakeShares", "Stake", (pool) => [["amount", "Shares", share(pool)]], (pool) => ({ pool: pool.pool })],
      ["UnstakeShares", "Unstake", (pool) => [["amount", "Shares", share(pool)]], (pool) => ({ pool: pool.pool })],
      ["ClaimStreams", "Claim rewards", () => [], (pool) => ({ pool: pool.pool })],
      ["StartVesting", "Start vesting", () => [["amount", "Escrowed tokens", escrow()]], (pool) => ({ pool: pool.pool })],
      ["ClaimVested", "Claim vested", () => [["vesting", "Vesting", numbered(/^Vesting/, "vesting")]], (pool) => ({ pool: pool.pool })],
      ["LeaveVesting", "Leave vesting", () => [["vesting", "Vesting", numbered(/^Vesting/, "vesting")]], (pool) => ({ pool: pool.pool })],
      ["SetAutomaticStaking", "Automatic staking", () => [["automatic", "Stake future deposits at once", "flag"]], (pool) => ({ pool: pool.pool })],
    ],
  },
  {
    branch: "revenue", title: "Soulbound token and epochs", leaves: /^(Soulbound|Epoch|Score)/,
    text: "Holders of the soulbound token share in epochs: a budget is split by what each did while it ran.",
    commands: [
      ["MintSoulbound", "Get the token", (pool) => [["token", "Pay with", () => pool.assets.map((asset) => asset.token)], ["max_amount", "Pay at most", "chosen"]], (pool) => ({ pool: pool.pool })],
      ["JoinEpoch", "Join an epoch", () => [["epoch", "Epoch number", "integer"]], () => ({})],
      ["ClaimEpoch", "Claim an epoch", () => [["epoch", "Epoch number", "integer"]], () => ({})],
    ],
  },
  {
    branch: "credit_vaults", title: "Redemptions", leaves: /Redemption/,
    text: "Requested shares can be redeemed after the vault's delay, or taken back.",
    commands: [
      ["RedeemShares", "Redeem", () => [["redemption", "Request", numbered(/Redemption/, "number")]], () => ({ min_amount: "0" })],
      ["CancelRedemption", "Take back", () => [["redemption", "Request", numbered(/Redemption/, "number")]], () => ({})],
    ],
  },
  {
    branch: "fee_distribution", title: "Vault staking and points", leaves: /^CreditStake/,
    text: "Staked vault shares earn their part of the fees, and points.",
    commands: [
      ["StakeVaultShares", "Stake", (pool) => [["shares", "Shares", share(pool)]], (pool) => ({ vault: pool.pool })],
      ["UnstakeVaultShares", "Unstake", (pool) => [["shares", "Shares", share(pool)]], (pool) => ({ vault: pool.pool })],
      ["ClaimVaultRewards", "Claim rewards", () => [], (pool) => ({ vault: pool.pool })],
    ],
  },
  {
    branch: "stability", title: "Swap the stable token", leaves: /StableSwap/,
    text: "Give the stable token back for the vault's collateral. The further the vault is in debt, the better the rate.",
    commands: [
      ["RequestStableSwap", "Request a swap", () => [["amount", "Stable tokens", settled()]], (pool) => ({ vault: pool.pool, min_amount: "0" })],
      ["RefundStableSwap", "Refund", () => [["swap", "Swap", numbered(/StableSwap/, "number")]], () => ({})],
      ["RedeemSettled", "Redeem settled", () => [["amount", "Stable tokens", settled()]], () => ({ min_amount: "0" })],
    ],
  },
  {
    branch: "borrowed", title: "Referrer", leaves: /^Referral/,
    text: "Name, once, the account that shares in your trading fees.",
    commands: [["SetReferrer", "Set", () => [["referrer", "Account", "text"]], () => ({})]],
  },
];

/** Panels of the installed branches, for one pool. */
export function panels(pool) {
  return PANELS.filter((panel) => has(panel.branch)).map((panel) => panelCard(panel, pool));
}

function panelCard(panel, pool) {
  const body = h("div");
  let chosen = panel.commands[0];
  const draw = () => fill(body,
    h("p.hint", {}, panel.text),
    panel.commands.length > 1 && field("What to do", select(panel.commands.map(([type, name]) => [type, name]), chosen[0], (type) => { chosen = panel.commands.find((each) => each[0] === type); draw(); })),
    commandForm(chosen, pool),
    owned(panel));
  draw();
  return card(panel.title, body);
}

/** What the account has of the panel's leaves. */
function owned(panel) {
  const found = [...state.other, ...state.waiting].filter((leaf) => panel.leaves.test(leaf.type));
  if (!state.account || !found.length) return null;
  return h("details.more", { open: true }, h("summary", {}, "Yours"), found.map((leaf) => facts(leafRows(leaf), "lined")));
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
  if (leaf.token && /amount|staked|earned|paid/.test(name) && state.tokens.has(leaf.token)) return `${amount(text(BigInt(value), decimals(leaf.token)))} ${leaf.token}`;
  if (/^(shares|amount|staked)$/.test(name) && /^\d{13,}$/.test(value)) return amount(text(BigInt(value), 18));
  return String(value);
}

function commandForm([type, name, fieldsOf, fixed], pool) {
  const values = {};
  const outcome = h("div.outcome", { "aria-live": "polite" });
  const button = h("button.wide", { type: "submit" }, name);
  const build = () => {
    const command = { type, ...fixed(pool) };
    for (const [key, label, kind] of fieldsOf(pool)) {
      const token = kind === "chosen" ? values.token : kind;
      if (kind === "flag") command[key] = Boolean(values[key]);
      else if (typeof kind === "function" || kind === "text" || kind === "integer") {
        if (!values[key]) throw new Error(`${label}: choose one`);
        command[key] = values[key];
      } else command[key] = units(values[key] || "", decimals(token)).toString();
    }
    return command;
  };
  const go = () => busy(button, "Signing…", async () => {
    if (!state.account) {
      emit("want-wallet");
      return;
    }
    const command = build();
    const answer = await post("/v1/desk/quote", { account: state.account, commands: [command] });
    if (answer.rejection) {
      fill(outcome, h("p.refused", {}, explained(answer.rejection)));
      return;
    }
    await send(sent([command]));
    fill(outcome);
    toast(`${name}: done`, "good");
  });
  return h("form", { onsubmit: (event) => { event.preventDefault(); go(); } }, fieldsOf(pool).map((each) => control(each, values)), outcome, button);
}

function control([key, label, kind], values) {
  if (kind === "flag") {
    values[key] = true;
    return h("label.check", {}, h("input", { type: "checkbox", checked: true, onchange: (event) => (values[key] = event.target.checked) }), label);
  }
  if (typeof kind === "function") {
    const choices = kind();
    values[key] = choices[0] || "";
    return choices.length ? field(label, select(choices, choices[0], (value) => (values[key] = value))) : h("p.hint", {}, `${label}: you have none.`);
  }
  const token = !["text", "integer", "chosen"].includes(kind) && kind;
  const box = h("input", { type: "text", name: key, autocomplete: "off", inputMode: kind === "text" ? "text" : "decimal", oninput: (event) => (values[key] = event.target.value.trim()) });
  return field(label, box, { end: token && h("span.unit", {}, token), hint: token && h("p.hint", {}, `You have ${amount(balance(token).amount)} ${token}`) });
}
