// Buttons of cards: busy while on their way, answered beside the list, tried again with the same key when that failed.

import { newKey, post } from "/static/api.js";
import { announce, failure, privately } from "/static/notices.js";

const SETTLE = 3000; // milliseconds a button waits for its message to change after the click is done

export class Clicks {
  /** `me` says who is clicking, `openForm` shows a form. */
  constructor({ me, openForm }) {
    Object.assign(this, { me, openForm });
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.escape(event));
    // Toggles do not bubble.
    document.addEventListener("toggle", (event) => event.target.matches("details.menu[open]") && fit(event.target), true);
  }

  clicked(event) {
    const menu = document.querySelector("details.menu[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
    const copy = event.target.closest("[data-copy]");
    if (copy) return void this.copy(copy);
    const button = event.target.closest("[data-action]:not(form)");
    if (!button || button.closest("dialog")) return;
    if (button.getAttribute("aria-disabled") === "true") return;
    const channel = document.body.dataset.channel;
    const place = button.closest("#thread") ? document.getElementById("thread-notices") : document.getElementById("notices");
    this.send({ button, place, ask: { key: newKey(), persona: this.me(), channel, action: button.dataset.action } });
  }

  async send({ button, place, ask }) {
    busy(button, true);
    place.replaceChildren();
    try {
      const answer = await post("/api/click", ask);
      closeMenu(button);
      if (answer.form) {
        busy(button, false);
        this.openForm(answer.form, { channel: ask.channel, place, opener: button });
      } else if (answer.card) {
        busy(button, false);
        show(place, answer, button);
      } else {
        announce(`${button.getAttribute("aria-label") ?? button.textContent}: done`);
        if (button.closest(".private")) finished(button);
        // The message's next state takes the busy look away; should it not change, time does.
        else setTimeout(() => busy(button, false, ask.action), SETTLE);
      }
    } catch (error) {
      busy(button, false);
      place.replaceChildren(failure(error, () => this.send({ button, place, ask })));
    }
  }

  async copy(button) {
    const text = button.previousElementSibling.textContent;
    try {
      await navigator.clipboard.writeText(text);
      said(button, "Copied");
      announce("Command copied");
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
      said(button, "Selected");
    }
  }

  escape(event) {
    const menu = document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault();
  }
}

/** What only its author sees is never edited: its button itself says that it was done. */
function finished(button) {
  busy(button, false);
  const summary = button.closest("details.menu")?.querySelector("summary");
  button.disabled = true;
  button.classList.add("done");
  summary?.focus();
}

/** A menu near the end of its pane opens upwards. */
function fit(menu) {
  menu.classList.remove("up");
  const pane = menu.closest(".scroll, .notices");
  const bottom = menu.querySelector(".choices").getBoundingClientRect().bottom;
  menu.classList.toggle("up", Boolean(pane) && bottom > pane.getBoundingClientRect().bottom);
}

/** An answer above the composer or at the end of the thread. */
export function show(place, answer, opener) {
  const element = privately(answer.card, { onDismiss: () => opener?.isConnected && opener.focus() });
  place.replaceChildren(element);
  announce(`Only visible to you: ${answer.text}`);
}

function busy(button, is, action = button.dataset.action) {
  if (button.dataset.action !== action) return;
  button.toggleAttribute("data-busy", is);
  if (is) {
    button.setAttribute("aria-busy", "true");
    button.setAttribute("aria-disabled", "true");
  } else {
    button.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
  }
}

function closeMenu(button) {
  const menu = button.closest("details.menu");
  if (!menu) return;
  const inside = menu.contains(document.activeElement);
  menu.open = false;
  if (inside) menu.querySelector("summary").focus();
}

function said(button, word) {
  button.textContent = word;
  setTimeout(() => (button.textContent = "Copy"), 1600);
}
