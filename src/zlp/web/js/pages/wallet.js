// Wallet: what one holds, the agent key, sending and withdrawing.

import { busy, card, empty, facts, field, fill, h, select, stat, table, toast } from "../dom.js";
import { amount, clock, cut, money, span, text, units, USD } from "../numbers.js";
import { balance, decimals, emit, now, on, priceOf, state } from "../store.js";
import { agent, approveAgent, disconnect, faucet, forgetAgent, revokeAgent, send, walletKind } from "../wallet.js";

export function show(root) {
  const body = h("div");
  const draw = () => !body.contains(document.activeElement?.closest?.("form") || null) && fill(body, state.account ? account() : stranger());
  fill(root, h("div.intro", {}, h("div", {}, h("h1", {}, "Wallet"), h("p", {}, "What the venue holds for you, and who may sign for you."))), body);
  draw();
  const ends = [on("account", draw), on("wallet", () => fill(body, state.account ? account() : stranger()))];
  return () => ends.forEach((end) => end());
}

const stranger = () => h("section.card", {}, empty("No wallet is connected.", h("button.primary", { type: "button", onclick: () => emit("want-wallet") }, "Connect")));

const worthOf = (row) => text((cut(row.amount, 18) * cut(priceOf(row.token) || "0", USD)) / 10n ** 18n, USD);

function account() {
  const rows = [...state.balances.values()];
  const total = rows.reduce((sum, row) => sum + cut(worthOf(row), USD), 0n);
  const margin = state.positions.reduce((sum, row) => sum + cut(row.pnl_usd, USD), 0n);
  return h("div.columns", {},
    h("div.stack", {},
      h("section.card", { "aria-label": "Summary" }, h("div.stats", {},
        stat("Balances", money(text(total, USD))), stat("Open PnL", money(text(margin, USD), { sign: true })), stat("Positions", String(state.positions.length)), stat("Orders", String(state.waiting.length)))),
      card(["Balances", state.demo && faucetButton()], table([
        ["Token", (row) => h("strong", {}, row.token)],
        ["Amount", (row) => h("span", { title: row.amount }, amount(row.amount)), "number"],
        ["Price", (row) => (priceOf(row.token) ? money(priceOf(row.token)) : "–"), "number"],
        ["Worth", (row) => (priceOf(row.token) ? money(worthOf(row)) : "–"), "number"],
      ], rows, { label: "Balances", empty: state.demo ? "Nothing yet. Get test tokens to begin." : "Nothing yet. Deposits are credited by the venue's bridge." })),
      card("Send", sendForm())),
    h("div.stack", {}, identity(), agentCard(), card("Withdraw", withdrawForm())));
}

const faucetButton = () => h("button.small", { type: "button", onclick: (event) => busy(event.currentTarget, "Asking…", faucet) }, "Get test tokens");

function identity() {
  return card("Account",
    h("p.mono.wrap", {}, state.account),
    h("p.hint", {}, walletKind() === "demo" ? "Demo wallet. Its key lies in this browser's storage and is worth nothing elsewhere." : "Your wallet signs every message, unless an agent key may."),
    h("div.row", {}, h("button.small", { type: "button", onclick: () => navigator.clipboard?.writeText(state.account).then(() => toast("Copied", "good")) }, "Copy"), h("a.button.small", { href: `#/explorer/${state.account}` }, "In the explorer"), h("button.small", { type: "button", onclick: disconnect }, "Disconnect")));
}

function agentCard() {
  const found = agent();
  if (found) {
    return card("Agent key",
      h("p.hint", {}, "This browser signs for you, within its scope, without asking the wallet each time."),
      facts([["Key", h("span.mono", {}, `${found.address.slice(0, 10)}…${found.address.slice(-6)}`)], ["May", found.scopes.join(", ")], ["Until", `${clock(found.expires, true)} (${span(found.expires - now())})`]], "lined"),
      h("div.row", {}, h("button", { type: "button", onclick: (event) => busy(event.currentTarget, "Signing…", async () => { await revokeAgent(); toast("Revoked", "good"); }) }, "Revoke"), h("button.quiet", { type: "button", onclick: forgetAgent }, "Only forget it here")));
  }
  const scopes = { trade: true, liquidity: true, transfer: false };
  let hours = "24";
  const button = h("button.primary.wide", { type: "submit" }, "Approve an agent key");
  return card("Agent key",
    h("p.hint", {}, "One signature lets a key made in this browser trade for you. It can't send tokens away unless you allow it, and you can revoke it at any time."),
    h("form", { onsubmit: (event) => {
      event.preventDefault();
      busy(button, "Signing…", async () => {
        const chosen = Object.keys(scopes).filter((scope) => scopes[scope]);
        if (!chosen.length) throw new Error("Choose what it may do");
        await approveAgent(chosen, Number(hours));
        toast("The agent key may sign for you now", "good");
      });
    } },
      Object.entries({ trade: "Trade and place orders", liquidity: "Deposit to pools, withdraw from them, stake", transfer: "Send tokens and withdraw" }).map(([scope, words]) =>
        h("label.check", {}, h("input", { type: "checkbox", name: scope, checked: scopes[scope], onchange: (event) => (scopes[scope] = event.target.checked) }), words)),
      field("For", select([["1", "an hour"], ["24", "a day"], ["168", "a week"]], hours, (value) => (hours = value))),
      button));
}

function tokenForm(button, build, extra) {
  const tokens = [...state.tokens.values()].filter((token) => token.transferable).map((token) => token.symbol);
  const values = { token: tokens.find((token) => balance(token).units !== "0") || tokens[0], amount: "", to: "" };
  return h("form", { onsubmit: (event) => {
    event.preventDefault();
    busy(button, "Signing…", async () => {
      if (!/^0x[0-9a-fA-F]{40}$/.test(values.to)) throw new Error("An address is 0x and 40 hexadecimal digits");
      await send([build(values, units(values.amount, decimals(values.token)).toString())]);
      toast("Done", "good");
      values.amount = "";
      event.target.reset();
    });
  } },
    field("Amount", h("input", { type: "text", inputMode: "decimal", name: `${extra}-amount`, autocomplete: "off", oninput: (event) => (values.amount = event.target.value) }), { end: select(tokens, values.token, (value) => (values.token = value), { "aria-label": "Token", class: "unit" }) }),
    field("To", h("input", { type: "text", name: `${extra}-to`, placeholder: "0x…", autocomplete: "off", spellcheck: false, oninput: (event) => (values.to = event.target.value.trim()) })),
    button);
}

function sendForm() {
  return tokenForm(h("button", { type: "submit" }, "Send"), ({ token, to }, exact) => ({ type: "Transfer", token, to: to.toLowerCase(), amount: exact }), "send");
}

function withdrawForm() {
  return [h("p.hint", {}, "The bridge pays it out; until then it waits in escrow."), tokenForm(h("button", { type: "submit" }, "Request withdrawal"), ({ token, to }, exact) => ({ type: "RequestWithdrawal", token, amount: exact, destination: to }), "withdraw")];
}
