// The queue: rows are picked with x or the mouse, and kept picked while the list renews itself.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const picked = new Set(); // values of the boxes, "case.stay"
  const PLACE = "desk-queue-place";
  const bar = () => document.getElementById("bulk");
  const boxes = () => all("[data-pick]:not(:disabled)");
  const row = () => document.activeElement?.closest("[data-row]");

  function show() {
    all("[data-row]").forEach((each) => {
      const box = each.querySelector("[data-pick]");
      each.classList.toggle("is-picked", Boolean(box?.checked));
    });
    const count = picked.size;
    if (!bar()) return; // who only looks has nothing to do with a selection
    bar().classList.toggle("is-empty", !count);
    const words = count === 1 ? "1 case selected" : `${count} cases selected`;
    const said = document.getElementById("picked-count");
    const wanted = count ? words : "";
    if (said.textContent !== wanted) said.textContent = wanted;
    const everything = document.getElementById("pick-all");
    if (everything) {
      const those = boxes();
      const on = those.filter((box) => box.checked).length;
      everything.checked = on > 0 && on === those.length;
      everything.indeterminate = on > 0 && on < those.length;
    }
  }

  function pick(box, on) {
    box.checked = on;
    if (on) picked.add(box.value);
    else picked.delete(box.value);
  }

  // What was picked and is no longer there, or has moved on, is picked no more.
  function keep() {
    const there = new Set(boxes().map((box) => box.value));
    all("[data-pick]").forEach((box) => { box.checked = picked.has(box.value) && there.has(box.value); });
    picked.forEach((value) => { if (!there.has(value)) picked.delete(value); });
    show();
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick]")) pick(event.target, event.target.checked);
    else if (event.target.id === "pick-all") boxes().forEach((box) => pick(box, event.target.checked));
    else return;
    show();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#pick-none")) {
      boxes().forEach((box) => pick(box, false));
      show();
    }
  });
  document.addEventListener("htmx:afterSettle", keep);
  document.addEventListener("DOMContentLoaded", () => {
    bar()?.classList.add("has-script");
    keep(); // a browser that goes back may have kept its ticks
    const place = sessionStorage.getItem(PLACE);
    sessionStorage.removeItem(PLACE);
    if (place === null) return;
    // After an action one goes on where one was, at the first case that is still there to be worked on.
    const rows = all("[data-row]");
    const next = rows.slice(Number(place)).find((each) => !each.classList.contains("done")) || rows[0];
    next?.querySelector("[data-main]").focus();
  });

  const KEYS = {
    x: () => {
      const here = row() || document.querySelector("[data-row]");
      const box = here?.querySelector("[data-pick]:not(:disabled)");
      if (!box) return;
      pick(box, !box.checked);
      show();
      here.querySelector("[data-main]").focus();
    },
    X: () => {
      const those = boxes();
      const on = those.some((box) => !box.checked);
      those.forEach((box) => pick(box, on));
      show();
    },
    n: () => {
      const rows = all("[data-row]:not(.done)");
      const behind = rows.indexOf(row());
      (rows[behind + 1] || rows[0])?.querySelector("[data-main]").click();
    },
  };

  // An act without a selection is about the row in focus; without that it is about nothing.
  function act(key) {
    const button = document.querySelector(`[data-act="${key}"]`);
    if (!button) return false;
    if (!picked.size) {
      const box = row()?.querySelector("[data-pick]:not(:disabled)");
      if (!box) return false;
      pick(box, true);
      show();
    }
    button.click();
    return true;
  }

  window.desk.act = act;
  window.desk.mayAct = () => picked.size > 0 || Boolean(row());

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "bulk") return;
    const rows = all("[data-row]");
    const first = rows.findIndex((each) => each.querySelector("[data-pick]")?.checked);
    sessionStorage.setItem(PLACE, String(Math.max(first, 0)));
  });

  document.addEventListener("keydown", (event) => {
    if (!window.desk.listens(event)) return;
    if (KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    } else if (act(event.key)) event.preventDefault();
  });
})();
