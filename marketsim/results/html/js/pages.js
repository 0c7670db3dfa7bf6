import { copyable } from "./copy.js";
import { unpack } from "./data.js";
import { drawEquity } from "./equity.js";
import { drawObjective } from "./objective.js";
import { drawTrades } from "./trades.js";
import { reloading } from "./live.js";
import { sortable } from "./table.js";
import { endPictures } from "./theme.js";

const one = (selector) => document.querySelector(selector);

// The script elements of a symbol, by part.
function partsOf(address) {
  const scripts = [...document.querySelectorAll("script[data-address]")];
  return Object.fromEntries(scripts.filter((each) => each.dataset.address === address).map((each) => [each.dataset.part, each]));
}

// Shows a symbol's page, whose text is in the file already where it is the only one.
async function show(address) {
  const parts = partsOf(address);
  if (!parts.html) return false;
  const place = one("#symbol");
  if (!("shown" in parts.html.dataset)) {
    const { facts } = await unpack(parts.html.textContent);
    endPictures(place);
    place.innerHTML = facts.html; // every value in it was escaped when it was made
  }
  const [rows, objective, charts] = await Promise.all(
    ["rows", "objective", "charts"].map((part) => parts[part] && unpack(parts[part].textContent)),
  );
  const choice = place.querySelector("[data-choice=strategy]");
  const draw = () => {
    if (rows) {
      drawEquity(place.querySelector("[data-picture=equity]"), rows, choice.value);
      drawTrades(place, rows, charts, choice.value);
    }
    if (charts) drawObjective(place, objective, charts, choice.value);
  };
  choice.addEventListener("change", draw);
  for (const part of ["all", "symbol"]) if (one(`#${part}`)) one(`#${part}`).hidden = part !== "symbol";
  draw();
  return true;
}

// The address of a symbol in the location's hash, and the section of it; an empty one for the page of all.
function asked() {
  const [, symbol = "", section = ""] = location.hash.slice(1).split("/");
  return { address: symbol && `/${symbol}`, section };
}

let current = null;

async function follow() {
  const { address, section } = asked();
  if (address !== current && !["/time", "/provenance"].includes(address)) {
    current = address;
    const symbol = address && (await show(address));
    one("#all").hidden = Boolean(symbol);
    one("#symbol").hidden = !symbol;
    if (!section) scrollTo(0, 0);
  }
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

copyable(one("#copy"), one("#command"), one("#copied"));
if (one("#live")) reloading(one("#live"));
if (one("#all")) {
  sortable(one("#symbols"), one("#filter"), one("#count"));
  addEventListener("hashchange", follow);
  await follow();
} else if (one("script[data-address]")) {
  await show(one("script[data-address]").dataset.address);
}
document.documentElement.dataset.ready = ""; // all pictures are drawn
