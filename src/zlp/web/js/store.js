// What the page knows. Pages read `state` and listen by topic; nothing else holds data of the venue.

import { get } from "./api.js";
import { throttled } from "./dom.js";
import { text } from "./numbers.js";
import { Stream } from "./stream.js";

export const state = {
  demo: document.documentElement.dataset.demo === "yes",
  venue: null,
  desk: { design: "", branches: [], pools: [], markets: [], missing: {} },
  tokens: new Map(),
  prices: new Map(),
  orders: null,
  backing: new Map(),
  account: "",
  balances: new Map(),
  positions: [],
  waiting: [],
  other: [],
  line: "connecting",
  sequence: "0",
  skew: 0,
};

const listeners = new Map();
export let stream = null;

/** Listen to a topic; answers a function that ends it. */
export function on(topic, listener) {
  if (!listeners.has(topic)) listeners.set(topic, new Set());
  listeners.get(topic).add(listener);
  return () => listeners.get(topic).delete(listener);
}

export function emit(topic, value) {
  for (const listener of [...(listeners.get(topic) || [])]) listener(value);
}

const saved = new Map();

/** What the browser keeps between visits; memory where it keeps nothing. */
export const kept = {
  get(name) {
    try {
      return localStorage.getItem(`zlp.${name}`);
    } catch {
      return saved.get(name) ?? null;
    }
  },
  set(name, value) {
    try {
      if (value === null) localStorage.removeItem(`zlp.${name}`);
      else localStorage.setItem(`zlp.${name}`, value);
    } catch {
      saved.set(name, value);
    }
  },
};

/** Milliseconds that what everybody sees may be old: one answer of the venue serves many pages. */
const LAG = 250;

/** Everything a page needs before it can draw. */
export async function load() {
  const [venue, tokens, prices, desk, orders, collaterals] = await Promise.all([
    get("/v1/venue"),
    get("/v1/tokens"),
    get("/v1/prices", { lag: LAG }),
    get("/v1/desk", { lag: LAG }),
    settings("OrderSettings"),
    settings("CreditCollateral"),
  ]);
  state.venue = venue;
  state.skew = Number(venue.time) - Date.now() / 1000;
  for (const token of tokens.items) state.tokens.set(token.symbol, { ...token, decimals: Number(token.decimals) });
  takePrices(prices.items);
  state.desk = desk;
  state.orders = orders[0] || null;
  for (const each of collaterals) state.backing.set(each.token, each.asset);
  state.sequence = venue.sequence;
}

/** Settings of one kind, empty where this engine has none. */
export async function settings(kind) {
  try {
    return (await get(`/v1/leaves/${kind}`, { limit: 1000 })).items;
  } catch (fault) {
    if (fault.status === 404) return [];
    throw fault;
  }
}

function takePrices(rows) {
  for (const row of rows) state.prices.set(row.asset, { ...row, at: now() - Number(row.age_seconds || 0) });
}

/** The venue's second, as well as this browser knows it. */
export const now = () => Date.now() / 1000 + state.skew;

export const market = (name) => state.desk.markets.find((each) => each.market === name);
export const pool = (name) => state.desk.pools.find((each) => each.pool === name);
export const has = (branch) => state.desk.branches.includes(branch);
export const decimals = (token) => state.tokens.get(token)?.decimals ?? 18;
export const balance = (token) => state.balances.get(token) ?? { amount: "0", units: "0" };

/** USD per whole token as the venue sees it, "" if it has no price. */
export function priceOf(token) {
  const asset = state.backing.get(token) || token;
  const found = state.prices.get(token) || state.prices.get(asset) || state.prices.get(token.replace(/^(m\.|W)/, ""));
  const share = state.desk.pools.find((each) => each.share === token);
  return found?.low || share?.share_price || "";
}

const refreshDesk = throttled(async () => {
  try {
    const [desk, prices] = await Promise.all([get("/v1/desk", { lag: LAG }), get("/v1/prices", { lag: LAG })]);
    state.desk = desk;
    state.sequence = desk.sequence;
    state.skew = Number(desk.time) - Date.now() / 1000;
    takePrices(prices.items);
    emit("desk");
  } catch {
    // The stream's own state says that the venue is gone.
  }
}, 1000);

export const refreshAccount = throttled(async () => {
  if (!state.account) return;
  const account = state.account;
  try {
    const [held, positions] = await Promise.all([
      get(`/v1/accounts/${account}`),
      get("/v1/desk/positions", { account }).catch(() => null),
    ]);
    if (account !== state.account) return;
    state.balances = new Map(held.balances.map((row) => [row.token, row]));
    state.waiting = held.orders;
    state.other = held.other;
    if (positions) state.positions = positions.items;
    emit("account");
  } catch {
    // As above.
  }
}, 400);

/** Their values move with every price: once a second for a few of them, less often for hundreds. */
let valued = 0;
const refreshPositions = throttled(async () => {
  if (!state.account || !state.positions.length || Date.now() - valued < state.positions.length * 5) return;
  const account = state.account;
  const positions = await get("/v1/desk/positions", { account }).catch(() => null);
  if (!positions || account !== state.account) return;
  state.positions = positions.items;
  valued = Date.now();
  emit("positions");
}, 1000);

let leave = null;

/** Follow an account, or none. */
export function follow(account) {
  if (leave) leave();
  leave = null;
  state.account = account;
  state.balances = new Map();
  state.positions = [];
  state.waiting = [];
  state.other = [];
  if (account && stream) {
    leave = stream.subscribe("account", account, (message) => {
      if (message.data) for (const event of message.data.events || []) emit("event", event);
      refreshAccount();
    });
    refreshAccount();
  }
  emit("account");
}

/** Open the stream and keep everything current. */
export function connect() {
  stream = new Stream((line) => {
    state.line = line;
    emit("line");
    if (line === "live") {
      refreshDesk();
      refreshAccount();
    }
  });
  stream.subscribe("prices", "", (message) => {
    if (message.snapshot) takePrices(message.snapshot);
    for (const event of message.data || []) if (event.asset) tick(event);
    if (message.seq) state.sequence = message.seq;
    refreshDesk();
    refreshPositions();
  });
  stream.subscribe("trades", "", (message) => message.data && emit("trades", message));
  setInterval(() => emit("clock"), 1000);
}

/** A posted price shows at once; the desk's own pair follows within a second. */
function tick(event) {
  const value = event.price || event.high;
  const row = state.prices.get(event.asset);
  if (!value || !row) return;
  const shown = text(BigInt(value), 30);
  state.prices.set(event.asset, { ...row, at: now(), posted: shown, status: row.status === "stale" ? "live" : row.status });
  emit("tick", { asset: event.asset, price: shown });
}

/** Assets whose newest price is older than the venue accepts, or that have none. */
export function stale() {
  return [...state.prices.values()].filter((row) => row.status !== "live" || now() - row.at > 120).map((row) => row.asset);
}
