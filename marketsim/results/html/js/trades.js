import { drawCandles, forecastPrices, move } from "./candles.js";
import { drawn } from "./theme.js";

const WORDS = 3; // columns of text before the numbers
const ROOM = 30; // bars around one that is jumped to

// Candles and the table of the same trades: what is chosen in one is shown in the other.
export function drawTrades(place, rows, charts, strategy) {
  const quantiles = forecastPrices(charts);
  const table = place.querySelector("[data-picture=trades]");
  const fan = place.querySelector("[data-choice=fan]");
  const lines = fill(table, rows.facts, strategy);
  let shown;
  const choose = (bar, follow) => {
    lines.forEach((line, i) => {
      if (i === bar) line.setAttribute("aria-current", "true");
      else line.removeAttribute("aria-current");
    });
    if (shown.picture.chosen !== bar) {
      shown.picture.chosen = bar;
      shown.picture.redraw();
    }
    if (follow && lines[bar]) {
      const middle = lines[bar].offsetTop - table.clientHeight / 2;
      table.scrollTo({ top: middle });
    }
  };
  const jump = (bar) => {
    choose(bar, true);
    const { candles, chart, bars } = shown;
    chart.setCrosshairPosition(bars[bar].close, bars[bar].time, candles);
    const { from, to } = chart.timeScale().getVisibleLogicalRange();
    if (bar < from || bar > to) chart.timeScale().setVisibleLogicalRange({ from: bar - ROOM, to: bar + ROOM });
  };
  const setFan = () => {
    shown.picture.fan = fan && fan.value !== "" ? Number(fan.value) : null;
    shown.picture.redraw();
  };
  const element = place.querySelector("[data-picture=candles]");
  drawn(element, () => {
    shown = drawCandles(element, rows, quantiles, strategy, (bar) => choose(bar, true));
    setFan();
    return () => shown.chart.remove();
  });
  if (fan) fan.onchange = setFan;
  for (const button of place.querySelectorAll("[data-move]")) button.onclick = () => move(shown.chart, button.dataset.move);
  lines.forEach((line, bar) => line.addEventListener("click", () => jump(bar)));
  table.onkeydown = (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    jump(Math.min(lines.length - 1, Math.max(0, (shown.picture.chosen ?? lines.length) + step)));
  };
  table.scrollTo({ top: table.scrollHeight });
}

// The rows of the table, oldest first, as elements.
function fill(place, { headers, cells, strategies }, strategy) {
  const columns = cells[strategies.indexOf(strategy)].map((column) => column.split("\n"));
  const table = document.createElement("table");
  table.createCaption().textContent = `Every bar, ${strategy}`;
  const head = table.createTHead().insertRow();
  headers.forEach((header, i) => head.append(cell("th", header, i, headers)));
  const body = table.createTBody();
  const lines = columns[0].map((_, i) => {
    const line = body.insertRow();
    columns.forEach((column, j) => line.append(cell(j ? "td" : "th", column[i], j, headers)));
    return line;
  });
  place.replaceChildren(table);
  return lines;
}

function cell(kind, text, column, headers) {
  const made = document.createElement(kind);
  made.textContent = text;
  if (column >= WORDS) made.className = "number";
  if (kind === "th") made.scope = headers[column] === text ? "col" : "row";
  return made;
}
