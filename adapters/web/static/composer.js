// The line one types into: a combobox that completes /deploy and what may follow it.

import { post } from "/static/api.js";
import { make } from "/static/pane.js";

const COMMAND = "/deploy";

export class Composer {
  /** `onSend(text)` is called with what was typed. */
  constructor({ form, input, list, me, onSend }) {
    Object.assign(this, { form, input, list, me, onSend });
    this.options = [];
    this.active = -1;
    this.asked = 0;
    this.history = [];
    this.place = 0;
    input.addEventListener("input", () => {
      this.unmark();
      this.suggest();
    });
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => this.close());
    input.addEventListener("focus", () => input.value.startsWith("/") && this.suggest());
    // Before the input loses its focus, and with it the list.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.pick(Number(option.dataset.place));
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
  }

  fill(text) {
    this.input.value = text;
    this.input.focus();
    this.input.setSelectionRange(text.length, text.length);
    this.suggest();
  }

  send() {
    const text = this.input.value.trim();
    if (!text) return;
    this.history = [...this.history.filter((line) => line !== text), text].slice(-50);
    this.place = this.history.length;
    this.input.value = "";
    this.close();
    this.onSend(text);
  }

  async suggest() {
    const text = this.input.value;
    const asked = ++this.asked;
    if (!text.startsWith("/") || text.includes("\n")) return this.close();
    if (!text.startsWith(`${COMMAND} `)) {
      const fits = COMMAND.startsWith(text);
      return this.show(fits ? [{ value: `${COMMAND} `, shown: COMMAND, label: "Deployments: start, status, roll back and more" }] : []);
    }
    try {
      const { options } = await post("/api/complete", { persona: this.me(), text: text.slice(COMMAND.length + 1) }, []);
      // An answer to an older question would replace what is typed by now.
      if (asked === this.asked && document.activeElement === this.input) {
        this.show(options.map(({ value, label }) => ({ value: `${COMMAND} ${value}`, shown: value, label })));
      }
    } catch {
      if (asked === this.asked) this.close();
    }
  }

  show(options) {
    this.options = options.filter(({ value }) => value.trim() !== this.input.value.trim());
    this.active = -1;
    this.list.replaceChildren(
      ...this.options.map(({ shown, label }, place) => {
        const element = make("li", { id: `option-${place}`, role: "option", ariaSelected: "false" }, make("b", {}, shown), make("span", {}, label));
        element.dataset.place = place;
        return element;
      }),
    );
    const open = this.options.length > 0;
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    this.input.removeAttribute("aria-activedescendant");
  }

  /** What was marked fitted an older text. */
  unmark() {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = -1;
    this.input.removeAttribute("aria-activedescendant");
  }

  close() {
    this.asked++;
    this.show([]);
  }

  key(event) {
    const open = this.options.length > 0;
    if (event.isComposing) return;
    if (event.key === "ArrowDown" && open) this.move(1);
    else if (event.key === "ArrowUp" && open) this.move(-1);
    else if (event.key === "ArrowUp" || event.key === "ArrowDown") return void this.recall(event);
    else if (event.key === "Tab" && open && !event.shiftKey) this.pick(Math.max(this.active, 0));
    else if (event.key === "Enter" && open && this.active >= 0) this.pick(this.active);
    else if (event.key === "Escape" && open) this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(by) {
    const all = this.list.children;
    all[this.active]?.setAttribute("aria-selected", "false");
    this.active = (this.active + by + all.length + (this.active < 0 && by < 0 ? 1 : 0)) % all.length;
    const chosen = all[this.active];
    chosen.setAttribute("aria-selected", "true");
    chosen.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", chosen.id);
  }

  pick(place) {
    const { value } = this.options[place];
    this.fill(value.endsWith(" ") ? value : `${value} `);
  }

  /** What was typed before, with the arrow keys. */
  recall(event) {
    const step = event.key === "ArrowUp" ? -1 : 1;
    const place = this.place + step;
    if (place < 0 || place > this.history.length) return;
    this.place = place;
    this.input.value = this.history[place] ?? "";
    event.preventDefault();
  }
}
