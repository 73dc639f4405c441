// A candle chart on a canvas: drag or arrow keys to move, wheel or plus and minus to zoom, a crosshair that reads out.

import { h } from "./dom.js";
import { clock, price as written } from "./numbers.js";

const AXIS = 74;
const FOOT = 24;
const STEPS = { "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14400, "1d": 86400 };

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class CandleChart {
  constructor(label) {
    this.label = label;
    this.canvas = h("canvas", { tabIndex: 0, role: "img", "aria-label": label });
    this.readout = h("p.readout", { "aria-hidden": "true" });
    this.element = h("div.chart", {}, this.canvas, this.readout);
    this.candles = [];
    this.lines = [];
    this.width = 8;
    this.offset = 0;
    this.pointer = null;
    this.pending = false;
    this.listen();
  }

  listen() {
    const canvas = this.canvas;
    let drag = null;
    canvas.addEventListener("pointerdown", (event) => {
      drag = { x: event.clientX, offset: this.offset };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect();
      this.pointer = { x: event.clientX - box.left, y: event.clientY - box.top };
      if (drag) this.move(drag.offset + (event.clientX - drag.x) / this.width);
      this.draw();
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (drag = null));
    canvas.addEventListener("pointerleave", () => {
      this.pointer = null;
      this.draw();
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  key(event) {
    const moves = { ArrowLeft: 5, ArrowRight: -5, Home: this.candles.length, End: -this.candles.length };
    if (event.key in moves) this.move(this.offset + moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoom(1.2);
    else if (event.key === "-") this.zoom(1 / 1.2);
    else return;
    event.preventDefault();
  }

  move(offset) {
    this.offset = Math.max(-5, Math.min(offset, Math.max(0, this.candles.length - 10)));
    this.draw();
  }

  zoom(factor) {
    this.width = Math.max(2, Math.min(40, this.width * factor));
    this.draw();
  }

  /** Candles as the venue gives them, newest first. */
  set(rows, interval) {
    this.step = STEPS[interval];
    this.candles = rows
      .map((row) => ({ at: Number(row.start), open: +row.open, high: +row.high, low: +row.low, close: +row.close, volume: +row.volume_usd }))
      .sort((a, b) => a.at - b.at);
    // One price in a whole candle would be a dash: it is drawn from the close before it.
    this.candles.forEach((candle, index) => {
      const before = this.candles[index - 1];
      if (!before || candle.high !== candle.low) return;
      candle.open = before.close;
      candle.high = Math.max(candle.high, candle.open);
      candle.low = Math.min(candle.low, candle.open);
    });
    this.draw();
  }

  /** A price that was just posted. */
  tick(value, second) {
    const price = Number(value);
    const start = Math.floor(second / this.step) * this.step;
    const last = this.candles.at(-1);
    if (!last || start > last.at) {
      this.candles.push({ at: start, open: last ? last.close : price, high: price, low: price, close: price, volume: 0 });
    } else {
      last.close = price;
      last.high = Math.max(last.high, price);
      last.low = Math.min(last.low, price);
    }
    this.draw();
  }

  /** Horizontal lines: [{price, label, kind}]. */
  mark(lines) {
    this.lines = lines.filter((line) => line.price && line.price !== "0").map((line) => ({ ...line, at: Number(line.price) }));
    this.canvas.setAttribute("aria-label", [this.label, ...this.lines.map((line) => `${line.label} ${written(line.price)}`)].join(", "));
    this.draw();
  }

  draw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.paint();
    });
  }

  paint() {
    const { clientWidth: wide, clientHeight: high } = this.element;
    if (!wide || !high) return;
    const ratio = devicePixelRatio || 1;
    const canvas = this.canvas;
    if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(high * ratio)) {
      canvas.width = Math.round(wide * ratio);
      canvas.height = Math.round(high * ratio);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, wide, high);
    pen.font = `11px ${css("--mono")}`;
    this.colors = { up: css("--up"), down: css("--down"), line: css("--line"), dim: css("--dim"), text: css("--text"), panel: css("--panel"), accent: css("--accent"), warn: css("--warn") };
    if (!this.candles.length) {
      pen.fillStyle = this.colors.dim;
      pen.textAlign = "center";
      pen.fillText("No prices have been posted in this time yet", wide / 2, high / 2);
      return;
    }
    const area = { wide: wide - AXIS, high: high - FOOT };
    const shown = this.window(area.wide);
    const scale = this.scale(shown, area.high);
    this.grid(pen, area, scale, shown);
    this.bodies(pen, area, scale, shown);
    this.markers(pen, area, scale);
    this.cross(pen, area, scale, shown);
  }

  window(wide) {
    const right = wide - this.width * 3;
    const end = this.candles.length - 1 - this.offset;
    return this.candles
      .map((candle, index) => ({ ...candle, x: right - (end - index) * this.width }))
      .filter((candle) => candle.x > -this.width && candle.x < wide);
  }

  scale(shown, high) {
    let low = Math.min(...shown.map((candle) => candle.low));
    let top = Math.max(...shown.map((candle) => candle.high));
    if (!Number.isFinite(low)) [low, top] = [0, 1];
    const reach = (top - low || top * 0.01) * 1.5;
    for (const line of this.lines) {
      if (line.at > low - reach && line.at < top + reach) {
        low = Math.min(low, line.at);
        top = Math.max(top, line.at);
      }
    }
    const room = (top - low || top * 0.002) * 0.08;
    low -= room;
    top += room;
    return { low, top, y: (value) => ((top - value) / (top - low)) * high, value: (y) => top - (y / high) * (top - low) };
  }

  grid(pen, area, scale, shown) {
    const rough = (scale.top - scale.low) / Math.max(3, area.high / 60);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough);
    pen.strokeStyle = this.colors.line;
    pen.fillStyle = this.colors.dim;
    pen.lineWidth = 1;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    for (let value = Math.ceil(scale.low / step) * step; value < scale.top; value += step) {
      const y = Math.round(scale.y(value)) + 0.5;
      line(pen, 0, y, area.wide, y);
      pen.fillText(written(value.toFixed(6)), area.wide + 8, y);
    }
    const each = Math.max(1, Math.ceil(96 / this.width));
    pen.textAlign = "center";
    shown.forEach((candle) => {
      if ((candle.at / this.step) % each) return;
      const label = this.step >= 86400 ? clock(candle.at, true).split(" ").slice(0, 2).join(" ") : clock(candle.at).slice(0, 5);
      pen.fillText(label, candle.x, area.high + FOOT / 2);
    });
  }

  bodies(pen, area, scale, shown) {
    const most = Math.max(1, ...shown.map((candle) => candle.volume));
    const body = Math.max(1, Math.floor(this.width * 0.7));
    for (const candle of shown) {
      const color = candle.close >= candle.open ? this.colors.up : this.colors.down;
      pen.fillStyle = color;
      if (candle.volume) {
        pen.globalAlpha = 0.22;
        const tall = (candle.volume / most) * area.high * 0.16;
        pen.fillRect(candle.x - body / 2, area.high - tall, body, tall);
        pen.globalAlpha = 1;
      }
      const [high, low] = [scale.y(candle.high), scale.y(candle.low)];
      pen.fillRect(Math.round(candle.x) - 0.5, high, 1, Math.max(1, low - high));
      const [from, to] = [scale.y(Math.max(candle.open, candle.close)), scale.y(Math.min(candle.open, candle.close))];
      pen.fillRect(candle.x - body / 2, from, body, Math.max(1, to - from));
    }
  }

  markers(pen, area, scale) {
    const last = this.candles.at(-1);
    const all = [{ at: last.close, label: "", kind: last.close >= last.open ? "up" : "down" }, ...this.lines];
    const outside = { above: [], below: [] };
    for (const each of all) {
      const y = Math.round(scale.y(each.at)) + 0.5;
      const color = this.colors[each.kind] || this.colors.accent;
      if (y < 0 || y > area.high) {
        outside[y < 0 ? "above" : "below"].push([each, color]);
        continue;
      }
      pen.strokeStyle = color;
      pen.setLineDash(each.label ? [5, 4] : [2, 3]);
      line(pen, 0, y, area.wide, y);
      pen.setLineDash([]);
      tag(pen, area.wide, y, written(each.at.toFixed(6)), color, this.colors.panel);
      if (each.label) {
        pen.fillStyle = color;
        pen.textAlign = "left";
        pen.fillText(each.label, 8, y - 8);
      }
    }
    this.beyond(pen, area, outside);
  }

  /** Lines that lie outside what is shown stand as words at its edge, the nearest first. */
  beyond(pen, area, { above, below }) {
    const last = this.candles.at(-1).close;
    pen.textAlign = "right";
    for (const [rows, arrow, at] of [[above, "↑", (index) => 12 + index * 15], [below, "↓", (index) => area.high - 10 - index * 15]]) {
      rows.filter(([each]) => each.label).sort(([a], [b]) => Math.abs(a.at - last) - Math.abs(b.at - last)).slice(0, 3).forEach(([each, color], index) => {
        pen.fillStyle = color;
        pen.fillText(`${each.label} ${written(each.at.toFixed(6))} ${arrow}`, area.wide - 8, at(index));
      });
    }
  }

  cross(pen, area, scale, shown) {
    const at = this.pointer;
    const near = at && shown.length ? shown.reduce((best, each) => (Math.abs(each.x - at.x) < Math.abs(best.x - at.x) ? each : best)) : this.candles.at(-1);
    this.readout.textContent = `${clock(near.at, true)}  O ${written(near.open.toFixed(6))}  H ${written(near.high.toFixed(6))}  L ${written(near.low.toFixed(6))}  C ${written(near.close.toFixed(6))}`;
    if (!at || at.x > area.wide || at.y > area.high) return;
    pen.strokeStyle = this.colors.dim;
    pen.setLineDash([3, 3]);
    line(pen, near.x, 0, near.x, area.high);
    line(pen, 0, at.y, area.wide, at.y);
    pen.setLineDash([]);
    tag(pen, area.wide, at.y, written(scale.value(at.y).toFixed(6)), this.colors.text, this.colors.panel);
  }
}

function line(pen, x, y, toX, toY) {
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(toX, toY);
  pen.stroke();
}

function tag(pen, x, y, label, color, ink) {
  pen.fillStyle = color;
  pen.fillRect(x, y - 9, AXIS, 18);
  pen.fillStyle = ink;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillText(label, x + 8, y + 0.5);
}
