// Puts the page together: which channel and thread are open, who one is, and what comes in.

import { get, newKey, post } from "/static/api.js";
import { Clicks } from "/static/clicks.js";
import { Composer } from "/static/composer.js";
import { Forms } from "/static/forms.js";
import { Live } from "/static/live.js";
import { announce, failure, privately } from "/static/notices.js";
import { make, Pane, time } from "/static/pane.js";
import { Stage } from "/static/stage.js";

const byId = (id) => document.getElementById(id);
const WIDE = matchMedia("(min-width: 1100px)");

const persona = byId("persona");
const stage = new Stage(byId("stage"));
const channelPane = new Pane({ scroll: byId("messages"), list: byId("list"), newer: byId("newer"), onThread: (id) => go(open.channel, id) });
const threadPane = new Pane({ scroll: byId("thread-scroll"), list: byId("replies"), newer: byId("thread-newer") });
const open = { channel: null, thread: null };
const unread = new Set();
let loads = 0;
let started = 0; // when this page last asked for a deployment
const own = new Set(); // messages that came soon after it, whose threads open by themselves
const STARTS = /^\s*(\/deploy\s+)?(start|schedule|wait)\b/i; // such commands and actions
const SOON = 10_000; // milliseconds

const me = () => persona.value;
const forms = new Forms({ dialog: byId("dialog"), me, onSend: sends });
const clicks = new Clicks({ me, openForm: (html, about) => forms.open(html, about), onSend: sends });
const composer = new Composer({ form: byId("composer"), input: byId("say"), list: byId("options"), me, onSend: (text) => say(text) });
const live = new Live({ message: arrived, sandbox: (state) => stage.put(state), reset: () => load(), connection });

// --- where one is: #deployments, or #deployments/12 with a thread ------------------------------------------------------

const address = (channel, thread) => channel + (thread ? `/${thread}` : "");

function whereabouts() {
  const [channel, thread] = decodeURIComponent(location.hash).split("/");
  const known = channels();
  return { channel: known.includes(channel) ? channel : known[0], thread: Number(thread) || null };
}

let quietly = false; // the next thread opens by itself, and leaves the focus where it is

function go(channel, thread = null) {
  if (location.hash === address(channel, thread)) return void follow();
  location.hash = address(channel, thread);
}

async function follow() {
  const wanted = whereabouts();
  closeRail();
  if (wanted.channel !== open.channel) await load();
  else if (wanted.thread !== open.thread) await openThread(wanted.thread, !quietly);
  quietly = false;
}

// --- loading -------------------------------------------------------------------------------------------------------------

async function load() {
  const wanted = whereabouts();
  const mine = ++loads;
  Object.assign(open, { channel: wanted.channel, thread: null });
  document.body.dataset.channel = open.channel;
  byId("channel-name").textContent = open.channel;
  document.title = `${open.channel} · gonogo sandbox`;
  unread.delete(open.channel);
  byId("notices").replaceChildren();
  channelPane.clear(); // at once: what is typed while the messages are on their way stays
  let found;
  try {
    found = await get(`/api/messages?channel=${encodeURIComponent(open.channel)}`);
  } catch (error) {
    byId("notices").replaceChildren(failure(error, load));
    return;
  }
  if (mine !== loads) return;
  found.messages.forEach((message) => channelPane.put(message));
  showChannels(found.channels);
  byId("older").hidden = !found.more;
  welcome();
  dressMentions(document);
  channelPane.toEnd();
  stage.put(found.sandbox);
  live.open(found.change);
  await openThread(wanted.thread, false);
}

async function older() {
  const first = Math.min(...channelPane.messages.keys());
  const height = channelPane.scroll.scrollHeight;
  let found;
  try {
    found = await get(`/api/messages?channel=${encodeURIComponent(open.channel)}&before=${first}`);
  } catch (error) {
    byId("notices").replaceChildren(failure(error, older));
    return;
  }
  channelPane.pinned = false;
  found.messages.forEach((message) => channelPane.put(message));
  byId("older").hidden = !found.more;
  dressMentions(byId("list"));
  channelPane.scroll.scrollTop += channelPane.scroll.scrollHeight - height;
}

async function openThread(id, focus) {
  const last = open.thread;
  open.thread = id;
  byId("thread").hidden = !id;
  document.body.classList.toggle("with-thread", Boolean(id));
  if (!id) {
    threadPane.clear();
    if (focus && last) channelPane.messages.get(last)?.element.querySelector(".replies")?.focus();
    return;
  }
  byId("thread-notices").replaceChildren();
  threadPane.clear({ fromStart: true });
  try {
    const found = await get(`/api/messages?thread=${id}`);
    if (open.thread !== id) return;
    found.messages.forEach(putInThread);
    dressMentions(byId("replies"));
  } catch (error) {
    byId("thread-notices").replaceChildren(failure(error, () => openThread(id, focus)));
  }
  if (focus) byId("thread-scroll").focus({ preventScroll: true });
}

/** Shows a message of the open thread; the thread is called what its first message is called now. */
function putInThread(message) {
  const shown = threadPane.put(message);
  if (shown !== "same" && message.thread === null) byId("thread-where").textContent = message.title;
  return shown;
}

function showChannels(channels) {
  byId("channels").replaceChildren(
    ...channels.map((channel) => {
      const link = make("a", { href: address(channel) }, channel);
      link.dataset.channel = channel;
      if (channel === open.channel) link.setAttribute("aria-current", "page");
      if (unread.has(channel)) link.append(make("span", { className: "unread" }, make("span", { className: "unseen" }, " (new messages)")));
      return make("li", {}, link);
    }),
  );
}

const channels = () => [...byId("channels").querySelectorAll("[data-channel]")].map((link) => link.dataset.channel);

function welcome() {
  byId("welcome").hidden = byId("list").childElementCount > 0;
}

// --- what comes in ---------------------------------------------------------------------------------------------------------

function arrived(message) {
  if (!channels().includes(message.channel)) showChannels([...channels(), message.channel]);
  if (message.channel !== open.channel) {
    if (!unread.has(message.channel)) {
      unread.add(message.channel);
      showChannels(channels());
    }
    return;
  }
  const inThread = message.thread !== null;
  if (inThread) reply(message);
  else if (channelPane.put(message) === "new") {
    isNew(channelPane, message);
    if (Date.now() - started < SOON) own.add(message.id);
    if (message.replies) showOwn(message.id);
  }
  if (open.thread === (message.thread ?? message.id)) {
    if (putInThread(message) === "new" && inThread) isNew(threadPane, message);
  }
  welcome();
  dressMentions(document);
}

function isNew(pane, message) {
  if (pane === threadPane && clicks.wanted()) pane.follow(pane.messages.get(message.id).element);
  else pane.noteNew(message.id);
  announce(message.text || message.title);
}

/** The root shows how many replies it has. */
function reply(message) {
  const root = channelPane.messages.get(message.thread);
  if (!root) return;
  channelPane.link(message.thread, root.element, message.replies);
  showOwn(message.thread);
}

/** A command or an action is on its way. */
function sends(what) {
  if (STARTS.test(what)) started = Date.now();
}

/** The thread of one's own deployment opens by itself where there is room; and always in place of another, whose items
 *  are not those of this one. */
function showOwn(id) {
  if (!own.has(id)) return;
  started = 0; // the next one is somebody else's
  own.clear();
  if (!open.thread && !WIDE.matches) return;
  quietly = true;
  go(open.channel, id);
}

function connection(ok) {
  byId("connection").textContent = ok ? "" : "Reconnecting…";
}

/** Mentions of the roles one holds stand out. */
function dressMentions(root) {
  const roles = persona.selectedOptions[0].dataset.roles.split(" ");
  for (const mention of root.querySelectorAll(".mention")) mention.classList.toggle("mine", roles.includes(mention.dataset.role));
}

// --- what one says ---------------------------------------------------------------------------------------------------------

async function say(text) {
  const who = persona.selectedOptions[0].dataset.name;
  const answer = make("div", { className: "answer" }, make("p", { className: "waiting" }, "gonogo is working on it…"));
  const line = make(
    "li",
    { className: "message typed" },
    face(who),
    make("div", { className: "main" }, make("p", { className: "meta" }, make("b", {}, who), make("time", {}, time(stage.now().toISOString()))), make("p", { className: "line" }, text), answer),
  );
  line.dataset.posted = stage.now().toISOString();
  channelPane.append(line);
  channelPane.days();
  welcome();
  const ask = { key: newKey(), persona: me(), channel: open.channel, text };
  sends(text);
  await send(ask, answer, line);
}

async function send(ask, answer, line) {
  try {
    const told = await post("/api/command", ask);
    answer.replaceChildren();
    if (told.card) {
      answer.append(privately(told.card, { onDismiss: () => (line.remove(), welcome(), byId("say").focus()) }));
      announce(`Only visible to you: ${told.text}`);
    }
    if (told.form) forms.open(told.form, { channel: ask.channel, place: byId("notices"), opener: byId("say") });
  } catch (error) {
    answer.replaceChildren(failure(error, () => send(ask, answer, line)));
  }
  channelPane.grown(line);
}

function face(name) {
  const avatar = make("span", { className: `avatar face tint-${name.charCodeAt(0) % 6}`, ariaHidden: "true" }, name[0]);
  return avatar;
}

function become() {
  sessionStorage.setItem("persona", persona.value);
  byId("me").replaceWith(Object.assign(face(persona.selectedOptions[0].dataset.name), { id: "me" }));
  dressMentions(document);
}

// --- start -------------------------------------------------------------------------------------------------------------------

function closeRail() {
  document.body.classList.remove("with-rail");
  byId("rail-toggle").setAttribute("aria-expanded", "false");
}

byId("rail-toggle").addEventListener("click", () => {
  byId("rail-toggle").setAttribute("aria-expanded", String(document.body.classList.toggle("with-rail")));
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // its address would be a channel's
  byId("say").focus();
});
byId("older").addEventListener("click", older);
byId("thread-close").addEventListener("click", () => go(open.channel));
byId("welcome").addEventListener("click", (event) => {
  const fill = event.target.closest("[data-fill]");
  if (fill) composer.fill(fill.dataset.fill);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && !byId("dialog").open && byId("thread").contains(event.target)) go(open.channel);
});
persona.addEventListener("change", become);
addEventListener("hashchange", follow);

persona.value = sessionStorage.getItem("persona") ?? persona.value;
if (persona.selectedIndex < 0) persona.selectedIndex = 0;
become();
load();
