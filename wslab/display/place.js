// A place in the output of a cell: it shows controls while the kernel that made them lives, and else what was saved.
//
// The output is HTML, so that a notebook that is opened another day shows what was saved there, whatever has become of
// its kernel. When the kernel tells of the controls, the element <wslab-place> with their name takes them in.

const TAG = "wslab-place";
const OWN = ["keydown", "keypress", "keyup", "copy", "cut", "paste"];  // events that JupyterLab would act on

class Place extends HTMLElement {
  static models = new Map();  // by the name of the place

  connectedCallback() {
    this.show();
  }

  disconnectedCallback() {
    queueMicrotask(() => !this.isConnected && this.clear());
  }

  async show() {
    const model = Place.models.get(this.getAttribute("name"));
    if (this.view || this.isWaiting || !model || !this.isConnected) return;
    this.isWaiting = true;
    try {
      const manager = model.widget_manager;
      const box = await manager.get_model(model.get("box").replace("IPY_MODEL_", ""));
      const view = await manager.create_view(box);
      if (this.isConnected && box.comm_live) this.take(view, box);
      else view.remove();
    } finally {
      this.isWaiting = false;
    }
  }

  take(view, box) {
    this.view = view;
    this.live = document.createElement("div");
    this.live.tabIndex = -1;  // a click between the controls does not give the keys to the notebook
    this.live.style.outline = "none";
    for (const type of OWN) this.live.addEventListener(type, (event) => event.stopPropagation());
    this.live.addEventListener("focusin", (event) => this.keep(event.target));
    this.live.append(view.el);
    this.append(this.live);
    view.luminoWidget.processMessage({ type: "after-attach" });
    this.watch = new MutationObserver(() => this.giveFocusBack());
    this.watch.observe(this.live, { childList: true, subtree: true });
    for (const saved of this.children) saved.hidden = saved !== this.live;
    box.on("comm_live_update", () => box.comm_live || this.clear());
    box.on("destroy", () => this.clear());
  }

  // JupyterLab up to 4.0 looks at keys before they come here, but leaves alone what has this attribute.
  keep(target) {
    target.setAttribute("data-lm-suppress-shortcuts", "true");
    this.nameGroups();
    const parts = this.parts();
    this.focused = { element: target, number: parts.indexOf(target) };
  }

  // ipywidgets gives its radio buttons no name. With one, arrows stay in a question, and Tab leads to the next.
  nameGroups() {
    [...this.live.querySelectorAll(".widget-radio-box")].forEach((group, number) => {
      const name = `${this.getAttribute("name")}-${number}`;
      for (const button of group.querySelectorAll("input")) button.name = name;
    });
  }

  parts() {
    return [...this.live.querySelectorAll("[tabindex], a, button, input, select, summary, textarea")];
  }

  // An update replaces the HTML of a table: a reader who scrolls it by keyboard stays where he was.
  giveFocusBack() {
    const { element, number } = this.focused ?? {};
    if (!element || element.isConnected || document.activeElement !== document.body) return;
    const part = this.parts()[number];
    if (!part) return;
    const { scrollLeft, scrollTop } = element;
    part.focus({ preventScroll: true });
    Object.assign(part, { scrollLeft, scrollTop });
  }

  clear() {
    if (!this.view) return;
    const { view } = this;
    this.watch.disconnect();
    view.luminoWidget.processMessage({ type: "before-detach" });
    view.luminoWidget.processMessage({ type: "after-detach" });
    view.remove();
    this.live.remove();
    this.view = this.live = this.focused = null;
    for (const saved of this.children) saved.hidden = false;
  }
}

if (!customElements.get(TAG)) customElements.define(TAG, Place);

export default {
  initialize({ model }) {
    const { models } = customElements.get(TAG);
    models.set(model.get("name"), model);
    for (const place of document.querySelectorAll(TAG)) place.show();
    return () => models.delete(model.get("name"));
  },
};
