// The sandbox's own controls: how the service is, and what time it is.

import { newKey, post } from "/static/api.js";

const CLOCK = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
const KINDS = { due: "", opening: "window opens " };

/** `2 d 3 h`, `1 h 5 m`, `40 s`. */
export function span(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "m"]].map(([size, unit], place, all) => [Math.floor((place ? seconds % all[place - 1][0] : seconds) / size), unit]);
  const said = parts.filter(([number]) => number).slice(0, 2).map(([number, unit]) => `${number} ${unit}`);
  return said.join(" ") || `${Math.max(0, Math.round(seconds))} s`;
}

const said = (date) => CLOCK.format(date).replace(",", "");

export class Stage {
  constructor(root) {
    this.root = root;
    this.find = (id) => root.querySelector(`#${id}`);
    this.failure = this.find("stage-failure");
    root.addEventListener("change", (event) => event.target.name === "health" && this.setHealth(event.target.value));
    root.addEventListener("click", (event) => {
      const move = event.target.closest("[data-move]");
      if (move && move.getAttribute("aria-disabled") !== "true") this.move(move, newKey());
      const toggle = event.target.closest("#stage-toggle");
      if (toggle) toggle.setAttribute("aria-expanded", String(root.classList.toggle("open")));
    });
    setInterval(() => this.tick(), 1000);
  }

  /** What the server says the sandbox is like. */
  put(state) {
    this.state = state;
    this.ahead = Date.parse(state.now) - Date.now();
    for (const radio of this.root.querySelectorAll("[name=health]")) radio.checked = radio.value === state.health;
    this.find("brief-health").textContent = state.health;
    this.root.dataset.health = state.health.replace(" ", "-");
    this.root.classList.toggle("moving", state.moving);
    this.find("to-next").setAttribute("aria-disabled", String(!state.next));
    this.tick();
  }

  now() {
    return new Date(Date.now() + (this.ahead ?? 0));
  }

  tick() {
    if (!this.state) return;
    const now = this.now();
    const { offset, next } = this.state;
    this.find("now").textContent = `${said(now)} UTC`;
    this.find("now").dateTime = now.toISOString();
    this.find("brief-clock").textContent = said(now);
    this.find("offset").textContent = offset ? `${span(offset)} ahead` : "real time";
    const away = next ? (Date.parse(next.at) - now) / 1000 : 0;
    const when = next && (away > 0 ? `${said(new Date(next.at))}, in ${span(away)}` : "now");
    this.find("next").textContent = next ? `Next: ${KINDS[next.kind]}${when}` : "Nothing is planned";
  }

  async setHealth(health) {
    await this.ask("/api/health", { health });
  }

  async move(button, key) {
    if (this.root.querySelector("[data-move][aria-busy]")) return;
    button.setAttribute("aria-busy", "true");
    this.root.classList.add("moving");
    await this.ask("/api/clock", { key, by: button.dataset.move });
    button.removeAttribute("aria-busy");
    this.root.classList.remove("moving");
  }

  async ask(path, body) {
    this.failure.hidden = true;
    try {
      this.put(await post(path, body));
    } catch (error) {
      this.failure.textContent = error.message;
      this.failure.hidden = false;
      if (this.state) this.put(this.state);
    }
  }
}
