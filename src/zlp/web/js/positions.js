// What one has open: positions, waiting orders, history; and what can be done with them.

import { get, post, segment } from "./api.js";
import { busy, dialog, empty, field, fill, h, select, table, tabs, toast } from "./dom.js";
import { amount, bps, clock, cut, money, price, shown, text, tone, units, USD } from "./numbers.js";
import * as plan from "./plan.js";
import { distance, health, quoteView } from "./quote.js";
import { balance, decimals, emit, market, state } from "./store.js";
import { send } from "./wallet.js";

const sideOf = (row) => h("span", { class: `side ${row.is_long ? "up" : "down"}` }, row.is_long ? "Long" : "Short");

/** Two figures in one cell. */
const over = (first, second) => h("span.over", {}, h("span", {}, first), h("small", {}, second));

const leverage = (row) => (cut(row.collateral_usd, USD) > 0n ? `${shown(text((cut(row.size_usd, USD) * 100n) / cut(row.collateral_usd, USD), 2), 1)}×` : "–");

/** The account's positions. */
export function positionsTable() {
  if (!state.account) return empty("Connect to see your positions.", h("button.primary", { type: "button", onclick: () => emit("want-wallet") }, "Connect"));
  const sum = (name) => text(state.positions.reduce((total, row) => total + cut(row[name], USD), 0n), USD);
  const listed = table(
    [
      ["Market", (row) => h("span.pair", {}, h("strong", {}, row.market), sideOf(row))],
      [plan.sharesMargin() ? "Size / account margin" : "Size / collateral", (row) => over(money(row.size_usd), `${money(row.collateral_usd)} ${row.collateral || leverage(row)}`), "number"],
      ["Entry / mark", (row) => over(price(row.entry_price), price(row.mark_price)), "number"],
      ["PnL / owed", (row) => over(h("span", { class: tone(row.pnl_usd) }, money(row.pnl_usd, { sign: true })), money(row.owed_usd)), "number"],
      ["Liquidation / health", (row) => over(row.liquidation_price === "0" ? "none" : price(row.liquidation_price), [row.liquidation_price !== "0" && `${distance(row.liquidation_price, row.mark_price, 1)}, `, health(row.health_bps)]), "number"],
      ["", (row) => h("span.actions", {},
        h("button.small", { type: "button", onclick: () => closing(row) }, "Close"),
        h("button.small", { type: "button", onclick: () => margin(row) }, "Margin"),
        state.orders && h("button.small", { type: "button", onclick: () => triggers(row) }, "TP / SL"),
      )],
    ],
    state.positions,
    { label: "Positions", empty: "No open positions. Choose a side and a size to open one." },
  );
  if (state.positions.length < 2) return listed;
  return [listed, h("p.hint.totals", {}, h("span", {}, `${state.positions.length.toLocaleString("en")} positions`), h("span", {}, `Size ${money(sum("size_usd"))}`), h("span", {}, "PnL ", h("span", { class: tone(sum("pnl_usd")) }, money(sum("pnl_usd"), { sign: true }))), h("span", {}, `Owed ${money(sum("owed_usd"))}`))];
}

async function closePlan(row, fraction, guard = "") {
  const { commands } = await get(`/v1/desk/close/${segment(fraction)}`, { position: row.position });
  const [first, ...rest] = commands;
  return guard ? [plan.guarded(first, row.mark_price, !row.is_long, Number(guard)), ...rest] : [first, ...rest];
}

/** Close all or a part, with the quote before one signs. */
function closing(row) {
  dialog(`Close ${row.market} ${row.is_long ? "long" : "short"}`, (close) => {
    let fraction = 10000;
    const outcome = h("div.outcome", { "aria-live": "polite" }, h("p.loading", {}, "Asking for a quote"));
    const button = h("button.primary.wide", { type: "button" }, "Close all");
    const parts = h("div");
    const draw = () => {
      fill(parts, tabs([[2500, "25 %"], [5000, "50 %"], [7500, "75 %"], [10000, "All"]], fraction, (value) => { fraction = value; draw(); }, { label: "How much" }));
      button.textContent = fraction === 10000 ? "Close all" : `Close ${fraction / 100} %`;
      quote();
    };
    const quote = async () => {
      try {
        const commands = await closePlan(row, fraction);
        const answer = await post("/v1/desk/quote", { account: state.account, commands: commands.slice(0, 1) });
        fill(outcome, quoteView(answer, { market: row.market, isLong: row.is_long, mark: row.mark_price, orders: plan.immediate(commands[0]) ? 0 : 1 }));
      } catch (fault) {
        fill(outcome, h("p.refused", {}, fault.message));
      }
    };
    button.onclick = () => busy(button, "Signing…", async () => {
      const commands = await closePlan(row, fraction, "100");
      await send(plan.sent(commands.slice(0, 1)));
      toast("Close sent; it runs at the next prices", "good");
      close();
    });
    draw();
    const again = setInterval(() => (button.isConnected ? quote() : clearInterval(again)), 2000);
    return [parts, outcome, button];
  });
}

/** Add margin or take it out. */
export function margin(row) {
  dialog(plan.sharesMargin() ? "Margin of the account" : `Collateral of ${row.market}`, (close) => {
    let adds = true;
    let value = "";
    let token = row.collateral || market(row.market)?.long_collaterals[0] || "";
    const body = h("div");
    const button = h("button.primary.wide", { type: "button" });
    const wanted = (how) => get(`/v1/desk/margin/${adds ? "add" : "take"}`, { position: row.position, pool: row.pool, token, amount: how });
    const outcome = h("div.outcome", { "aria-live": "polite" });
    const quote = async () => {
      if (!value) return fill(outcome);
      try {
        const { commands } = await wanted(value);
        if (!commands.length) return fill(outcome);
        const answer = await post("/v1/desk/quote", { account: state.account, commands });
        return fill(outcome, quoteView(answer, { market: row.market, isLong: row.is_long, mark: row.mark_price }));
      } catch (fault) {
        return fill(outcome, h("p.refused", {}, fault.message));
      }
    };
    const draw = async () => {
      const { unit } = await wanted("0").catch(() => ({}));
      const tokens = row.collateral ? [row.collateral] : market(row.market)?.long_collaterals || [token];
      const box = h("input", { type: "text", inputMode: "decimal", name: "margin", autocomplete: "off", value, oninput: (event) => { value = event.target.value; quote(); } });
      fill(
        body,
        tabs([[true, "Add"], [false, "Take out"]], adds, (choice) => { adds = choice; value = ""; draw(); }, { label: "Direction" }),
        field("Amount", box, {
          end: unit === "USD" ? h("span.unit", {}, unit) : select(tokens, token, (choice) => { token = choice; draw(); }, { "aria-label": "Token", class: "unit" }),
          hint: adds && h("p.hint", {}, `You have ${amount(balance(token).amount)} ${token}`),
        }),
      );
      button.textContent = adds ? "Add margin" : "Take margin out";
      quote();
    };
    button.onclick = () => busy(button, "Signing…", async () => {
      const { commands } = await wanted(value);
      if (!commands.length) throw new Error("Give an amount above 0");
      await send(plan.sent(commands));
      toast(adds ? "Margin added" : "Margin taken out", "good");
      close();
    });
    draw();
    return [body, outcome, button];
  });
}

/** Stop-loss and take-profit orders on a position. */
function triggers(row) {
  dialog(`Stop and take profit: ${row.market}`, (close) => protection(row, close));
}

/** The form that protects a position: it closes, all or in part, when the price is reached. `done` after placing. */
export function protection(row, done) {
  const boxes = { stop: "", take: "" };
  let fraction = 10000;
  const box = (name) => h("input", { type: "text", inputMode: "decimal", name, autocomplete: "off", placeholder: price(row.mark_price).replaceAll(",", ""), oninput: (event) => { boxes[name] = event.target.value; tell(); } });
  const far = { stop: h("p.hint"), take: h("p.hint") };
  const tell = () => {
    for (const [name, hint] of Object.entries(far)) {
      const value = boxes[name].trim();
      fill(hint, /^\d+(\.\d+)?$/.test(value) && h("span", {}, `${distance(value, row.mark_price)} from the mark`));
    }
  };
  const button = h("button.primary.wide", { type: "button" }, "Place orders");
  button.onclick = () => busy(button, "Signing…", async () => {
    const [action] = await closePlan(row, fraction);
    const placed = [];
    for (const [name, above] of [["stop", !row.is_long], ["take", row.is_long]]) {
      if (boxes[name]) placed.push(plan.order(action, { asset: row.market, price: boxes[name], above }));
    }
    if (!placed.length) throw new Error("Enter a price");
    await send(placed);
    toast(placed.length === 2 ? "Both orders placed" : "Order placed", "good");
    done();
  });
  const parts = h("div");
  const draw = () => fill(parts, tabs([[2500, "25 %"], [5000, "50 %"], [7500, "75 %"], [10000, "All"]], fraction, (value) => { fraction = value; draw(); }, { label: "How much" }));
  draw();
  return [
    h("p.hint", {}, `${money(row.size_usd)} ${row.is_long ? "long" : "short"} from ${price(row.entry_price)}. Mark ${price(row.mark_price)}, liquidation ${price(row.liquidation_price)}. When the price is reached, a keeper closes:`),
    parts,
    field("Take profit at", box("take"), { end: h("span.unit", {}, "USD"), hint: far.take }),
    field("Stop loss at", box("stop"), { end: h("span.unit", {}, "USD"), hint: far.stop }),
    button,
  ];
}

/** What an order says in a few words. */
export function orderWords(row) {
  if (/^(Credit|Held)Order$/.test(row.type)) return [`${row.size_delta.startsWith("-") ? "Sell" : "Buy"}`, row.market, shown(text(BigInt(row.size_delta.replace("-", "")), 18), 4, false)];
  if (row.type !== "Order") return [row.type.replace(/([a-z])([A-Z])/g, "$1 $2"), row.vault || row.token || "", ""];
  const action = JSON.parse(row.action);
  const closes = /^(Decrease|Close|CrossReduce)/.test(action.type) || Boolean(action.reduce_only);
  const opens = /^(Increase|Open|CrossTrade|PlaceCreditOrder)/.test(action.type);
  const sells = String(action.size_delta ?? "").startsWith("-");
  const isLong = action.is_long ?? (action.size_delta === undefined ? null : closes ? sells : !sells);
  const reduced = isLong === null && closes && state.positions.find((each) => each.market === action.market);
  const side = reduced ? (reduced.is_long ? "long" : "short") : isLong === null ? "" : isLong ? "long" : "short";
  return [`${closes ? "Close" : opens ? "Open" : action.type} ${side}`.trim(), action.market || action.pool || "", orderSize(action, closes)];
}

/** The size of an order's action: USD, or coins of the market where a design counts in those. */
function orderSize(action, closes) {
  const size = String(action.size_delta ?? action.size ?? action.amount ?? "").replace("-", "");
  if (closes && (action.whole || size === "" || size === "0")) return "all";
  if (action.type === "PlaceCreditOrder") return `${shown(text(BigInt(size), 18), 4, false)} ${action.market}`;
  if (/Borrowed$/.test(action.type)) return `${shown(text(BigInt(size), decimals(action.market)), 4, false)} ${action.market}`;
  return size ? money(text(BigInt(size), USD)) : "";
}

function cancelling(row) {
  if (row.type === "Order") return { type: "CancelOrder", number: row.number };
  if (row.type === "CreditOrder") return { type: "CancelCreditOrder", trading_account: row.account };
  if (row.type === "HeldOrder") return { type: "CancelSignedOrders", trading_account: row.trading_account };
  if (/Redemption/.test(row.type)) return { type: "CancelRedemption", redemption: row.number };
  if (/StableSwap/.test(row.type)) return { type: "RefundStableSwap", swap: row.number };
  return null;
}

function edit(row) {
  dialog(`Change the trigger of order ${row.number}`, (close) => {
    let value = plan.limitOf(row);
    const box = h("input", { type: "text", inputMode: "decimal", name: "trigger", value, oninput: (event) => (value = event.target.value) });
    const button = h("button.primary.wide", { type: "button" }, "Save");
    button.onclick = () => busy(button, "Signing…", async () => {
      const changed = plan.beyond(units(value, USD), row.trigger_above);
      await send([{ type: "UpdateOrder", number: row.number, trigger_price: changed.toString(), trigger_above: row.trigger_above, action: moved(row, changed) }]);
      toast("Trigger changed", "good");
      close();
    });
    return [field(`When ${row.trigger_asset} is ${row.trigger_above ? "above" : "below"}`, box, { end: h("span.unit", {}, "USD") }), button];
  });
}

/** The action with its acceptable price as far from the new trigger as it was from the old one; "" where it has none. */
function moved(row, trigger) {
  const action = JSON.parse(row.action);
  if (!action.acceptable_price || action.acceptable_price === "0") return "";
  const acceptable = (BigInt(action.acceptable_price) * trigger) / BigInt(row.trigger_price);
  return JSON.stringify({ ...action, acceptable_price: acceptable.toString() });
}

export function ordersTable() {
  if (!state.account) return empty("Connect to see your orders.");
  return table(
    [
      ["What", (row) => h("strong", {}, orderWords(row)[0])],
      ["Market", (row) => orderWords(row)[1]],
      ["Size", (row) => orderWords(row)[2] || "–", "number"],
      ["When", (row) => (row.target_price ? `at ${price(text(BigInt(row.target_price), USD))} or better` : row.trigger_asset ? `${row.trigger_asset} ${row.trigger_above ? "above" : "below"} ${price(plan.limitOf(row))}` : "at the next prices"), "number"],
      ["Placed", (row) => (row.placed_at || row.held_at ? clock(row.placed_at || row.held_at, true) : "–"), "number"],
      ["", (row) => h("span.actions", {},
        row.trigger_asset && h("button.small", { type: "button", onclick: () => edit(row) }, "Edit"),
        cancelling(row) && h("button.small", { type: "button", onclick: (event) => busy(event.currentTarget, "…", async () => { await send([cancelling(row)]); toast("Cancelled", "good"); }) }, "Cancel"),
      )],
    ],
    state.waiting,
    { label: "Orders", empty: "No order waits." },
  );
}

const PAST = {
  trades: ["/v1/trades", [
    ["Time", (row) => clock(row.time, true)],
    ["Market", (row) => h("span.pair", {}, h("strong", {}, row.market), sideOf(row))],
    ["Action", (row) => row.action],
    ["Traded", (row) => money(row.traded_usd), "number"],
    ["Price", (row) => price(row.price), "number"],
    ["PnL", (row) => h("span", { class: tone(row.pnl_usd) }, money(row.pnl_usd, { sign: true })), "number"],
    ["Fee", (row) => money(row.fee_usd), "number"],
    ["Carry", (row) => money(row.carry_usd), "number"],
    ["Receipt", (row) => h("a", { href: `#/explorer/${row.sequence}` }, row.sequence), "number"],
  ]],
  positions: ["/v1/history/positions", [
    ["Opened", (row) => clock(row.opened_at, true)],
    ["Market", (row) => h("span.pair", {}, h("strong", {}, row.market), sideOf(row))],
    ["Largest", (row) => money(row.largest_usd), "number"],
    ["Trades", (row) => row.fills, "number"],
    ["PnL", (row) => h("span", { class: tone(row.pnl_usd) }, money(row.pnl_usd, { sign: true })), "number"],
    ["Fees and carry", (row) => money(text(cut(row.fee_usd, USD) + cut(row.carry_usd, USD), USD)), "number"],
    ["Net", (row) => h("span", { class: tone(row.net_usd) }, money(row.net_usd, { sign: true })), "number"],
    ["Closed", (row) => (row.closed_at === "0" ? "open" : clock(row.closed_at, true))],
  ]],
};

/** A list of the read model; where the venue keeps none, it says so. */
export async function past(kind, query = {}) {
  const [path, columns] = PAST[kind];
  try {
    const page = await get(path, { account: state.account, limit: 50, ...query });
    return table(columns, page.items, { label: kind, empty: "Nothing yet." });
  } catch (fault) {
    return empty(fault.status === 404 ? "This venue keeps no history (its read model is switched off)." : fault.message);
  }
}

export { bps };
