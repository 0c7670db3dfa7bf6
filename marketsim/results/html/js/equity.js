import { row, seconds } from "./data.js";
import { color, drawn, faint } from "./theme.js";

const PERCENT = 100;

// The summed profit of a strategy with its worst and best case as a band, its unfitted self and holding; below, its fall.
export function drawEquity(element, { facts, arrays }, strategy) {
  drawn(element, () => {
    element.replaceChildren();
    const lines = linesOf(facts, arrays, strategy);
    const times = [before(facts.times), ...facts.times].map((name, i) => (i ? seconds(name) : name));
    const cursor = { sync: { key: strategy }, points: { size: 6 } };
    const shared = { width: element.clientWidth, padding, tzDate, cursor, hooks };
    const values = (_, ticks) => ticks.map((tick) => `${+tick.toFixed(4)} %`);
    const look = { stroke: color("ink"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line") } };
    const x = { ...look, values: dates, space: 90 };
    const axes = [x, { ...look, size: 64, values }];
    const fallen = falls(lines.data[1]);
    const label = `Fall, at most ${Math.abs(Math.min(...fallen)).toFixed(1)} %`;
    const fall = { label, stroke: color("fall"), fill: faint("fall", 0.25), width: 1.5, points, value: plain };
    const plot = new uPlot({ ...shared, height: 280, axes, ...lines.options }, [times, ...lines.data], element);
    const below = new uPlot(
      { ...shared, height: 130, axes, scales: { y: { range: downwards } }, series: [{ value: dated }, fall] },
      [times, fallen],
      element,
    );
    return () => [plot, below].forEach((each) => each.destroy());
  });
}

const downwards = (_, least) => [Math.min(least, -1), 0]; // at least one per cent, where nothing fell
const padding = [null, 40, null, null]; // on the right half of a date, which uPlot would cut
const points = { show: false };
const lastValues = (plot) => plot.cursor.idx == null && plot.setLegend({ idx: plot.data[0].length - 1 });
const hooks = { ready: [lastValues], setCursor: [lastValues] };
const tzDate = (stamp) => uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC");
const shown = (_, value) => (value === null ? "-" : `${value < 0 ? "" : "+"}${value.toFixed(1)} %`);
const plain = (_, value) => (value === null ? "-" : `${value.toFixed(1)} %`);
const dated = (_, stamp) => (stamp === null ? "-" : new Date(stamp * 1000).toISOString().replace(/T00:00.*|:00\.000Z/, ""));
const DAY = 86400; // seconds
const dates = (_, ticks, axis, space, step) => {
  const part = step < DAY ? [5, 16] : [0, 10];
  return ticks.map((stamp) => new Date(stamp * 1000).toISOString().replace("T", " ").slice(...part));
};

function linesOf(facts, arrays, strategy) {
  const at = facts.names.indexOf(strategy);
  const sums = summed(facts, arrays);
  const others = facts.names
    .map((name, i) => ({ name, i }))
    .filter(({ name }) => !facts.strategies.includes(name))
    .filter(({ name }) => !name.endsWith("unfitted") || name === "unfitted" || name === `${strategy} unfitted`);
  const styles = { unfitted: ["second", [6, 4]], "buy-and-hold": ["third", [2, 3]] };
  const edge = { stroke: faint("first", 0.5), width: 0.5, points, value: shown };
  const series = [
    { value: dated },
    { ...edge, label: "Worst" },
    { label: strategy, stroke: color("first"), width: 2.5, points, value: shown },
    { ...edge, label: "Best" },
    ...others.map(({ name }) => {
      const [stroke, dash] = styles[name] ?? styles[name.split(" ").at(-1)] ?? ["fourth", [10, 3, 2, 3]];
      return { label: name, stroke: color(stroke), dash, width: 1.75, points, value: shown };
    }),
  ];
  const bands = [{ series: [3, 1], fill: faint("first", 0.22) }];
  const data = [sums(at, "below", -1), sums(at), sums(at, "above", 1)];
  return { options: { series, bands }, data: [...data, ...others.map(({ i }) => sums(i))] };
}

// A function of the summed profits of a strategy or baseline in per cent, apart from the headline by another array.
function summed({ part }, arrays) {
  return (i, apart, sign) => {
    const differences = apart && row(arrays[apart], i);
    let sum = 0;
    const sums = Array.from(row(arrays.headline, i), (profit, bar) => {
      sum += profit;
      return PERCENT * part * (sum + (apart ? sign * differences[bar] : 0));
    });
    return [0, ...sums];
  };
}

// One bar before the first, where nothing was earned yet.
function before(times) {
  const [first, second = first] = times.map(seconds);
  return first - (second - first || DAY);
}

function falls(sums) {
  let most = 0;
  return sums.map((sum) => sum - (most = Math.max(most, sum)));
}
