// Calculators: the published examples with one's own figures. The venue computes them exactly; the page draws.

import { get } from "../api.js";
import { card, facts, field, fill, h, select, table } from "../dom.js";
import { bps, float, money, percent, price, shown } from "../numbers.js";
import { bars, curves } from "../plots.js";
import { on, state } from "../store.js";

const KINDS = [
  {
    path: "adaptive-price", title: "Adaptive price", text: "The price of a trade moves with the skew of its market: balancing trades are paid, unbalancing ones pay.",
    inputs: [["oracle", "Oracle price", "USD"], ["skew", "Skew before", "USD"], ["size", "Size (negative sells)", "USD"], ["scale", "Skew scale", "USD"]],
    outcome: (found) => facts([
      ["Premium before", percent(found.before, 6)], ["Premium after", percent(found.after, 6)], ["Their mean", percent(found.premium, 6)],
      ["Price the engine charges", h("strong", {}, shown(found.price, 8, false))], ["With ratios rounded to 8 digits", shown(found.rounded.replace("...", ""), 8, false)],
    ], "lined"),
    plot: (found) => curves("Price by skew", [{ points: found.curve.map((point) => [float(point.skew), float(point.price)]) }], {
      writeX: (value) => money(String(Math.round(value)), { short: true }), writeY: (value) => price(value.toFixed(4)), mark: [float(found.inputs.skew), float(found.inputs.oracle) * (1 + float(found.before))],
    }),
  },
  {
    path: "yield", title: "Yield", text: "What a pool's fees come to for one provider.",
    inputs: [["volume", "Volume a day", "USD"], ["fee", "Fee of the volume", "ratio"], ["pool_share", "The pool's part", "ratio"], ["contribution", "What you put in", "USD"], ["pool_value", "Pool value", "USD"]],
    outcome: (found) => facts([
      ["Pool fees a day", money(cutDots(found.pool_fees_per_day))], ["Your share", percent(cutDots(found.share), 4)],
      ["You earn a day", h("strong", {}, `$${shown(cutDots(found.per_day), 4, false)}`)], ["Weekly APR", h("strong", {}, bps(found.apr_bps))],
    ], "lined"),
    plot: (found) => {
      const daily = float(cutDots(found.per_day));
      const base = float(found.inputs.volume) || 1;
      return curves("Earned a day by volume", [{ points: [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2].map((part) => [base * part, daily * part]) }], {
        writeX: (value) => money(String(Math.round(value)), { short: true }), writeY: (value) => `$${value.toFixed(2)}`, mark: [base, daily], area: true,
      });
    },
  },
  {
    path: "opening", title: "Cost of opening", text: "Every fee of opening an isolated position, in words.",
    inputs: [["market", "Long on", ["ETH", "BTC"]], ["collateral", "Paid in", ["BTC", "ETH", "USDC", "USDT"]], ["amount", "Worth of it", "USD"], ["leverage", "Leverage", "times"]],
    outcome: (found) => facts([
      ["Size", h("strong", {}, money(found.size_usd))],
      ...found.lines.map((line) => [h("span", { title: line.why }, line.name), h("span", {}, money(line.usd), line.bps && h("small", {}, ` ${bps(line.bps)}`))]),
      ["execution fee", found.execution],
    ], "lined"),
    plot: (found) => {
      const most = Math.max(...found.lines.map((line) => float(line.usd)));
      return bars("What each fee comes to", found.lines.map((line) => ({ name: line.name, parts: [
        { kind: "accent", value: float(line.usd), title: money(line.usd) }, { kind: "rest", value: most - float(line.usd) }] })));
    },
  },
  {
    path: "deleverage", title: "Deleverage curve", text: "Profits are paid in full until a market's debt nears its credit; from there a falling part is paid.",
    inputs: [["start", "Falls from (debt / credit)", ""], ["end", "Nothing at (debt / credit)", ""], ["exponent", "Exponent", ""], ["debt", "Debt", "USD"], ["credit", "Credit", "USD"]],
    outcome: (found) => facts([["Paid of a profit now", h("strong", {}, percent(found.factor))]], "lined"),
    plot: (found) => curves("Part of a profit that is paid", [{ points: found.curve.map((point) => [float(point.ratio), float(point.paid) * 100]) }], {
      writeX: (value) => value.toFixed(2), writeY: (value) => `${Math.round(value)} %`, area: true, zero: true, mark: [Math.min(float(found.inputs.debt) / (float(found.inputs.credit) || 1), float(found.inputs.end) * 1.25), float(found.factor) * 100],
    }),
  },
  {
    path: "premium", title: "Premium of stable-token swaps", text: "Who gives the stable token to a vault in debt is paid a premium, to a vault in credit a discount; in between it is the oracle's price.",
    inputs: [["start", "Grows from (debt / assets)", ""], ["end", "Largest at (debt / assets)", ""], ["least", "Least", "ratio"], ["most", "Most", "ratio"], ["exponent", "Exponent", ""], ["debt", "Debt (below 0: credit)", "USD"], ["assets", "Assets", "USD"]],
    outcome: (found) => facts([["You receive, of the oracle's worth", h("strong", {}, percent(found.factor, 3))]], "lined"),
    plot: (found) => {
      const reach = float(found.inputs.end) * 1.25;
      const at = float(found.inputs.debt) / (float(found.inputs.assets) || 1);
      return curves("Received by debt over assets", [{ points: found.curve.map((point) => [float(point.ratio), float(point.factor) * 100]) }], {
        writeX: (value) => value.toFixed(2), writeY: (value) => `${value.toFixed(0)} %`, mark: [Math.max(-reach, Math.min(reach, at)), float(found.factor) * 100],
      });
    },
  },
];

let end = null;
const cutDots = (value) => value.replace("...", "");

export function show(root) {
  fill(root,
    h("div.intro", {}, h("div", {}, h("h1", {}, "Calculators"), h("p", {}, "The published examples; put in your own figures. The venue works them out exactly."))),
    h("div.masonry", {}, KINDS.map(calculator), carry()));
  return () => end?.();
}

function calculator(kind) {
  const values = {};
  const outcome = h("div", { "aria-live": "polite" }, h("p.loading", {}, "Working it out"));
  const plot = h("div");
  const inputs = h("div.inputs");
  let timer = 0;
  let turn = 0;
  const work = async () => {
    const mine = ++turn;
    const wrong = kind.inputs.find(([name, , unit]) => !Array.isArray(unit) && name in values && !/^-?\d+(\.\d*)?$/.test(values[name].replace(/[,\s]/g, "")));
    if (wrong) {
      fill(outcome, h("p.refused", {}, `${wrong[1]}: Enter a number, like 1000 or 0.75`));
      return;
    }
    const given = Object.entries(values).map(([name, value]) => `${name}=${value.replace(/[,\s]/g, "")}`).join(",");
    try {
      const found = await get(`/v1/calculators/${kind.path}`, { given });
      if (mine !== turn) return;
      if (!inputs.children.length) draw(found.inputs);
      fill(outcome, kind.outcome(found));
      fill(plot, kind.plot(found));
    } catch (fault) {
      if (mine === turn) fill(outcome, h("p.refused", {}, fault.message));
    }
  };
  const change = (name, value) => {
    values[name] = value;
    clearTimeout(timer);
    timer = setTimeout(work, 200);
  };
  const control = (given, [name, label, unit]) => Array.isArray(unit)
    ? field(label, select(unit, given[name], (value) => change(name, value), { name: `${kind.path}-${name}` }))
    : field(label, h("input", {
      type: "text", name: `${kind.path}-${name}`, autocomplete: "off", inputMode: "decimal", value: given[name], oninput: (event) => change(name, event.target.value),
    }), { end: unit && h("span.unit", {}, unit) });
  const draw = (given) => fill(inputs, kind.inputs.map((each) => control(given, each)));
  work();
  return card(kind.title, h("p.hint", {}, kind.text), inputs, outcome, plot);
}

/** What holding a position costs at this venue, at this moment. */
function carry() {
  const body = h("div");
  const draw = () => fill(body, table([
    ["Market", (row) => h("strong", {}, row.market)],
    ["Long", (row) => money(row.long_usd, { short: true }), "number"],
    ["Short", (row) => money(row.short_usd, { short: true }), "number"],
    ["Longs pay / h", (row) => percent(row.long_hourly, 5), "number"],
    ["Shorts pay / h", (row) => percent(row.short_hourly, 5), "number"],
  ], state.desk.markets, { label: "Carry now", empty: "No market has a price now." }));
  draw();
  end?.();
  end = on("desk", draw);
  return card("This venue now", h("p.hint", {}, "What its markets charge to hold a position at this moment."), body);
}
