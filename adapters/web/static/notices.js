// Answers that only their author sees, and what went wrong.

import { make } from "/static/pane.js";

/** An answer as the server drew it, with a way to dismiss it. */
export function privately(html, { onDismiss } = {}) {
  const close = make("button", { type: "button", className: "icon close", ariaLabel: "Dismiss" });
  const content = make("div", { className: "content" });
  content.innerHTML = html;
  const element = make("div", { className: "private" }, make("p", { className: "only" }, "Only visible to you"), close, content);
  close.addEventListener("click", () => {
    element.remove();
    onDismiss?.();
  });
  return element;
}

/** A sentence, and a button that tries the same delivery again. */
export function failure(error, retry) {
  const element = make("div", { className: "failed", role: "alert" }, make("p", {}, error.message));
  if (error.again && retry) {
    const again = make("button", { type: "button", className: "button" }, "Try again");
    again.addEventListener("click", () => {
      element.remove();
      retry();
    });
    element.append(again);
  }
  const close = make("button", { type: "button", className: "icon close", ariaLabel: "Dismiss" });
  close.addEventListener("click", () => element.remove());
  element.append(close);
  return element;
}

/** Reads a sentence out to people who do not see the page. */
export function announce(sentence) {
  const news = document.getElementById("news");
  news.textContent = "";
  requestAnimationFrame(() => (news.textContent = sentence));
}
