// Django's admin: the fields that search as one types get the name of their label, which select2 leaves out.
(() => {
  "use strict";
  const name = () => {
    document.querySelectorAll(".select2-selection").forEach((box) => {
      const field = box.closest(".select2")?.parentElement.querySelector("select[id]");
      const label = field && document.querySelector(`label[for="${CSS.escape(field.id)}"]`);
      if (!label) return;
      label.id ||= `${field.id}_label`;
      const shown = box.querySelector("[role=textbox]");
      [box, shown].forEach((each) => each?.setAttribute("aria-labelledby", label.id));
      if (shown?.id) box.setAttribute("aria-describedby", shown.id);
    });
  };
  window.django?.jQuery?.(name); // in its queue, behind what makes these fields
})();
