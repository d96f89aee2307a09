// Forms in a dialog. A form has one key from the moment it opens: however often it is sent, it is done once.

import { newKey, post } from "/static/api.js";
import { show } from "/static/clicks.js";

export class Forms {
  /** `me` says who fills them in; `onSend` gets the action of a form that is sent. */
  constructor({ dialog, me, onSend }) {
    Object.assign(this, { dialog, me, onSend });
    dialog.addEventListener("click", (event) => event.target.closest("[data-close]") && dialog.close());
    dialog.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit(event.target);
    });
    dialog.addEventListener("close", () => this.back());
    dialog.addEventListener("cancel", (event) => this.sending && event.preventDefault());
  }

  open(html, { channel, place, opener }) {
    Object.assign(this, { channel, place, opener, key: newKey() });
    this.dialog.innerHTML = html;
    if (!this.dialog.open) this.dialog.showModal();
    (this.dialog.querySelector("input, textarea, select") ?? this.dialog.querySelector("[type=submit]")).focus();
  }

  async submit(form) {
    if (this.sending || !valid(form)) return;
    this.sending = true;
    const send = form.querySelector("[type=submit]");
    const wrong = form.querySelector(".failure");
    wrong.hidden = true;
    send.setAttribute("aria-busy", "true");
    const ask = {
      key: this.key,
      persona: this.me(),
      channel: this.channel,
      action: form.dataset.action,
      values: Object.fromEntries(new FormData(form)),
    };
    this.onSend(ask.action);
    try {
      const answer = await post("/api/submit", ask);
      if (answer.form) return void this.open(answer.form, this);
      this.dialog.close();
      if (answer.card) show(this.place, answer, this.opener);
    } catch (error) {
      wrong.textContent = error.message;
      wrong.hidden = false;
      if (error.again) send.textContent = "Try again";
    } finally {
      this.sending = false;
      send.removeAttribute("aria-busy");
    }
  }

  /** Focus goes back to where the form was asked for, as far as that still exists. */
  back() {
    this.dialog.replaceChildren();
    const menu = this.opener?.closest("details.menu");
    const target = menu ? menu.querySelector("summary") : this.opener;
    if (target?.isConnected) target.focus();
  }
}

/** Says beside each field what is missing; the first such field gets the focus. */
function valid(form) {
  let first = null;
  for (const field of form.elements) {
    if (!field.name) continue;
    const missing = field.required && !field.value.trim();
    const note = document.getElementById(`${field.id}-error`);
    note.textContent = missing ? "Please fill this in." : "";
    note.hidden = !missing;
    field.toggleAttribute("aria-invalid", missing);
    if (missing) field.setAttribute("aria-invalid", "true");
    if (missing && !first) first = field;
  }
  first?.focus();
  return first === null;
}
