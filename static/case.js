// The page of a case: a letter begins with one of the desk's phrases.
"use strict";
document.addEventListener("change", (event) => {
  const select = event.target.closest("[data-phrases]");
  if (!select || !select.value) return;
  const area = document.getElementById(select.dataset.phrases);
  area.value = area.value.trim() ? `${area.value.trimEnd()}\n\n${select.value}` : select.value;
  select.value = "";
  area.focus();
});
document.addEventListener("DOMContentLoaded", () => document.getElementById("plan")?.focus());

// What is long comes when it is opened, and is kept when the page renews itself.
document.addEventListener("toggle", (event) => {
  const place = event.target.open && event.target.querySelector(":scope > [data-later]");
  if (place && place.querySelector(":scope > .later")) htmx.ajax("GET", place.dataset.later, { target: place, swap: "innerHTML" });
}, true);

// How long an act can still be taken back.
const countDown = () => document.querySelectorAll("time[data-left]").forEach((each) => {
  const seconds = Math.ceil((new Date(each.dateTime) - Date.now()) / 1000);
  const said = seconds > 0 ? `${seconds} s left` : "now";
  if (each.parentElement.textContent !== said) each.parentElement.replaceChildren(Object.assign(each, { textContent: said }));
  const undo = each.closest(".acted-here").querySelector("button");
  if (undo && seconds <= 0) undo.hidden = true;
});
setInterval(countDown, 1000);
document.addEventListener("DOMContentLoaded", countDown);
document.addEventListener("htmx:afterSettle", countDown);
