// Rows of a list are put in order with the pointer or with arrow keys; the order itself is kept by the server, which is
// told which ids stand where. Without this script the buttons ↑ and ↓ do it.
"use strict";

(() => {
  let dragged = null;

  const handleOf = (event) => event.target instanceof Element && event.target.closest(".rows .handle");

  const rowsOf = (list) => [...list.children].filter((row) => row.dataset.id);

  document.addEventListener("pointerdown", (event) => {
    const handle = handleOf(event);
    if (!handle || event.button !== 0) return;
    const row = handle.closest(".row");
    dragged = { row, handle, list: row.parentElement, next: row.nextElementSibling, pointer: event.pointerId };
    handle.setPointerCapture(event.pointerId);
    row.toggleAttribute("data-dragged", true);
  });

  document.addEventListener("pointermove", (event) => {
    if (!dragged || event.pointerId !== dragged.pointer) return;
    const others = rowsOf(dragged.list).filter((row) => row !== dragged.row);
    const below = others.find((row) => {
      const box = row.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    });
    if (dragged.row.nextElementSibling !== (below || null)) dragged.list.insertBefore(dragged.row, below || null);
  });

  function drop(keep) {
    if (!dragged) return;
    const { row, list, next } = dragged;
    dragged = null;
    row.toggleAttribute("data-dragged", false);
    if (!keep) list.insertBefore(row, next);
    if (!keep || row.nextElementSibling === next) return;
    const order = rowsOf(list).map((each) => each.dataset.id).join(",");
    const options = { source: list, values: { order }, target: list.closest("section"), swap: "outerHTML" };
    htmx.ajax("POST", list.dataset.sort, options).catch(() => list.insertBefore(row, next));
  }

  document.addEventListener("pointerup", () => drop(true));
  document.addEventListener("pointercancel", () => drop(false));

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      drop(false);
      const editing = event.target instanceof Element && event.target.closest(".row.editing");
      if (editing) editing.querySelector("[data-cancel]").click();
      return;
    }
    const handle = handleOf(event);
    const way = { ArrowUp: "-1", ArrowDown: "1" }[event.key];
    if (!handle || !way) return;
    event.preventDefault();
    const row = handle.closest(".row");
    const ids = rowsOf(row.parentElement).map((each) => each.dataset.id);
    const from = ids.indexOf(row.dataset.id);
    const to = from + Number(way);
    if (to < 0 || to >= ids.length) return;
    ids.splice(to, 0, ids.splice(from, 1)[0]);
    const list = row.parentElement;
    const options = { source: list, values: { order: ids.join(",") }, target: list.closest("section"), swap: "outerHTML" };
    htmx.ajax("POST", list.dataset.sort, options).catch(() => {});
  });
})();
