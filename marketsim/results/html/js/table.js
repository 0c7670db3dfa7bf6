// A table that is sorted by the column whose header is pressed, and filtered by what is typed.

export function sortable(table, filter, count) {
  const body = table.tBodies[0];
  const buttons = [...table.querySelectorAll("thead button")];
  buttons.forEach((button, column) => {
    button.addEventListener("click", () => {
      const head = button.closest("th");
      const rising = head.getAttribute("aria-sort") !== "ascending";
      buttons.forEach((each) => each.closest("th").removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const rows = [...body.rows].map((line) => ({ line, key: key(line.cells[column]) }));
      rows.sort((a, b) => order(a.key, b.key, rising));
      body.append(...rows.map(({ line }) => line));
    });
  });
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const line of body.rows) {
      const text = [...line.cells].slice(0, 3).map((cell) => cell.textContent.toLowerCase()).join(" ");
      line.hidden = !words.every((word) => text.includes(word));
      shown += !line.hidden;
    }
    count.textContent = `${shown} of ${body.rows.length} symbols`;
  });
}

// A number where the cell begins with one, or its text; null where there is none, or a reason why there is not.
function key(cell) {
  const text = cell && !cell.matches(".error") ? cell.textContent : "";
  const number = Number.parseFloat(text.replaceAll(",", ""));
  return text === "-" || text === "" ? null : Number.isNaN(number) ? text : number;
}

// What is missing comes last, whatever the order.
function order(a, b, rising) {
  if (a === null || b === null) return (a === null) - (b === null);
  const difference = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  return rising ? difference : -difference;
}
