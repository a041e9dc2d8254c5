// The menu's sheets close when something else is meant. What is in them comes from the server.
"use strict";

const sheets = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const sheet of sheets()) if (!sheet.contains(event.target)) sheet.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const sheet of sheets()) {
      sheet.open = false;
      sheet.querySelector("summary").focus();
    }
  }
  if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    document.getElementById("finder").open = true;
    document.getElementById("find-name").focus(); // now: the next key may come before the event that tells of the opening
  }
});

document.addEventListener("toggle", (event) => {
  if (event.target.id === "finder" && event.target.open) document.getElementById("find-name").focus();
}, true);

// The chat: Enter sends and Shift+Enter is a new line, Escape closes, what was sent leaves the field. The conversation itself
// comes from the server, over the WebSocket of htmx's extension.
(() => {
  const chat = () => document.getElementById("chat");
  const field = () => document.getElementById("chat-text");

  document.addEventListener("keydown", (event) => {
    const within = event.target instanceof Element && event.target.closest("#chat");
    if (!within) return;
    if (event.key === "Escape" && chat().open) {
      chat().open = false;
      chat().querySelector("summary").focus();
    }
    if (event.target === field() && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (field().value.trim()) field().form.requestSubmit();
    }
  });

  document.addEventListener("toggle", (event) => {
    if (event.target === chat() && chat().open && field()) field().focus();
  }, true);

  document.addEventListener("htmx:wsAfterSend", (event) => {
    if (event.target.id === "chat-form") event.target.reset();
  });
})();
