// The venue's HTTP door. A refusal carries the stable code, and the limit and the actual value as people read them.

import { amount, text } from "./numbers.js";
import { state } from "./store.js";

export class Refusal extends Error {
  constructor(status, problem) {
    super(explained(problem));
    this.status = status;
    this.code = problem.code || "unknown";
    this.problem = problem;
  }
}

/** What a rejection says, in a sentence. */
export function explained(problem) {
  const short = balanceWords(problem);
  if (short) return short;
  const title = problem.title || (problem.code || "refused").replaceAll("_", " ");
  const figures = [
    problem.limit !== undefined && problem.limit !== null && `limit ${grouped(problem.limit)}`,
    problem.actual !== undefined && problem.actual !== null && `actual ${grouped(problem.actual)}`,
  ].filter(Boolean);
  const sentence = title.charAt(0).toUpperCase() + title.slice(1);
  return sentence + (problem.detail ? `: ${problem.detail}` : "") + (figures.length ? ` (${figures.join(", ")})` : "");
}

/** A balance that does not suffice, in whole tokens; "" for anything else. */
function balanceWords({ code, detail = "", limit, actual }) {
  const token = state.tokens.get(detail.slice(detail.lastIndexOf(":") + 1));
  if (code !== "insufficient_balance" || !token || !/^\d+$/.test(limit ?? "") || !/^\d+$/.test(actual ?? "")) return "";
  const whole = (units) => `${amount(text(BigInt(units), token.decimals))} ${token.symbol}`;
  return `Not enough ${token.symbol}: there are ${whole(limit)}, it takes ${whole(actual)}`;
}

/** Engine integers that are very large are USD at 1e30 nearly always. */
function grouped(value) {
  const text = String(value);
  if (text.length <= 27) return text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const whole = text.slice(0, -30) || "0";
  return `$${whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",")}.${text.slice(-30).padStart(30, "0").slice(0, 2)}`;
}

async function answer(request) {
  let response;
  try {
    response = await request;
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new Refusal(0, { code: "unreachable", title: "the venue does not answer" });
  }
  const value = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, value);
  return value;
}

export function get(path, query = {}, signal) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given).toString();
  return answer(fetch(path + (text ? `?${text}` : ""), { signal }));
}

/** `body` is JSON text already where its bytes are signed. */
export function post(path, body, signal) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return answer(fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: text, signal }));
}

export const segment = encodeURIComponent;
