// What a page cannot do without a script: colours, the height of frames, and bringing the next question into view.
// Nothing is kept here; the server has it all.
"use strict";

// The theme is chosen and kept on the server; its answer says which.
document.addEventListener("theme", (event) => {
  document.documentElement.dataset.theme = event.detail.value;
});

// A sandboxed frame tells how high it is: {pipulateFrame: pixels}.
window.addEventListener("message", (event) => {
  const height = Number(event.data && event.data.pipulateFrame);
  if (!Number.isFinite(height) || height <= 0) return;
  for (const frame of document.querySelectorAll("iframe")) {
    if (frame.contentWindow === event.source) frame.style.height = `${Math.min(Math.ceil(height), 20000)}px`;
  }
});

// A slider's number follows it.
document.addEventListener("input", (event) => {
  const range = event.target;
  if (!(range instanceof HTMLInputElement) || range.type !== "range") return;
  const output = range.parentElement.querySelector("output");
  if (output) output.value = range.value;
});

// After an answer, the card that waits for the user comes into view and its first control gets the focus; when the run was
// locked that is its last card.
const WAITING = "[data-state=input], [data-state=question], [data-state=error], #finalize[data-state=locked]";
let answered = false;

document.addEventListener("htmx:beforeRequest", (event) => {
  const by = event.detail.requestConfig.triggeringEvent;
  if (by && (by.type === "submit" || by.type === "click")) answered = true;
});

document.addEventListener("htmx:load", (event) => {
  const added = event.detail.elt;
  if (!(added instanceof Element)) return;
  const card = added.matches(WAITING) ? added : added.querySelector(WAITING);
  // A running cell that asks takes the focus too, unless somebody uses it
  const asks = card && card.dataset.state === "question" && document.activeElement === document.body;
  if (!answered && !asks) return;
  if (!card || !card.closest(".run-cards, [id$='-container']")) return;
  answered = false;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const wrong = card.querySelector("[aria-invalid=true]");
  const invalid = wrong && wrong.matches("fieldset") ? wrong.querySelector("input") : wrong;
  const control = invalid || card.querySelector("input:not([type=hidden]), select, textarea, button");
  if (control) control.focus({ preventScroll: true });
  card.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "nearest" });
});

// While a request of a form is under way its button says so, and is not pressed twice.
document.addEventListener("htmx:beforeRequest", (event) => setBusy(event.detail.elt, true));
document.addEventListener("htmx:afterRequest", (event) => setBusy(event.detail.elt, false));

function setBusy(element, busy) {
  if (!(element instanceof HTMLFormElement) || element.dataset.calm) return; // the focus stays on what was pressed
  for (const button of element.querySelectorAll("button[type=submit]")) {
    button.disabled = busy;
    button.toggleAttribute("data-busy", busy);
  }
}

// The server cannot be reached: say so, calmly, and say when it is back.
document.addEventListener("htmx:sendError", () => document.body.toggleAttribute("data-offline", true));
document.addEventListener("htmx:afterOnLoad", () => document.body.toggleAttribute("data-offline", false));

// A card that loads by itself, or looks whether its cells are done, asks only once. When there was no server to hear it, it
// asks again until there is one: for the card as it stands, so that nothing is started twice.
const AGAIN = 2000; // milliseconds
document.addEventListener("htmx:sendError", (event) => {
  const card = event.detail.elt;
  if (!/\bload\b/.test(card.getAttribute("hx-trigger") || "")) return;
  const post = card.getAttribute("hx-post");
  const path = card.getAttribute("hx-get") || post.replace(/_submit$/, "");
  const options = { source: card, target: card, swap: card.getAttribute("hx-swap") || "innerHTML" };
  setTimeout(() => {
    if (card.isConnected) htmx.ajax(path === post ? "POST" : "GET", path, options).catch(() => {});
  }, AGAIN);
});

// The same file can be dropped again, after it was changed: a control that still holds it would not notice.
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (form instanceof HTMLFormElement && form.matches(".port > form")) form.reset();
});
