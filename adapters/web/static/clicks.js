// Buttons of cards: busy while on their way, answered beside the list, tried again with the same key when that failed.

import { newKey, post } from "/static/api.js";
import { announce, failure, privately } from "/static/notices.js";

const EXPECTED = 5000; // milliseconds in which a new message answers the last button
const SETTLE = 3000; // milliseconds a button stays busy after its click is done, for its message to say so

export class Clicks {
  /** `me` says who is clicking, `openForm` shows a form, `onSend` gets the action of a button that was pressed. */
  constructor({ me, openForm, onSend }) {
    Object.assign(this, { me, openForm, onSend, asked: 0 });
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.escape(event));
    // Toggles do not bubble.
    document.addEventListener("toggle", (event) => event.target.matches("details.menu[open]") && fit(event.target), true);
  }

  /** Whether a message that comes now was asked for with a button; says so once. */
  wanted() {
    const recent = this.asked && performance.now() - this.asked < EXPECTED;
    if (recent) this.asked = 0;
    return recent;
  }

  clicked(event) {
    const menu = document.querySelector("details.menu[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
    const copy = event.target.closest("[data-copy]");
    if (copy) return void this.copy(copy);
    const button = event.target.closest("[data-action]:not(form)");
    if (!button || button.closest("dialog")) return;
    if (button.getAttribute("aria-disabled") === "true") return;
    // What comes next in its thread is what was asked for; a tick asks for nothing new.
    this.asked = button.closest(".item") ? 0 : performance.now();
    this.onSend(button.dataset.action);
    const channel = document.body.dataset.channel;
    const place = button.closest("#thread") ? document.getElementById("thread-notices") : document.getElementById("notices");
    this.send({ button, place, ask: { key: newKey(), persona: this.me(), channel, action: button.dataset.action } });
  }

  async send({ button, place, ask }) {
    const message = button.closest("[data-change]");
    const before = message?.dataset.change;
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
        if (button.closest(".private")) return void finished(button);
        await changed(message, before);
        busy(button, false);
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

/** Until the message says something new, which it may have done already; or long enough has passed. */
function changed(message, before) {
  if (!message || message.dataset.change !== before) return undefined;
  return new Promise((done) => {
    const watch = new MutationObserver(done);
    watch.observe(message, { attributeFilter: ["data-change"] });
    setTimeout(() => (watch.disconnect(), done()), SETTLE);
  });
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

function busy(button, is) {
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
