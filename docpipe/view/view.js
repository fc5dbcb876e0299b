"use strict";
// Selecting a field shows its evidence; everything shown comes from the page or from the JSON in it, and is only ever set as text or geometry.
const result = JSON.parse(document.getElementById("result").textContent);
const rows = [...document.querySelectorAll(".field")];
const sheetOf = (page) => document.querySelector(`.sheet[data-page="${Number(page)}"]`);
let filter = "all";

function outline(page, box, kind) {
  const sheet = page && box && sheetOf(page);
  if (!sheet) return null;
  const [width, height] = [Number(sheet.dataset.width), Number(sheet.dataset.height)];
  const mark = document.createElement("div");
  mark.className = `hint ${kind}`;
  mark.style.left = `${(box[0] / width) * 100}%`;
  mark.style.top = `${(box[1] / height) * 100}%`;
  mark.style.width = `${((box[2] - box[0]) / width) * 100}%`;
  mark.style.height = `${((box[3] - box[1]) / height) * 100}%`;
  sheet.append(mark);
  return mark;
}

function clear() {
  document.querySelectorAll(".hint").forEach((mark) => mark.remove());
  document.querySelectorAll(".on:not(nav .on)").forEach((element) => element.classList.remove("on"));
  for (const row of rows) {
    row.querySelector(".detail").hidden = true;
    row.querySelector(".head").setAttribute("aria-expanded", "false");
  }
}

function select(row, { scrollList = false } = {}) {
  const open = row.classList.contains("on");
  clear();
  if (open && !scrollList) return;
  row.classList.add("on");
  row.querySelector(".detail").hidden = false;
  row.querySelector(".head").setAttribute("aria-expanded", "true");
  if (scrollList) row.scrollIntoView({ block: "center" });
  const field = result.fields[row.dataset.field];
  if (!field) return;
  const mark = document.querySelector(`.mark[data-field="${Number(row.dataset.field)}"]`);
  if (mark) mark.classList.add("on");
  outline(field.page, field.label_box, "label");
  const target = mark || (field.page && sheetOf(field.page));
  if (target && !scrollList) target.scrollIntoView({ block: "center", behavior: "smooth" });
}

function showOther(row, index) {
  document.querySelectorAll(".hint.candidate").forEach((mark) => mark.remove());
  const other = result.fields[row.dataset.field].alternatives[index];
  const mark = outline(other.page, other.box, "candidate");
  if (mark) mark.scrollIntoView({ block: "center", behavior: "smooth" });
}

function show() {
  const wanted = document.getElementById("search").value.trim().toLowerCase();
  for (const row of rows) {
    const kept = filter === "all" || (filter === "check" ? !row.classList.contains("sure") : row.classList.contains("flagged"));
    row.hidden = !kept || !row.dataset.text.includes(wanted);
  }
  for (const group of document.querySelectorAll(".group")) group.hidden = !group.querySelector(".field:not([hidden])");
}

document.addEventListener("click", (event) => {
  const row = event.target.closest(".field");
  const other = event.target.closest(".other");
  const mark = event.target.closest(".mark");
  const button = event.target.closest("[data-filter]");
  if (other) showOther(row, Number(other.dataset.other));
  else if (row && event.target.closest(".head")) select(row);
  else if (mark) select(rows.find((some) => some.dataset.field === mark.dataset.field), { scrollList: true });
  else if (button) {
    filter = button.dataset.filter;
    document.querySelectorAll("[data-filter]").forEach((some) => some.classList.toggle("on", some === button));
    show();
  }
});
document.getElementById("search").addEventListener("input", show);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") clear();
  if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || event.target.tagName === "INPUT") return;
  const shown = rows.filter((row) => !row.hidden);
  const at = shown.findIndex((row) => row.classList.contains("on"));
  const next = shown[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  select(next);
  next.scrollIntoView({ block: "nearest" });
});
// A field named in the address (view.html#gross_total) is shown at once.
const asked = decodeURIComponent(location.hash.slice(1));
const first = asked && rows.find((row) => row.dataset.field !== undefined && result.fields[row.dataset.field].path === asked);
if (first) select(first);
