/* Beside each snippet's copy button, a second one: it copies the earlier snippets that this one
   needs, in their order, and then this one. */
(() => {
  "use strict";
  const ICON = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="m12 3 9 4.5-9 4.5-9-4.5zM3 12l9 4.5 9-4.5M3 16.5l9 4.5 9-4.5"/></svg>';

  const numbers = (snippet) => snippet.dataset.needs.split(" ").filter(Boolean);

  const source = (number) =>
    document.querySelector(`#snippet-${number} pre > code`).textContent.trimEnd();

  const whole = (snippet) =>
    [...numbers(snippet), snippet.id.replace("snippet-", "")].map(source).join("\n\n") + "\n";

  const label = (count) => {
    if (count === 0) return "Copy with what it needs (it needs no other snippet)";
    return `Copy with what it needs (${count} earlier ${count === 1 ? "snippet" : "snippets"})`;
  };

  const button = (snippet) => {
    const made = document.createElement("button");
    const count = numbers(snippet).length;
    made.type = "button";
    made.className = "copy-with-needs";
    made.title = label(count);
    made.setAttribute("aria-label", label(count));
    made.innerHTML = `${ICON}<span aria-hidden="true">+${count}</span>`;
    made.addEventListener("click", async () => {
      await navigator.clipboard.writeText(whole(snippet));
      window.alert$.next(`Copied ${count + 1} ${count === 0 ? "snippet" : "snippets"}`);
    });
    return made;
  };

  document.querySelector(".md-dialog").setAttribute("role", "status"); // it says what was copied
  addEventListener("load", () => { // Material has its buttons by then; what holds one is no landmark
    for (const nav of document.querySelectorAll(".md-code__nav")) nav.role = "presentation";
  });
  for (const snippet of document.querySelectorAll(".highlight[data-needs]")) {
    snippet.querySelector("pre:has(> code)").append(button(snippet));
  }
})();
