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
  }
});

document.addEventListener("toggle", (event) => {
  if (event.target.id === "finder" && event.target.open) document.getElementById("find-name").focus();
}, true);
