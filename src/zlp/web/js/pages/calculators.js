// Calculators: the published examples with one's own figures. The venue computes them exactly; the page draws.

import { get } from "../api.js";
import { card, facts, field, fill, h } from "../dom.js";
import { bps, float, money, percent, price, shown } from "../numbers.js";
import { curves } from "../plots.js";
import { market, on, state } from "../store.js";

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
    inputs: [["market", "Long on", "token"], ["collateral", "Paid in", "token"], ["amount", "Worth of it", "USD"], ["leverage", "Leverage", "times"]],
    outcome: (found) => facts([
      ["Size", h("strong", {}, money(found.size_usd))],
      ...found.lines.map((line) => [h("span", { title: line.why }, line.name), h("span", {}, money(line.usd), line.bps && h("small", {}, ` ${bps(line.bps)}`))]),
      ["execution fee", found.execution],
    ], "lined"),
    plot: () => null,
  },
  {
    path: "deleverage", title: "Deleverage curve", text: "Profits are paid in full until a market's debt nears its credit; from there a falling part is paid.",
    inputs: [["start", "Falls from", "debt over credit"], ["end", "Nothing at", "debt over credit"], ["exponent", "Exponent", ""], ["debt", "Debt", "USD"], ["credit", "Credit", "USD"]],
    outcome: (found) => facts([["Paid of a profit now", h("strong", {}, percent(found.factor))]], "lined"),
    plot: (found) => curves("Part of a profit that is paid", [{ points: found.curve.map((point) => [float(point.ratio), float(point.paid) * 100]) }], {
      writeX: (value) => value.toFixed(2), writeY: (value) => `${Math.round(value)} %`, area: true, zero: true, mark: [Math.min(float(found.inputs.debt) / (float(found.inputs.credit) || 1), float(found.inputs.end) * 1.25), float(found.factor) * 100],
    }),
  },
];

const cutDots = (value) => value.replace("...", "");

export function show(root) {
  fill(root,
    h("div.intro", {}, h("div", {}, h("h1", {}, "Calculators"), h("p", {}, "The published examples; put in your own figures. The venue works them out exactly."))),
    h("div.two", {}, KINDS.map(calculator), premium()));
  return () => {};
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
  const draw = (given) => fill(inputs, kind.inputs.map(([name, label, unit]) => field(label, h("input", {
    type: "text", name: `${kind.path}-${name}`, autocomplete: "off", inputMode: unit === "token" ? "text" : "decimal", value: given[name],
    oninput: (event) => { values[name] = event.target.value; clearTimeout(timer); timer = setTimeout(work, 200); },
  }), { end: unit && h("span.unit", {}, unit) })));
  work();
  return card(kind.title, h("p.hint", {}, kind.text), inputs, outcome, plot);
}

/** The venue's own premium: what opening costs against the oracle, by the sizes open now. */
function premium() {
  const body = h("div");
  const draw = () => {
    const rows = state.desk.markets.filter((each) => market(each.market));
    fill(body, facts(rows.map((each) => [each.market, h("span", {}, `${money(each.long_usd, { short: true })} long, ${money(each.short_usd, { short: true })} short`, h("small", {}, ` longs pay ${percent(each.long_hourly, 5)} an hour`))]), "lined"));
  };
  draw();
  on("desk", () => body.isConnected && draw());
  return card("This venue now", h("p.hint", {}, "What its markets charge to hold a position at this moment."), body);
}
