import { row } from "./data.js";
import { color, drawn, faint } from "./theme.js";

const PLATEAU = 0.9; // of the optimum
const MARGIN = 72; // pixels for the axes
const FOOT = 84; // pixels below the map
const WORDS = ["bar", "h", "l", "profit", "t", "exit", "aside", "plateau", "upper-up", "upper-down", "lower-up", "lower-down"];

// The heat map of a strategy's windows, with the slider that chooses one.
export function drawObjective(place, { facts }, { facts: grid, arrays }, strategy) {
  const at = facts.strategies.findIndex(({ name }) => name === strategy);
  const fits = facts.strategies[at];
  const columns = fits.words.map((column) => column.split("\n"));
  const surfaces = restored(arrays[`surface ${at}`]);
  const element = place.querySelector("[data-picture=objective]");
  const slider = place.querySelector("[data-choice=window]");
  const out = (name) => place.querySelector(`[data-out="${name}"]`);
  const canvas = document.createElement("canvas");
  element.replaceChildren(canvas);
  const most = surfaces.reduce((found, value) => Math.max(found, Math.abs(value)), 1);
  let scale;
  const draw = () => {
    const window = Number(slider.value);
    scale = sized(canvas, Math.min(element.clientWidth, 560), facts.bounds);
    const surface = row(surfaces, window);
    heat(scale, surface, grid.places, most);
    plateau(scale, surface, grid.places, (PLATEAU * fits.profit[window]) / grid.step, fits.profit[window] > 0);
    if (fits.floor[window] !== null) floor(scale, fits.floor[window]);
    path(scale, fits, window);
    axes(scale, (most * grid.step).toFixed(0));
    WORDS.forEach((name, i) => (out(name).textContent = columns[i][window] || (name === "aside" ? "placed" : "")));
    slider.setAttribute("aria-valuetext", columns[0][window]);
  };
  slider.oninput = draw;
  canvas.onmousemove = ({ offsetX, offsetY }) => {
    const [h, l] = [scale.h(offsetX), scale.l(offsetY)];
    const [low, high] = facts.bounds;
    if (h < low || h > high || l < low || l > high) return;
    const place = (value) => Math.round(((value - low) / (high - low)) * (grid.places - 1));
    const value = row(row(surfaces, Number(slider.value)), place(l))[place(h)] * grid.step;
    out("under").textContent = `h ${percent(h)}, l ${percent(l)}: about ${value < 0 ? "" : "+"}${value.toFixed(1)} bps a bar`;
  };
  canvas.onmouseleave = () => (out("under").textContent = "");
  drawn(element, draw);
}

const percent = (value) => `${value < 0 ? "" : "+"}${(100 * value).toFixed(2)} %`;

// Surfaces come as differences in time, in l and in h, modulo 2 ** 16.
function restored(differences) {
  const [windows, places] = differences.shape;
  const sums = Object.assign(Int16Array.from(differences), { shape: differences.shape });
  const size = places * places;
  for (let i = 0; i < sums.length; i += 1) if (i % places) sums[i] += sums[i - 1];
  for (let i = 0; i < sums.length; i += 1) if (i % size >= places) sums[i] += sums[i - places];
  for (let i = size; i < windows * size; i += 1) sums[i] += sums[i - size];
  return sums;
}

// A canvas of a width, and where multipliers are on it.
function sized(canvas, width, [low, high]) {
  const ratio = devicePixelRatio || 1;
  const height = width + FOOT - MARGIN;
  Object.assign(canvas, { width: width * ratio, height: height * ratio });
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const [side, top] = [width - MARGIN - 8, 8];
  const share = (value) => (value - low) / (high - low);
  return {
    context, side, top, low, high,
    x: (h) => MARGIN + side * share(h),
    y: (l) => top + side * (1 - share(l)),
    h: (x) => low + ((x - MARGIN) / side) * (high - low),
    l: (y) => low + (1 - (y - top) / side) * (high - low),
  };
}

function heat({ context, side, top }, surface, places, most) {
  const image = new ImageData(places, places);
  const [loss, none, gain] = ["loss", "none", "gain"].map((name) => rgb(color(name)));
  surface.forEach((value, i) => {
    const part = Math.sqrt(Math.min(1, Math.abs(value) / most));
    const end = value < 0 ? loss : gain;
    const line = places - 1 - Math.floor(i / places);
    const mixed = none.map((start, c) => start + part * (end[c] - start));
    image.data.set([...mixed, 255], 4 * (line * places + (i % places)));
  });
  const small = new OffscreenCanvas(places, places);
  small.getContext("2d").putImageData(image, 0, 0);
  const half = side / (places - 1) / 2; // values lie on the corners of the square, not in the middle of cells
  context.save();
  context.beginPath();
  context.rect(MARGIN, top, side, side);
  context.clip();
  context.drawImage(small, MARGIN - half, top - half, side + 2 * half, side + 2 * half);
  context.restore();
}

// The outline of what earns enough, between one place and the next.
function plateau({ context, side, top }, surface, places, least, isProfit) {
  if (!isProfit) return;
  const cell = side / (places - 1);
  const inside = (i, j) => i >= 0 && j >= 0 && i < places && j < places && surface[i * places + j] >= least;
  context.strokeStyle = color("ink");
  context.lineWidth = 1.5;
  context.beginPath();
  for (let i = -1; i < places; i += 1) {
    for (let j = -1; j < places; j += 1) {
      const clip = (place) => Math.min(Math.max(place, 0), places - 1) * cell;
      const [left, up] = [MARGIN + clip(j - 0.5), top + side - clip(i - 0.5)];
      const [right, down] = [MARGIN + clip(j + 0.5), top + side - clip(i + 0.5)];
      if (inside(i, j) !== inside(i, j + 1)) segment(context, right, up, right, down);
      if (inside(i, j) !== inside(i + 1, j)) segment(context, left, down, right, down);
    }
  }
  context.stroke();
}

function segment(context, x, y, toX, toY) {
  context.moveTo(x, y);
  context.lineTo(toX, toY);
}

// Where `h - l` is below the offset, no take-profit would cover the costs: hatched.
function floor({ context, x, y, low, high, side, top }, offset) {
  const above = ([h, l]) => h - l - offset;
  const square = [[low, low], [high, low], [high, high], [low, high]];
  const below = square.flatMap((corner, i) => {
    const next = square[(i + 1) % square.length];
    const [from, to] = [above(corner), above(next)];
    const kept = from < 0 ? [corner] : [];
    if (from < 0 === to < 0) return kept;
    return [...kept, corner.map((value, c) => value + (from / (from - to)) * (next[c] - value))];
  });
  if (!below.length) return;
  context.save();
  context.beginPath();
  below.forEach(([h, l]) => context.lineTo(x(h), y(l)));
  context.closePath();
  context.clip();
  context.strokeStyle = faint("ink", 0.45);
  context.lineWidth = 1;
  context.beginPath();
  for (let along = -side; along < side; along += 9) segment(context, MARGIN + along, top + side, MARGIN + along + side, top);
  context.stroke();
  context.restore();
}

function path({ context, x, y }, { h, l }, window) {
  context.strokeStyle = faint("ink", 0.4);
  context.lineWidth = 1;
  context.beginPath();
  for (let i = 0; i <= window; i += 1) context.lineTo(x(h[i]), y(l[i]));
  context.stroke();
  for (const [tone, width] of [["paper", 6], ["ink", 2.5]]) {
    context.strokeStyle = color(tone);
    context.lineWidth = width;
    context.beginPath();
    segment(context, x(h[window]) - 9, y(l[window]), x(h[window]) + 9, y(l[window]));
    segment(context, x(h[window]), y(l[window]) - 9, x(h[window]), y(l[window]) + 9);
    context.stroke();
  }
}

function axes({ context, x, y, low, high, side, top }, most) {
  context.fillStyle = color("ink");
  context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  context.strokeStyle = color("soft");
  context.lineWidth = 1;
  context.strokeRect(MARGIN, top, side, side);
  for (const value of [low, low / 2 + high / 2, high]) {
    context.textAlign = value === low ? "left" : value === high ? "right" : "center";
    context.fillText(percent(value), x(value), top + side + 16);
    context.textAlign = "right";
    context.fillText(percent(value), MARGIN - 6, y(value) + (value === high ? 10 : value === low ? 0 : 4));
  }
  context.textAlign = "center";
  context.fillText("h, added to the predicted high", MARGIN + side / 2, top + side + 32);
  const colors = context.createLinearGradient(MARGIN, 0, MARGIN + side, 0);
  ["loss", "none", "gain"].forEach((name, i) => colors.addColorStop(i / 2, color(name)));
  context.fillStyle = colors;
  context.fillRect(MARGIN, top + side + 42, side, 8);
  context.fillStyle = color("ink");
  context.textAlign = "left";
  context.fillText(`−${most}`, MARGIN, top + side + 64);
  context.textAlign = "center";
  context.fillText("0 bps a bar", MARGIN + side / 2, top + side + 64);
  context.textAlign = "right";
  context.fillText(`+${most}`, MARGIN + side, top + side + 64);
  context.save();
  context.translate(10, top + side / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText("l, added to the predicted low", 0, 0);
  context.restore();
}

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
