"use strict";
// Without this script the page is complete; it adds sorting and filtering to the tables.
const LONG = 12;
const compareText = new Intl.Collator(undefined, { numeric: true }).compare;

function compareCells(a, b, sign) {
  if (a.dataset.value === undefined) return sign * compareText(a.textContent, b.textContent);
  const [x, y] = [a.dataset.value, b.dataset.value];
  if (x === "" || y === "") return (x === "") - (y === "");
  const [p, q] = [Number(x.replace("inf", "Infinity")), Number(y.replace("inf", "Infinity"))];
  return p === q ? 0 : sign * (p < q ? -1 : 1);
}

function makeSortable(table, say) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: null }[head.getAttribute("aria-sort")];
      const order = next === undefined ? "ascending" : next;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      const rows = [...original];
      if (order) {
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        rows.sort((a, b) => compareCells(a.cells[column], b.cells[column], sign));
      }
      body.append(...rows);
      say(order ? `sorted by ${button.textContent}, ${order}` : "in the original order");
    });
  });
}

function makeFilterable(section, table, say) {
  const rows = [...table.tBodies[0].rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  section.querySelector("input").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !words.every((word) => texts[i].includes(word));
      shown += !row.hidden;
    });
    say(`${shown} of ${rows.length} rows`);
  });
}

for (const section of document.querySelectorAll("section.table")) {
  const table = section.querySelector("table");
  const long = table.tBodies[0].rows.length > LONG;
  const output = section.querySelector("output");
  const say = (text) => { output.textContent = text; };
  if (table.tBodies[0].rows.length > 1) makeSortable(table, say);
  if (long) {
    makeFilterable(section, table, say);
    section.querySelector(".tools").hidden = false;
    say(`${table.tBodies[0].rows.length} rows`);
  }
}
