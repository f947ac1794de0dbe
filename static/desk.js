// Keys, dialogs and live parts of the desk. Everything here is also reachable without it.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const shown = (element) => element.getClientRects().length > 0;

  // --- keys: single letters, off while typing, and switchable for those whom they disturb (WCAG 2.1.4)
  const KEYS_OFF = "desk-keys-off";
  const typing = (element) => element.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");

  function step(by) {
    const rows = all("[data-row]").filter(shown);
    if (!rows.length) return;
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const to = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)];
    const link = to.querySelector("[data-main]");
    link.focus({ preventScroll: true });
    to.scrollIntoView({ block: "nearest" });
  }

  const KEYS = {
    j: () => step(1),
    k: () => step(-1),
    "?": () => document.getElementById("keys")?.showModal(),
    "/": () => document.querySelector("input[type=search]")?.select(),
    ".": () => openPalette(),
    u: () => document.getElementById("undo")?.requestSubmit(),
  };

  // Whether a single key means something now; pages with keys of their own ask the same.
  const listens = (event) =>
    !(event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) &&
    !typing(event.target) && !document.querySelector("dialog[open]") && !localStorage.getItem(KEYS_OFF);
  window.desk = { listens };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hideTips();
    if (!listens(event)) return;
    const marked = all("[data-key]").find((each) => each.dataset.key === event.key && shown(each));
    if (!marked && !KEYS[event.key]) return;
    event.preventDefault();
    if (!marked) KEYS[event.key]();
    else if (typing(marked)) marked.select ? marked.select() : marked.focus();
    else marked.click();
  });

  // --- the palette: everything that can be done or opened here, by name
  let commands = [];

  const nameOf = (element) => {
    const copy = element.cloneNode(true);
    all("kbd, .nav-count, .dot", copy).forEach((each) => each.remove());
    return (copy.textContent || element.getAttribute("aria-label") || "").replace(/\s+/g, " ").trim();
  };

  function openPalette() {
    const onRows = window.desk.mayAct?.() ? all("[data-act]") : [];
    const found = [...onRows, ...all("[data-key]:not(input)").filter(shown), ...all("[data-command], .tabs a, .top nav a")];
    const names = new Set();
    commands = found.map((element) => ({ element, name: nameOf(element), key: element.dataset.act || element.dataset.key || "" }))
      .filter(({ name }) => name && !names.has(name) && names.add(name));
    const box = document.getElementById("palette-box");
    box.value = "";
    suggest("");
    document.getElementById("palette").showModal();
    box.focus();
  }

  function suggest(text) {
    const words = text.toLowerCase().split(/\s+/);
    const list = document.getElementById("palette-list");
    list.replaceChildren(...commands.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)))
      .map(({ name, key }, number) => {
        const item = document.createElement("li");
        item.id = `palette-${number}`;
        item.setAttribute("role", "option");
        item.dataset.number = String(commands.findIndex((each) => each.name === name));
        item.textContent = name;
        if (key) item.append(Object.assign(document.createElement("kbd"), { textContent: key }));
        return item;
      }));
    document.getElementById("palette-none").hidden = list.children.length > 0;
    choose(0);
  }

  function choose(number) {
    const items = all("#palette-list > li");
    const at = items.length ? (number + items.length) % items.length : -1;
    items.forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    const box = document.getElementById("palette-box");
    if (at < 0) return box.removeAttribute("aria-activedescendant");
    box.setAttribute("aria-activedescendant", items[at].id);
    items[at].scrollIntoView({ block: "nearest" });
  }

  function command(item) {
    if (!item) return;
    document.getElementById("palette").close(); // gives the focus back to the row, which an act is about
    const { element } = commands[Number(item.dataset.number)];
    if (element.dataset.act && window.desk.act) window.desk.act(element.dataset.act);
    else element.click();
  }

  document.addEventListener("input", (event) => {
    if (event.target.id === "palette-box") suggest(event.target.value);
  });
  document.addEventListener("click", (event) => {
    command(event.target.closest("#palette-list > li"));
    if (event.target.closest("#open-palette")) openPalette();
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "palette-box") return;
    const items = all("#palette-list > li");
    const at = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") choose(at + 1);
    else if (event.key === "ArrowUp") choose(at - 1);
    else if (event.key === "Enter") command(items[at]);
    else return;
    event.preventDefault();
  });

  // --- tips: shown by hover and focus in the style sheet; Escape hides them until the pointer or focus moves on
  function hideTips() {
    document.body.classList.add("no-tips");
    const back = () => document.body.classList.remove("no-tips");
    document.addEventListener("mouseout", back, { once: true });
    document.addEventListener("focusin", back, { once: true });
  }

  // --- menus that fold out: a click elsewhere and Escape fold them in, and Escape gives the focus back
  const foldIn = (except) => all("details[data-folds][open]").forEach((menu) => {
    if (menu !== except) menu.open = false;
  });
  document.addEventListener("click", (event) => foldIn(event.target.closest("details[data-folds]")));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details[data-folds][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // --- dialogs: a link or button with data-opens names one; without script a link still leads to its page
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    const dialog = opener && document.getElementById(opener.dataset.opens);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
    }
    const closer = event.target.closest("[data-closes]");
    if (closer) {
      event.preventDefault();
      closer.closest("dialog").close();
    }
  });

  document.addEventListener("change", (event) => {
    if (event.target.id === "keys-on") {
      if (event.target.checked) localStorage.removeItem(KEYS_OFF);
      else localStorage.setItem(KEYS_OFF, "1");
    }
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });
  document.addEventListener("DOMContentLoaded", () => {
    const box = document.getElementById("keys-on");
    if (box) box.checked = !localStorage.getItem(KEYS_OFF);
    showCurrent();
  });

  // A bar that is wider than a phone shows where one is, not where it begins.
  function showCurrent() {
    all("[data-current-in-view]").forEach((bar) => {
      const here = bar.querySelector("[aria-current]");
      if (here) bar.scrollLeft = here.offsetLeft - bar.offsetLeft - (bar.clientWidth - here.offsetWidth) / 2;
    });
  }

  // --- live parts: quiet while the tab is hidden, while text is selected, and never moving a row under the pointer
  const order = (root) => all("[data-row]", root).map((row) => row.id).join(" ");
  const folded = new Map();

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.target.matches("[data-live]")) return;
    const selection = document.getSelection();
    if (document.hidden || (selection && !selection.isCollapsed && event.target.contains(selection.anchorNode)))
      event.preventDefault();
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    if (!part.matches?.("[data-live]")) return;
    all("details[id]").forEach((each) => folded.set(each.id, each.open));
    if (!part.dataset.asked && part.querySelector("[data-row]") && part.matches(":hover, :focus-within, :has([data-pick]:checked)")) {
      const fresh = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
      if (order(fresh) !== order(part)) {
        event.detail.shouldSwap = false;
        document.getElementById("changed").hidden = false;
      }
    }
  });

  document.addEventListener("htmx:afterSettle", () => {
    showCurrent();
    folded.forEach((open, id) => {
      const each = document.getElementById(id);
      if (each) each.open = open;
    });
    folded.clear();
  });

  // "Show now": the reader asked, so rows may move.
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#show-changes")) return;
    const part = document.querySelector("[data-live]");
    part.dataset.asked = "1";
    document.getElementById("changed").hidden = true;
    htmx.ajax("GET", part.getAttribute("hx-get"), { target: part, swap: "outerHTML", source: part });
  });

  // --- text typed into a panel is not thrown away by news: the panel stays, and says that the case moved on
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const panel = event.detail.target;
    if (!panel.matches?.("[data-keeps]")) return;
    const written = all("textarea", panel).some((area) => area.value !== area.defaultValue);
    if (!written && !panel.contains(document.activeElement) && !document.querySelector("dialog[open]")) return;
    event.detail.shouldSwap = false;
    const note = document.getElementById("moved-on");
    if (note) note.hidden = false;
  });
})();
