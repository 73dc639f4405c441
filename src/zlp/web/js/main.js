// Starts the page: loads what the venue says, follows it, and draws one section at a time.

import { get } from "./api.js";
import { fill, h, put, toast, dialog } from "./dom.js";
import { amount, money, price, short, span, text, USD } from "./numbers.js";
import { commandKinds } from "./plan.js";
import { connect, emit, has, kept, load, now, on, refreshAccount, stale, state } from "./store.js";
import { discover, disconnect, faucet, useDemo, useWallet, walletKind, wallets } from "./wallet.js";

const SECTIONS = [
  ["trade", "Trade"],
  ["liquidity", "Liquidity"],
  ["risk", "Risk"],
  ["calculators", "Calculators"],
  ["explorer", "Explorer"],
  ["wallet", "Wallet"],
];

const content = document.getElementById("content");
let leave = null;
let turn = 0;

async function route() {
  const [name = "trade", ...rest] = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  const known = SECTIONS.some(([key]) => key === name) ? name : "trade";
  fill(document.getElementById("nav"), SECTIONS.map(([key, title]) => h("a", { href: `#/${key}`, "aria-current": key === known ? "page" : null }, title)));
  document.title = `${SECTIONS.find(([key]) => key === known)[1]} · ${state.venue.profile || "ZLP"}`;
  const mine = ++turn;
  const module = await import(`./pages/${known}.js`);
  if (mine !== turn) return;
  if (leave) leave();
  leave = null;
  content.className = `page-${known}`;
  try {
    leave = module.show(content, rest);
  } catch (fault) {
    fill(content, h("div.empty.page", {}, h("h1", {}, "This section could not be shown"), h("p", {}, fault.message)));
    throw fault;
  }
}

function drawTheme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  put(document.getElementById("theme"), dark ? "☀" : "☾");
  return dark;
}

function theme() {
  const wanted = kept.get("theme");
  if (wanted) document.documentElement.dataset.theme = wanted;
  drawTheme();
  document.getElementById("theme").onclick = () => {
    document.documentElement.dataset.theme = drawTheme() ? "light" : "dark";
    kept.set("theme", document.documentElement.dataset.theme);
    drawTheme();
    dispatchEvent(new Event("resize"));
    emit("theme");
  };
}

/** The line's state and stale prices: said plainly, in one place. */
function drawLine() {
  const live = document.getElementById("live");
  const banner = document.getElementById("banner");
  const old = stale();
  const lost = state.line === "lost";
  live.className = `live ${lost ? "bad" : old.length ? "warn" : state.line === "live" ? "good" : ""}`;
  put(live, lost ? "offline" : state.line === "live" ? (old.length ? "stale prices" : "live") : "connecting");
  live.title = `Sequence ${state.sequence}`;
  const ages = old.map((asset) => {
    const row = state.prices.get(asset);
    return row.low ? `${asset} (${span(now() - row.at)} old)` : `${asset} (no price)`;
  });
  const words = lost
    ? "Disconnected from the venue. What you see may be out of date; trying again."
    : old.length
      ? `Prices are stale: ${ages.slice(0, 6).join(", ")}${ages.length > 6 ? " and more" : ""}. New risk may be refused until they are fresh.`
      : "";
  banner.hidden = !words;
  banner.className = `banner ${lost ? "bad" : "warn"}`;
  put(banner, words);
}

function drawConnect() {
  const button = document.getElementById("connect");
  button.className = state.account ? "account" : "primary";
  put(button, state.account ? short(state.account) : "Connect");
  button.title = state.account || "Connect a wallet";
}

function askWallet() {
  const made = dialog("Connect a wallet", (close) => {
    const chosen = (work) => async () => {
      try {
        await work();
        close();
      } catch (fault) {
        toast(fault.message, "bad");
      }
    };
    const demo = async () => {
      if (useDemo()) await faucet().catch((fault) => toast(fault.message, "bad"));
    };
    const found = [...wallets.values()].map((wallet) =>
      h("button.choice", { type: "button", onclick: chosen(() => useWallet(wallet)) },
        /^data:image/.test(wallet.info.icon || "") && h("img", { src: wallet.info.icon, alt: "", width: 28, height: 28 }),
        h("span", {}, h("strong", {}, wallet.info.name), h("small", {}, "Signs each message in the wallet"))));
    return [
      state.demo && h("button.choice", { type: "button", id: "demo-wallet", onclick: chosen(demo) }, h("span.dot"), h("span", {}, h("strong", {}, "Demo wallet"), h("small", {}, "A key made in this browser, with test tokens. Worth nothing."))),
      found,
      !found.length && h("p.hint", {}, state.demo ? "No wallet extension announced itself (EIP-6963)." : "No wallet announced itself. Install one that speaks EIP-6963, or use the API with a key of your own."),
      h("p.hint", {}, "Connecting shows your address to this page. Nothing is sent until you sign it."),
    ];
  });
  const end = on("wallets", () => {
    made.close();
    end();
    askWallet();
  });
  made.addEventListener("close", end);
}

function accountMenu() {
  dialog("Account", (close) => [
    h("p.mono.wrap", {}, state.account),
    h("p.hint", {}, walletKind() === "demo" ? "Demo wallet: the key is kept in this browser." : "Connected through a wallet."),
    h("div.row", {},
      h("a.button", { href: "#/wallet", onclick: close }, "Balances and agent key"),
      state.demo && h("button", { type: "button", onclick: () => faucet().then(close).catch((fault) => toast(fault.message, "bad")) }, "Get test tokens"),
      h("button", { type: "button", onclick: () => { disconnect(); close(); } }, "Disconnect")),
  ]);
}

/** One's own fills and what happened to one's orders, as they happen. */
function announce(event) {
  if (event.account !== state.account && event.owner !== state.account) return;
  const value = (name) => text(BigInt(event[name]), USD);
  if (event.type === "PositionChanged") {
    const size = money(text((BigInt(event.size_after) - BigInt(event.size_before)) * (BigInt(event.size_after) >= BigInt(event.size_before) ? 1n : -1n), USD));
    if (event.size_after === event.size_before) toast(`${event.market}: margin changed`, "good");
    else toast(`Filled: ${event.action} ${event.market} ${event.is_long ? "long" : "short"} ${size} at ${price(value("price"))}`, event.action === "liquidate" ? "bad" : "good");
  } else if (event.type === "OrderCancelled" && event.reason !== "cancelled") {
    toast(`Order ${event.number} ended: ${event.reason.replaceAll("_", " ")}`, "bad");
  } else if (event.type === "Liquidated") toast(`Liquidated in ${event.market}`, "bad");
  else if (event.type === "SharesMinted") toast(`Deposited: ${amount(text(BigInt(event.shares), shareDecimals(event.pool)))} shares`, "good");
  else if (event.type === "SharesBurned") toast("Withdrawn from the pool", "good");
}

const shareDecimals = (name) => state.tokens.get(state.desk.pools.find((pool) => pool.pool === name)?.share)?.decimals ?? 18;

async function start() {
  theme();
  try {
    await Promise.all([load(), commandKinds(get)]);
  } catch (fault) {
    fill(content, h("div.empty.page", {}, h("h1", {}, "The venue does not answer"), h("p", {}, fault.message), h("button.primary", { type: "button", onclick: () => location.reload() }, "Try again")));
    return;
  }
  put(document.getElementById("brand"), state.venue.profile || "ZLP");
  document.getElementById("connect").onclick = () => (state.account ? accountMenu() : askWallet());
  on("want-wallet", askWallet);
  on("wallet", drawConnect);
  on("account", drawConnect);
  on("line", drawLine);
  on("clock", drawLine);
  on("desk", drawLine);
  on("event", announce);
  connect();
  discover();
  addEventListener("hashchange", route);
  addEventListener("focus", refreshAccount);
  await route();
  drawLine();
}

start();

export { has };
