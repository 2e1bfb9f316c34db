// A table that changes while a reader looks, with a button in each row: it opens the row, or closes it again.

const BUTTONS = "[data-row]";

export default {
  render({ model, el }) {
    const mark = () => {
      for (const button of el.querySelectorAll(BUTTONS)) {
        button.ariaExpanded = String(Number(button.dataset.row) === model.get("chosen"));
      }
    };

    // A reader who is in a row stays in it, or in the first one where it is no longer there.
    const show = () => {
      const { row } = el.contains(document.activeElement) ? document.activeElement.dataset : {};
      const { scrollLeft = 0 } = el.firstElementChild ?? {};
      el.innerHTML = model.get("value");
      mark();
      if (el.firstElementChild) el.firstElementChild.scrollLeft = scrollLeft;
      if (row) (el.querySelector(`[data-row="${row}"]`) ?? el.querySelector(BUTTONS))?.focus({ preventScroll: true });
    };

    el.addEventListener("click", (event) => {
      const button = event.target.closest(BUTTONS);
      if (!button) return;
      const row = Number(button.dataset.row);
      model.set("chosen", row === model.get("chosen") ? null : row);
      model.save_changes();
    });
    model.on("change:value", show);
    model.on("change:chosen", mark);
    show();
  },
};
