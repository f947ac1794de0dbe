// Takes what is marked in the mail into a field; for a rule, the text before it on its line instead.
"use strict";
(() => {
  const LONGEST = 80;
  const said = document.getElementById("marked-said");
  let marked = null; // kept, as pressing a button may drop the selection

  const remember = () => {
    const selection = document.getSelection();
    if (!selection || selection.isCollapsed || !selection.rangeCount) return;
    const range = selection.getRangeAt(0);
    const node = range.startContainer.nodeType === Node.TEXT_NODE ? range.startContainer.parentElement : range.startContainer;
    const box = node && node.closest ? node.closest("pre.mail, dl.fields dd") : null;
    if (!box || !box.closest("section, article, details")) return;
    const before = document.createRange();
    before.setStart(box, 0);
    before.setEnd(range.startContainer, range.startOffset);
    marked = { text: selection.toString().trim(), before: before.toString() + leading(selection.toString()) };
  };

  const leading = (text) => text.slice(0, text.length - text.trimStart().length);

  // What changes with every mail, such as a number, is left out: the context begins behind it.
  const context = (before) => {
    let line = before.slice(before.lastIndexOf("\n") + 1);
    if (!line.trim()) line = before.trimEnd().slice(before.trimEnd().lastIndexOf("\n") + 1) + before.slice(before.trimEnd().length);
    line = line.slice(-LONGEST);
    const digits = [...line.matchAll(/\d/g)].pop();
    return digits ? line.slice(digits.index + 1).replace(/^[.:-]+/, "") : line;
  };

  const tell = (words) => { if (said) said.textContent = words; };

  const fill = (id, value) => {
    const field = document.getElementById(id);
    if (field) {
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    return field;
  };

  document.addEventListener("selectionchange", remember);
  document.querySelectorAll("[data-take], [data-take-before]").forEach((button) => { button.hidden = false; });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-take], [data-take-before], [data-fill]");
    if (!button) return;
    if (button.dataset.fill) { fill(button.dataset.fill, button.dataset.value); tell("Filled in."); return; }
    if (!marked || !marked.text) { tell("Mark a piece of the mail first."); return; }
    if (button.dataset.take) {
      const field = fill(button.dataset.take, marked.text);
      if (field) field.focus();
      tell("Taken.");
      return;
    }
    fill(button.dataset.takeBefore, context(marked.before));
    fill(button.dataset.also, marked.text);
    tell("Taken: the words before it, and the value in the form above.");
  });
})();
