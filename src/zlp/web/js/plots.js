// Small drawings in SVG: curves, columns, and bars against a target. Floats here are pixels only.

const NS = "http://www.w3.org/2000/svg";
const BOX = { wide: 640, high: 220, left: 64, right: 14, top: 12, bottom: 26 };

/** A drawing as wide as its place, drawn anew when that changes: so its words keep their size. */
function fitted(draw) {
  const holder = document.createElement("div");
  holder.className = "plot-holder";
  let drawn = 0;
  new ResizeObserver(([entry]) => {
    const wide = Math.round(entry.contentRect.width);
    if (wide < 60 || wide === drawn) return;
    drawn = wide;
    holder.replaceChildren(draw({ ...BOX, wide }));
  }).observe(holder);
  return holder;
}

function svg(name, properties, ...children) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(properties)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const words = (x, y, label, anchor = "middle") => {
  const element = svg("text", { x, y, "text-anchor": anchor });
  element.textContent = label;
  return element;
};

function ticks(low, high, count = 4) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough * 0.999);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) found.push(Math.abs(value) < step * 1e-9 ? 0 : value);
  return found;
}

function frame(box, label, xs, ys, writeX, writeY, xTicks = null) {
  const [lowX, highX] = [Math.min(...xs), Math.max(...xs)];
  let [lowY, highY] = [Math.min(...ys), Math.max(...ys)];
  if (lowY === highY) [lowY, highY] = [lowY - Math.abs(lowY * 0.01 || 1), highY + Math.abs(highY * 0.01 || 1)];
  const room = (highY - lowY) * 0.06;
  lowY -= lowY === 0 ? 0 : room;
  highY += room;
  const x = (value) => box.left + ((value - lowX) / (highX - lowX || 1)) * (box.wide - box.left - box.right);
  const y = (value) => box.high - box.bottom - ((value - lowY) / (highY - lowY)) * (box.high - box.top - box.bottom);
  const element = svg("svg", { class: "plot", viewBox: `0 0 ${box.wide} ${box.high}`, width: box.wide, height: box.high, role: "img", "aria-label": label });
  for (const value of ticks(lowY, highY)) {
    element.append(svg("line", { class: value === 0 ? "zero" : "grid", x1: box.left, x2: box.wide - box.right, y1: y(value), y2: y(value) }), words(box.left - 8, y(value) + 4, writeY(value), "end"));
  }
  const marks = xTicks || ticks(lowX, highX, Math.max(2, Math.min(8, Math.floor(box.wide / 110))));
  for (const value of marks) element.append(words(x(value), box.high - 6, writeX(value), x(value) < box.left + 16 ? "start" : x(value) > box.wide - box.right - 24 ? "end" : "middle"));
  return { element, x, y, lowY, highY };
}

/** Curves: [{points: [[x, y], ...], kind, name}]; `mark` is a point to stress. */
export function curves(label, series, more = {}) {
  return fitted((box) => drawnCurves(box, label, series, more));
}

function drawnCurves(box, label, series, { writeX = String, writeY = String, mark = null, zero = false, area = false, xTicks = null }) {
  const all = series.flatMap((each) => each.points);
  const ys = all.map((point) => point[1]);
  const { element, x, y, lowY } = frame(box, label, all.map((point) => point[0]), zero ? [0, ...ys] : ys, writeX, writeY, xTicks);
  for (const each of series) {
    const path = each.points.map(([a, b], index) => `${index ? "L" : "M"}${x(a).toFixed(1)},${y(b).toFixed(1)}`).join("");
    if (area) {
      const [first, last] = [each.points[0], each.points.at(-1)];
      element.append(svg("path", { class: "area", d: `${path}L${x(last[0])},${y(Math.max(0, lowY))}L${x(first[0])},${y(Math.max(0, lowY))}Z` }));
    }
    element.append(svg("path", { class: `curve ${each.kind || ""}`, d: path }));
  }
  if (mark) element.append(svg("circle", { cx: x(mark[0]), cy: y(mark[1]), r: 5 }));
  return element;
}

/** Columns: [{x, parts: [[kind, value], ...]}], stacked from zero outwards. */
export function columns(label, rows, more = {}) {
  return fitted((box) => drawnColumns(box, label, rows, more));
}

function drawnColumns(box, label, rows, { writeX = String, writeY = String, xTicks = null }) {
  const tops = rows.map((row) => row.parts.reduce((sum, part) => sum + Math.max(0, part[1]), 0));
  const lows = rows.map((row) => row.parts.reduce((sum, part) => sum + Math.min(0, part[1]), 0));
  const xs = rows.map((row) => row.x);
  const gap = rows.length > 1 ? Math.abs(xs[1] - xs[0]) : 1;
  const { element, x, y } = frame(box, label, [Math.min(...xs) - gap / 2, Math.max(...xs) + gap / 2], [0, ...tops, ...lows], writeX, writeY, xTicks);
  const wide = Math.max(2, (x(gap) - x(0)) * 0.7);
  for (const row of rows) {
    let [up, down] = [0, 0];
    for (const [kind, value] of row.parts) {
      const [from, to] = value >= 0 ? [up, (up += value)] : [down, (down += value)];
      const [top, bottom] = [y(Math.max(from, to)), y(Math.min(from, to))];
      if (bottom - top < 0.2) continue;
      const bar = svg("rect", { class: kind, x: x(row.x) - wide / 2, y: top, width: wide, height: bottom - top, rx: 1.5 });
      if (row.title) bar.append(Object.assign(document.createElementNS(NS, "title"), { textContent: row.title }));
      element.append(bar);
    }
  }
  return element;
}

/** A bar of parts in bps, with a mark where the target lies. */
export function meter(value, target = null, kind = "") {
  const holder = document.createElement("div");
  holder.className = "meter";
  const bar = document.createElement("i");
  bar.style.width = `${Math.max(0, Math.min(100, Number(value) / 100))}%`;
  if (kind) bar.className = kind;
  holder.append(bar);
  if (target !== null) {
    const mark = document.createElement("b");
    mark.style.left = `${Math.max(0, Math.min(100, Number(target) / 100))}%`;
    holder.append(mark);
  }
  return holder;
}

/** Lines of a stacked bar each: [{name, parts: [{kind, value, title}]}], as shares of their own sum. */
export function bars(label, rows) {
  const holder = document.createElement("div");
  holder.className = "bars";
  holder.setAttribute("role", "img");
  holder.setAttribute("aria-label", label);
  for (const row of rows) {
    const all = row.parts.reduce((sum, part) => sum + part.value, 0) || 1;
    const [name, bar] = [document.createElement("span"), document.createElement("div")];
    name.textContent = row.name;
    for (const part of row.parts) {
      const piece = document.createElement("i");
      piece.className = part.kind;
      piece.style.width = `${(100 * part.value) / all}%`;
      piece.title = part.title || "";
      bar.append(piece);
    }
    holder.append(name, bar);
  }
  return holder;
}
