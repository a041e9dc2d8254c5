// What plugins written for upstream count on in the browser: their scripts, the run's key, and the events that their answers
// name in HX-Trigger. Loaded before the first card. docs/host-contract.md says what each does.
"use strict";

(() => {
  // Scripts that a plugin sends run only with this page's nonce; the server puts it on those that are the plugin's own.
  const nonce = document.currentScript.nonce;

  document.addEventListener("htmx:configRequest", (event) => {
    const { headers, parameters, path } = event.detail;
    headers["X-Page-Nonce"] = nonce;
    // htmx.ajax() of a script has no element, and so does not inherit the key that the container of the run carries
    const container = document.querySelector("[id$='-container'][hx-vals]");
    const app = container && container.id.slice(0, -"-container".length);
    if (!app || !path.startsWith(`/${app}/`) || path === `/${app}/init`) return;
    if (!parameters.pipeline_id) parameters.pipeline_id = JSON.parse(container.getAttribute("hx-vals")).pipeline_id;
  });

  // HX-Trigger fires before the answer is on the page: what an event asks for is done as soon as it is.
  const waiting = new Set();
  const LATEST = 400; // milliseconds, for answers that are not put on the page

  function afterwards(work) {
    const once = () => waiting.delete(once) && work();
    waiting.add(once);
    setTimeout(once, LATEST);
  }
  document.addEventListener("htmx:afterSettle", () => [...waiting].forEach((once) => once()));

  function on(name, work) {
    document.addEventListener(name, (event) => {
      const detail = event.detail || {};
      afterwards(() => {
        const target = document.getElementById(detail.targetId || detail.widgetId);
        if (target) work(target, detail);
      });
    });
  }

  async function rendered(kind, values) {
    const answer = await fetch(`/render/${kind}`, { method: "POST", body: new URLSearchParams(values) });
    return answer.ok ? answer.text() : null;
  }

  // Code gets its colours from the server.
  on("initializePrism", (target) => {
    for (const code of target.querySelectorAll("pre code:not([data-shown])")) {
      code.dataset.shown = "";
      const named = /\blang(?:uage)?-([\w+#-]+)/.exec(`${code.className} ${code.parentElement.className}`);
      rendered("code", { text: code.textContent, language: named ? named[1] : "" }).then((html) => {
        if (html === null) return;
        code.parentElement.classList.add("highlight");
        code.innerHTML = html;
      });
    }
  });

  // So does Markdown, which comes back cleaned of everything that could act.
  on("initializeMarked", (target) => {
    if (target.dataset.shown !== undefined) return;
    target.dataset.shown = "";
    rendered("markdown", { text: target.textContent }).then((html) => {
      if (html === null) return;
      target.classList.add("markdown-body", "markdown");
      target.style.whiteSpace = "normal";
      target.innerHTML = html;
    });
  });

  // There is no Mermaid here (3 MB of script): the server draws flowcharts, other diagrams are shown as the text they are.
  on("renderMermaid", (target, detail) => {
    const source = String(detail.diagram ?? target.textContent).trim();
    const figure = document.createElement("figure");
    const text = document.createElement("pre");
    figure.className = "mermaid";
    text.textContent = source;
    text.tabIndex = 0;
    figure.append(text);
    target.replaceChildren(figure);
    rendered("diagram", { text: source }).then((svg) => {
      if (!svg) return;
      const fold = document.createElement("details");
      const name = document.createElement("summary");
      name.textContent = "As text";
      fold.append(name, text);
      figure.innerHTML = svg;
      figure.append(fold);
    });
  });

  // A plugin's code for a widget, often typed by a user, runs in a frame that cannot reach the page, the server or the network.
  on("runJavaScript", (target, detail) => {
    const frame = document.createElement("iframe");
    frame.title = "Widget";
    frame.className = "script-frame";
    frame.setAttribute("sandbox", "allow-scripts");
    const id = JSON.stringify(String(detail.widgetId ?? "widget")).replaceAll("<", "\\u003c");
    const code = JSON.stringify(String(detail.code ?? "")).replaceAll("<", "\\u003c");
    const tell = "parent.postMessage({ pipulateFrame: document.body.getBoundingClientRect().height + 2 }, '*')";
    frame.srcdoc = `<!doctype html><meta name="color-scheme" content="light dark">
      <style>
        body { margin: 0; padding: 10px 12px; font: 16px/1.6 system-ui, sans-serif; overflow-wrap: anywhere }
        pre { margin: 0; white-space: pre-wrap }
      </style><div id="root"></div>
      <script nonce="${nonce}">
        const widget = document.getElementById("root");
        widget.id = ${id};
        new ResizeObserver(() => ${tell}).observe(document.body);
        addEventListener("error", (event) => { widget.append(Object.assign(document.createElement("pre"), { textContent: event.message })); });
        const script = document.createElement("script");
        script.nonce = document.currentScript.nonce;
        script.textContent = "(function (widget) {" + ${code} + "\\n})(document.getElementById(" + JSON.stringify(${id}) + "))";
        document.body.append(script);
      <\/script>`;
    target.replaceChildren(frame);
  });
})();
