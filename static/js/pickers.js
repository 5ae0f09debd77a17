/* Starts the editor's choosers and date fields from data: <template data-picker="name of the function or class">,
   and takes scripts and styles out of what is pasted; the server takes out the rest when it stores the text.
   The text field drops links without a host, so links to pages of ours get one; the server stores the path. */
(() => {
  "use strict";

  const start = (mark) => {
    if (mark.dataset.started) return;
    mark.dataset.started = "1";
    const maker = window[mark.dataset.picker];
    if (!maker) return;
    if (mark.dataset.arguments) {
      new maker(...JSON.parse(mark.dataset.arguments));
    } else {
      maker(mark.dataset.key, JSON.parse(mark.dataset.options));
    }
  };

  const startAll = (root) => {
    if (root.matches && root.matches("template[data-picker]")) start(root);
    root.querySelectorAll("template[data-picker]").forEach(start);
  };

  const begin = () => {
    startAll(document);
    new MutationObserver((changes) => {
      for (const change of changes) {
        for (const node of change.addedNodes) if (node.nodeType === 1) startAll(node);
      }
    }).observe(document.body, { childList: true, subtree: true });
  };

  const LEFT_OUT = /<(script|style|title|xml)\b[\s\S]*?<\/\1\s*>|<!--[\s\S]*?-->|<(?:meta|link)\b[^>]*>/gi;
  const DRESS = /\s(?:style|class|lang|on\w+)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+)/gi;

  const OURS = /(\shref\s*=\s*["']?)(?=\/(?!\/))/gi;

  const clean = (event) => {
    const html = event.clipboardData && event.clipboardData.getData("text/html");
    if (!html || !event.target.closest("[contenteditable]")) return;
    const plain = html.replace(LEFT_OUT, "").replace(/<[^>]*>/g, (tag) => tag.replace(DRESS, "").replace(OURS, `$1${location.origin}`));
    if (plain === html) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const data = new DataTransfer();
    data.setData("text/html", plain);
    data.setData("text/plain", event.clipboardData.getData("text/plain"));
    event.target.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  };
  document.addEventListener("paste", clean, true);

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
