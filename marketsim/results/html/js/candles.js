import { row, seconds } from "./data.js";
import { color, faint } from "./theme.js";

const NOT_FILLED = 0;
const TAKEN = 2;
const IN_DOUBT = 3; // how a trade ended: see rows.py

// The bars of a walk as candles, and what a strategy did on each; returns what moves and marks them.
export function drawCandles(element, { facts, arrays }, quantiles, strategy, onBar) {
  element.replaceChildren();
  const intraday = facts.times[0].includes("T");
  const chart = LightweightCharts.createChart(element, {
    width: element.clientWidth,
    height: 420,
    layout: {
      background: { color: color("paper") },
      textColor: color("ink"),
      fontFamily: getComputedStyle(document.body).fontFamily,
      attributionLogo: false, // the foot of the page has it in words
    },
    grid: { vertLines: { color: color("line") }, horzLines: { color: color("line") } },
    localization: { locale: "en", dateFormat: "yyyy-MM-dd" },
    timeScale: { timeVisible: intraday, secondsVisible: false, borderColor: color("line") },
    rightPriceScale: { borderColor: color("line") },
    crosshair: { mode: 0 },
  });
  const [up, down] = [color("up"), color("down")];
  const candles = chart.addSeries(LightweightCharts.CandlestickSeries, {
    upColor: color("paper"),
    borderUpColor: up,
    wickUpColor: up,
    downColor: down,
    borderDownColor: down,
    wickDownColor: down,
    priceLineVisible: false,
    lastValueVisible: false,
    priceFormat: { type: "price", precision: facts.decimals, minMove: 10 ** -facts.decimals },
  });
  const times = [...facts.times, facts.next].map(seconds);
  const bars = facts.times.map((_, i) => {
    const [open, high, low, close] = Array.from(row(arrays.bars, i), (ticks) => facts.tick * ticks);
    return { time: times[i], open, high, low, close };
  });
  candles.setData([...bars, { time: times.at(-1) }]);
  const picture = new Overlay(times, bars, facts, arrays, quantiles, facts.strategies.indexOf(strategy));
  candles.attachPrimitive(picture);
  const index = new Map(times.map((time, i) => [time, i]));
  // what moves without the mouse was moved by the table, or with the scale
  chart.subscribeCrosshairMove(({ time, sourceEvent }) => sourceEvent && time !== undefined && onBar(index.get(time), false));
  chart.subscribeClick(({ time }) => time !== undefined && onBar(index.get(time), true));
  chart.timeScale().fitContent();
  return { chart, candles, picture, bars };
}

// A function of the forecast prices of a bar and of a channel (high, low, close), by quantile; null without any.
export function forecastPrices(charts) {
  if (!charts) return null;
  const { quantiles, closes, most } = charts.arrays;
  const { whole } = charts.facts; // the largest move, as a number
  return (bar, channel) =>
    Array.from(row(row(quantiles, bar), channel), (move) => closes[bar] * (1 + (most[0] * move) / whole));
}

// Moves the visible part: "left", "right", "in", "out" or "all".
export function move(chart, how) {
  const scale = chart.timeScale();
  const { from, to } = scale.getVisibleLogicalRange();
  const width = to - from;
  const [start, end] = { left: [-0.25, -0.25], right: [0.25, 0.25], in: [0.2, -0.2], out: [-0.25, 0.25], all: [0, 0] }[how];
  if (how === "all") scale.fitContent();
  else scale.setVisibleLogicalRange({ from: from + start * width, to: to + end * width });
}

// What lies behind and on the candles: the forecast as bands, levels, entries and exits.
class Overlay {
  constructor(times, bars, { tick }, arrays, quantiles, strategy) {
    Object.assign(this, { times, bars, quantiles, fan: 2, chosen: null });
    this.levels = [0, 1].map((side) => Array.from(row(row(arrays.levels, side), strategy), (ticks) => tick * ticks));
    this.endings = row(arrays.endings, strategy);
  }

  attached({ chart, series, requestUpdate }) {
    Object.assign(this, { chart, series, redraw: requestUpdate });
  }

  paneViews() {
    const view = (zOrder, draw) => ({ zOrder: () => zOrder, renderer: () => ({ draw: (target) => this.paint(target, draw) }) });
    return [
      view("bottom", (context, at) => {
        this.drawChosen(context, at);
        this.drawFan(context, at);
      }),
      view("top", (context, at) => this.drawTrades(context, at)),
    ];
  }

  autoscaleInfo() {
    if (!this.quantiles || this.fan === null) return null;
    const last = this.times.length - 1;
    const prices = this.quantiles(last, this.fan);
    return { priceRange: { minValue: prices[0], maxValue: prices.at(-1) } };
  }

  paint(target, draw) {
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      const scale = this.chart.timeScale();
      const at = {
        height: mediaSize.height,
        width: Math.max(2, scale.options().barSpacing),
        x: this.times.map((time) => scale.timeToCoordinate(time)),
        y: (price) => this.series.priceToCoordinate(price),
      };
      context.save();
      draw(context, at);
      context.restore();
    });
  }

  drawChosen(context, { x, width, height }) {
    if (this.chosen === null || x[this.chosen] === null) return;
    context.fillStyle = faint("first", 0.15);
    context.fillRect(x[this.chosen] - width / 2, 0, width, height);
  }

  drawFan(context, { x, y }) {
    if (!this.quantiles || this.fan === null) return;
    const rows = this.times.map((_, i) => this.quantiles(i, this.fan));
    const median = (rows[0].length - 1) / 2;
    context.fillStyle = faint("fourth", 0.13);
    for (let q = 0; q < median; q += 1) {
      context.beginPath();
      rows.forEach((prices, i) => x[i] !== null && context.lineTo(x[i], y(prices[q])));
      rows.toReversed().forEach((prices, i) => {
        const bar = rows.length - 1 - i;
        if (x[bar] !== null) context.lineTo(x[bar], y(prices[2 * median - q]));
      });
      context.fill();
    }
    context.strokeStyle = faint("fourth", 0.8);
    context.beginPath();
    rows.forEach((prices, i) => x[i] !== null && context.lineTo(x[i], y(prices[median])));
    context.stroke();
  }

  drawTrades(context, at) {
    const half = at.width * 0.45;
    const size = Math.min(7, Math.max(3, at.width * 0.35));
    this.levels[0].forEach((upper, i) => {
      if (at.x[i] === null) return;
      const lower = this.levels[1][i];
      context.strokeStyle = color("soft");
      context.lineWidth = 1.25;
      for (const level of [upper, lower]) line(context, at.x[i] - half, at.x[i] + half, at.y(level));
      const [long, short] = row(this.endings, i);
      const { open } = this.bars[i];
      if (long !== NOT_FILLED) this.drawTrade(context, at, i, Math.min(lower, open), long, upper, size, 1);
      if (short !== NOT_FILLED) this.drawTrade(context, at, i, Math.max(upper, open), short, lower, size, -1);
    });
  }

  drawTrade(context, { x, y }, i, entry, ending, target, size, direction) {
    const out = y(ending === TAKEN || ending === IN_DOUBT ? target : this.bars[i].close);
    context.fillStyle = context.strokeStyle = color("ink");
    triangle(context, x[i], y(entry), size, direction);
    if (ending === IN_DOUBT) {
      context.strokeStyle = color("doubt");
      context.lineWidth = 2;
      diamond(context, x[i], out, size + 1);
    } else {
      context.beginPath();
      context.arc(x[i], out, size * 0.7, 0, 2 * Math.PI);
      context.fill();
    }
  }
}

function line(context, from, to, y) {
  context.beginPath();
  context.moveTo(from, y);
  context.lineTo(to, y);
  context.stroke();
}

function triangle(context, x, y, size, direction) {
  context.beginPath();
  context.moveTo(x, y - direction * size);
  context.lineTo(x - size, y + direction * size);
  context.lineTo(x + size, y + direction * size);
  context.fill();
}

function diamond(context, x, y, size) {
  context.beginPath();
  context.moveTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size, y);
  context.closePath();
  context.stroke();
}
