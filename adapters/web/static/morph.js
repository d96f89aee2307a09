// Makes a piece of the page say something new by touching only what differs: focus, scrolling, selections, open folds and
// menus, and buttons still at work stay as they are.

// What belongs to the person and not to the message.
const KEPT = new Set(["open", "aria-busy", "aria-disabled"]);

/** Turns the children of `element` into those of `html`, which the server made. */
export function morph(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  children(element, template.content);
}

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset.key : undefined);
const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

function children(from, to) {
  const keyed = new Map();
  for (const child of from.children) if (child.dataset.key) keyed.set(child.dataset.key, child);
  let here = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const twin = keyed.get(keyOf(wanted));
    if (twin && twin !== here && twin.nodeName === wanted.nodeName) {
      from.insertBefore(twin, here);
      here = twin;
    }
    if (here && alike(here, wanted)) {
      node(here, wanted);
      here = here.nextSibling;
    } else {
      from.insertBefore(wanted, here);
    }
  }
  while (here) {
    const next = here.nextSibling;
    here.remove();
    here = next;
  }
}

function node(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  if (from.isEqualNode(to)) return;
  // A button that now does something else is another button: it must not look busy with the old one's work.
  if (from.dataset.action !== to.dataset.action) for (const name of ["aria-busy", "aria-disabled"]) from.removeAttribute(name);
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && !KEPT.has(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) {
    if (!KEPT.has(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  if (from.nodeName === "PROGRESS") from.value = to.value;
  children(from, to);
}
