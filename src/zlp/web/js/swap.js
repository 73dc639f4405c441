// Swapping tokens at a pool, with the exact amount out.

import { post, explained } from "./api.js";
import { busy, facts, field, fill, h, select, toast } from "./dom.js";
import { amount, cut, text, units } from "./numbers.js";
import * as plan from "./plan.js";
import { feeRows } from "./quote.js";
import { balance, decimals, emit, state } from "./store.js";
import { send } from "./wallet.js";

const chosen = { pool: "", from: "", to: "", amount: "" };

export function swapForm() {
  const pools = state.desk.pools.filter((pool) => pool.assets.length > 1);
  const pool = pools.find((each) => each.pool === chosen.pool) || pools[0];
  const tokens = pool.assets.map((asset) => asset.token);
  chosen.pool = pool.pool;
  if (!tokens.includes(chosen.from)) chosen.from = tokens.at(-1);
  if (!tokens.includes(chosen.to) || chosen.to === chosen.from) chosen.to = tokens.find((token) => token !== chosen.from);
  const outcome = h("div.outcome", { "aria-live": "polite" });
  const button = h("button.primary.wide", { type: "submit" }, state.account ? "Swap" : "Connect to swap");
  const holder = h("form", { onsubmit: (event) => { event.preventDefault(); go(); } });
  let timer = 0;
  let least = "0";

  const command = (minimum = "0") => ({
    type: "Swap", pool: chosen.pool, path: [chosen.from, chosen.to], amount: units(chosen.amount, decimals(chosen.from)).toString(), min_amount: minimum, to: "",
  });

  async function quote() {
    if (!chosen.amount || !state.account) return fill(outcome, h("p.hint", {}, state.account ? "Enter an amount to see what you receive." : "Connect to see what you would receive."));
    try {
      const answer = await post("/v1/desk/quote", { account: state.account, commands: [command()] });
      if (answer.rejection) return fill(outcome, h("p.refused", {}, explained(answer.rejection)));
      const out = answer.events.filter((event) => event.type === "Swapped").at(-1);
      least = ((BigInt(out.amount_out) * 995n) / 1000n).toString();
      const places = decimals(chosen.to);
      return fill(outcome, facts([
        ["You receive", h("strong", {}, `${amount(text(BigInt(out.amount_out), places))} ${chosen.to}`)],
        ["At least", `${amount(text(BigInt(least), places))} ${chosen.to}`],
        ["Fee rate", `${text((cut(out.fee_rate, 0) * 1000000n) / BigInt(out.fee_scale), 4)} %`],
        ...feeRows(answer, plan.immediate(command()) ? 0 : 1),
      ]));
    } catch (fault) {
      return fill(outcome, h("p.refused", {}, fault.message));
    }
  }

  async function go() {
    if (!state.account) return emit("want-wallet");
    return busy(button, "Signing…", async () => {
      await quote();
      await send(plan.sent([command(least)]));
      toast(plan.immediate(command()) ? `Swapped into ${chosen.to}` : "Swap ordered; it runs at the next prices", "good");
      chosen.amount = "";
      draw();
    });
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(quote, 150);
  }

  function draw() {
    const paid = h("input", { type: "text", inputMode: "decimal", placeholder: "0.0", name: "swap-amount", autocomplete: "off", value: chosen.amount, oninput: (event) => { chosen.amount = event.target.value; later(); } });
    const flip = () => { [chosen.from, chosen.to] = [chosen.to, chosen.from]; draw(); };
    fill(
      holder,
      pools.length > 1 && field("Pool", select(pools.map((each) => each.pool), chosen.pool, (value) => { chosen.pool = value; draw(); })),
      field("Pay", paid, { end: select(tokens, chosen.from, (value) => { chosen.from = value; if (value === chosen.to) chosen.to = tokens.find((token) => token !== value); draw(); }, { "aria-label": "Token sold", class: "unit" }), hint: h("p.hint", {}, h("span", {}, `You have ${amount(balance(chosen.from).amount)} ${chosen.from}`), h("button.link", { type: "button", onclick: flip }, "turn around")) }),
      field("Receive", select(tokens.filter((token) => token !== chosen.from), chosen.to, (value) => { chosen.to = value; later(); })),
      outcome,
      button,
    );
    quote();
  }

  draw();
  return holder;
}
