"use strict";
// A click on a column's head sorts the table by it; a second click turns the order around.
function value(row, column) {
  const text = row.cells[column].textContent.trim();
  const number = Number(text.replace(/,/g, ""));
  if (text === "-") return -Infinity;
  return text === "" || Number.isNaN(number) ? text : number;
}
for (const table of document.querySelectorAll("table.sortable")) {
  table.tHead.rows[0].addEventListener("click", (event) => {
    const column = event.target.cellIndex;
    if (column === undefined) return;
    const isTurned = table.dataset.sorted === String(column);
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      const [x, y] = [value(a, column), value(b, column)];
      if (typeof x === typeof y) return x < y ? -1 : x > y ? 1 : 0;
      return typeof x === "number" ? -1 : 1;
    });
    if (isTurned) rows.reverse();
    table.dataset.sorted = isTurned ? "" : String(column);
    table.tBodies[0].append(...rows);
  });
}
for (const input of document.querySelectorAll("input[type=search]")) {
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    for (const row of input.parentElement.querySelectorAll("tbody tr")) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
    }
  });
}
