// Exact numbers: decimal text and BigInt. A float never stands for money here; charts alone use them, for pixels.

export const USD = 30;
export const RATE = 18;

/** Decimal text as an integer with `decimals` places. Throws what a person can read. */
export function units(text, decimals) {
  const clean = String(text).trim().replace(/[,_\s]/g, "");
  const parts = /^(-?)(\d*)(?:\.(\d*))?$/.exec(clean);
  if (!parts || (parts[2] === "" && !parts[3])) throw new Error("Enter a number, like 0.5");
  const fraction = parts[3] || "";
  if (fraction.length > decimals) throw new Error(`At most ${decimals} decimals`);
  const value = BigInt((parts[2] || "0") + fraction.padEnd(decimals, "0"));
  return parts[1] ? -value : value;
}

/** The same, cut off after `decimals` places instead of refused. */
export function cut(text, decimals) {
  const [whole, fraction = ""] = String(text).split(".");
  return units(`${whole}.${fraction.slice(0, decimals)}`, decimals);
}

/** An integer with `decimals` places as decimal text, exactly. */
export function text(value, decimals) {
  const sign = value < 0n ? "-" : "";
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  const whole = decimals ? digits.slice(0, -decimals) : digits;
  const fraction = decimals ? digits.slice(-decimals).replace(/0+$/, "") : "";
  return sign + whole + (fraction ? `.${fraction}` : "");
}

/** Rounded half up to `places`, with thousands apart: for eyes only. */
export function shown(value, places = 2, fixed = true) {
  if (value === null || value === undefined || value === "") return "–";
  const exact = cut(value, 30);
  const step = 10n ** BigInt(30 - places);
  const negative = exact < 0n;
  let rounded = ((negative ? -exact : exact) + step / 2n) / step;
  let out = text(rounded, places);
  let [whole, fraction = ""] = out.split(".");
  if (fixed && places) fraction = fraction.padEnd(places, "0");
  whole = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return (negative && rounded !== 0n ? "−" : "") + whole + (fraction ? `.${fraction}` : "");
}

const LARGE = [[10n ** 42n, 9, "bn"], [10n ** 39n, 9, "bn"], [10n ** 36n, 6, "m"], [10n ** 34n, 3, "k"]];

/** USD for eyes. `short` writes millions as m. */
export function money(value, { short = false, sign = false } = {}) {
  if (value === null || value === undefined || value === "") return "–";
  const exact = cut(value, 30);
  const size = exact < 0n ? -exact : exact;
  const lead = exact < 0n ? "−$" : sign && exact > 0n ? "+$" : "$";
  if (short) {
    for (const [from, shift, suffix] of LARGE) {
      if (size >= from) return lead + shown(text(size / 10n ** BigInt(shift), 30), 2) + suffix;
    }
  }
  return lead + shown(text(size, 30), 2);
}

/** A price: two decimals for large ones, more for small ones. */
export function price(value) {
  if (value === null || value === undefined || value === "" || value === "0") return "–";
  const exact = cut(value, 30);
  const size = exact < 0n ? -exact : exact;
  const places = size >= 10n ** 32n ? 2 : size >= 10n ** 30n ? 4 : 6;
  return shown(value, places);
}

/** Basis points as percent. */
export const bps = (value, places = 2) => `${shown(text(BigInt(value), 2), places)} %`;

/** A ratio as percent. */
export const percent = (value, places = 2) =>
  value === null || value === undefined ? "–" : `${shown(text(cut(value, 28), 26), places)} %`;

/** How a token amount is read: as many decimals as matter. */
export function amount(value, places) {
  if (value === null || value === undefined) return "–";
  if (places !== undefined) return shown(value, places, false);
  const size = Math.abs(Number(value));
  return shown(value, size >= 1000 ? 2 : size >= 1 ? 4 : 8, false);
}

/** For pixels and sorting only. */
export const float = (value) => Number(value);

export const sign = (value) => (String(value).startsWith("-") ? -1 : /[1-9]/.test(String(value)) ? 1 : 0);

export const tone = (value) => (sign(value) < 0 ? "down" : sign(value) > 0 ? "up" : "");

export const short = (account) =>
  /^0x[0-9a-fA-F]{40}$/.test(account || "") ? `${account.slice(0, 6)}…${account.slice(-4)}` : account || "";

export function clock(seconds, withDate = false) {
  const date = new Date(Number(seconds) * 1000);
  const time = date.toLocaleTimeString([], { hour12: false });
  return withDate ? `${date.toLocaleDateString([], { month: "short", day: "numeric" })} ${time}` : time;
}

export function span(seconds) {
  const value = Math.max(0, Math.round(Number(seconds)));
  if (value < 90) return `${value} s`;
  if (value < 5400) return `${Math.round(value / 60)} min`;
  if (value < 172800) return `${Math.round(value / 3600)} h`;
  return `${Math.round(value / 86400)} days`;
}
