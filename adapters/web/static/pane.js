// A scrolling list of messages: the channel, or a thread. Messages come by id and change; an older change never undoes a newer.

import { morph } from "/static/morph.js";

const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });
const SETTLING = 3000; // milliseconds in which what comes still belongs to the thread that was opened
const NEAR = 80; // pixels from the end that still count as reading the end

export const time = (iso) => iso.slice(11, 16);
export const day = (iso) => DAY.format(new Date(iso));

/** `3 replies`, `1 reply`. */
export const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

/** Makes an element: `make("p", {className: "x"}, "text", child)`. */
export function make(name, properties = {}, ...content) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...content);
  return element;
}

/** A button that had the focus and is gone leaves it to its neighbours: its row, else its message. */
function keepFocus(element, change) {
  const had = element.contains(document.activeElement) ? document.activeElement : null;
  const row = had?.closest("[data-key]")?.dataset.key;
  change();
  if (!had || had.isConnected) return;
  const near = [...element.querySelectorAll("[data-key]")].find((part) => part.dataset.key === row) ?? element;
  (near.querySelector("summary") ?? near.querySelector("button, a"))?.focus();
}

export class Pane {
  /** `scroll` is the box that scrolls, `list` the list in it, `newer` the button shown when something new is below. */
  constructor({ scroll, list, newer, onThread }) {
    Object.assign(this, { scroll, list, newer, onThread });
    this.messages = new Map(); // id -> {change, element}
    this.unseen = 0;
    this.pinned = true;
    scroll.addEventListener("scroll", () => this.scrolled(), { passive: true });
    const sizes = new ResizeObserver(() => this.pinned && this.toEnd());
    sizes.observe(scroll);
    sizes.observe(list);
    newer.addEventListener("click", () => this.firstNew && this.follow(this.firstNew));
  }

  /** Empty; a channel is read from its end, a thread from its start. */
  clear({ fromStart = false } = {}) {
    this.messages.clear();
    this.list.replaceChildren();
    this.scroll.scrollTop = 0;
    this.pinned = !fromStart;
    this.settled = fromStart ? performance.now() + SETTLING : 0;
    this.seen();
  }

  /** Shows a message, or what it says now. Returns "new", "changed" or "same". */
  put(message) {
    const known = this.messages.get(message.id);
    if (known && known.change > message.change) return "same";
    if (known) {
      if (known.change < message.change) {
        keepFocus(known.element, () => morph(known.element.querySelector(".content"), message.html));
        this.keepAtEnd();
      }
      this.dress(known.element, message);
      const changed = known.change < message.change;
      known.change = message.change;
      return changed ? "changed" : "same";
    }
    const element = this.draw(message);
    this.messages.set(message.id, { change: message.change, element });
    this.list.insertBefore(element, this.after(message.id));
    this.days();
    this.keepAtEnd();
    return "new";
  }

  /** Puts something of the page's own (a typed line, an answer) at the end. */
  append(element) {
    this.list.append(element);
    this.toEnd();
  }

  /** Something at the end has grown: its beginning stays in sight. */
  grown(element) {
    if (!this.pinned) return;
    this.keepAtEnd();
    if (element.offsetHeight > this.scroll.clientHeight) {
      this.pinned = false;
      element.scrollIntoView({ block: "start" });
    }
  }

  draw(message) {
    const content = make("div", { className: "content" });
    morph(content, message.html);
    const stamp = make("time", { dateTime: message.posted, title: message.posted.replace("T", " ").replace("Z", " UTC") }, time(message.posted));
    const element = make(
      "li",
      { className: "message" },
      make("img", { src: "/static/gonogo.svg", alt: "", width: 36, height: 36, className: "avatar" }),
      make("div", { className: "main" }, make("p", { className: "meta" }, make("b", {}, "gonogo"), make("span", { className: "app" }, "App"), stamp, make("span", { className: "edited" })), content, make("div", { className: "under" })),
    );
    element.dataset.id = message.id;
    element.dataset.posted = message.posted;
    if (!this.onThread && message.thread === null) element.classList.add("root");
    this.dress(element, message);
    return element;
  }

  /** What stands around the card: "edited", and the way into the thread. */
  dress(element, message) {
    element.dataset.change = message.change;
    element.querySelector(".edited").textContent = message.edited ? `edited ${time(message.edited)}` : "";
    if (message.thread === null && message.replies) this.link(message.id, element, message.replies);
  }

  /** The way into a message's thread: how many replies, and when the last came. */
  link(id, element, replies) {
    if (!this.onThread) return;
    const under = element.querySelector(".under");
    let button = under.querySelector(".replies");
    if (!button) {
      button = make("button", { type: "button", className: "replies" }, make("b"), make("span"));
      button.addEventListener("click", () => this.onThread(id));
      under.append(button);
      this.keepAtEnd();
    }
    button.firstChild.textContent = count(replies.count, "reply", "replies");
    button.lastChild.textContent = `last ${time(replies.last)}`;
  }

  /** Before which element a message of this id belongs. */
  after(id) {
    for (const element of this.list.children) if (Number(element.dataset.id) > id) return this.dividerBefore(element) ?? element;
    return null;
  }

  dividerBefore(element) {
    const before = element.previousElementSibling;
    return before?.classList.contains("day") ? before : null;
  }

  /** A line wherever a new day begins. */
  days() {
    let current = "";
    for (const element of [...this.list.children]) {
      if (element.classList.contains("day")) {
        if (element.dataset.day === current) element.remove();
        continue;
      }
      if (!element.dataset.posted) continue;
      const its = element.dataset.posted.slice(0, 10);
      if (its === current) continue;
      const divider = this.dividerBefore(element);
      if (divider?.dataset.day !== its) {
        divider?.remove();
        const line = make("li", { className: "day" }, make("span", {}, day(element.dataset.posted)));
        line.dataset.day = its;
        this.list.insertBefore(line, element);
      }
      current = its;
    }
  }

  scrolled() {
    // Not the person, but a thread that opened or a line that grew.
    const size = [this.scroll.scrollHeight, this.scroll.clientHeight, this.scroll.clientWidth].join();
    if (size !== this.size) {
      this.size = size;
      if (this.pinned) return void this.keepAtEnd();
    }
    this.pinned = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < NEAR;
    if (this.pinned) this.seen();
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.pinned = true;
    this.seen();
  }

  keepAtEnd() {
    if (this.pinned) this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  /** To the beginning of a message. What is complete above it folds away: one is through with it. */
  follow(element) {
    for (const part of this.list.querySelectorAll("details.part.complete[open]")) {
      if (!element.contains(part) && !part.contains(document.activeElement)) part.open = false;
    }
    this.pinned = false;
    element.scrollIntoView({ block: "start" });
    this.seen();
  }

  /** A new message came while the person reads further up. */
  noteNew(id) {
    if (this.pinned || performance.now() < this.settled) return;
    this.firstNew ??= this.messages.get(id).element;
    this.unseen += 1;
    this.newer.textContent = `↓ ${count(this.unseen, "new message", "new messages")}`;
    this.newer.hidden = false;
  }

  seen() {
    this.unseen = 0;
    this.firstNew = null;
    this.newer.hidden = true;
  }
}
