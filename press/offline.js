/* A browser that opens a file from disk starts no worker from another file, and imports no module from
   one. So the search worker's source and the modules' stand here, and are handed over as if fetched. */
(worker, modules) => {
  "use strict";
  const address = (source) => URL.createObjectURL(new Blob([source], { type: "text/javascript" }));

  const Native = window.Worker;
  window.Worker = class extends Native {
    constructor() {
      super(address(worker));
    }
  };

  const script = (type, text) =>
    document.head.append(Object.assign(document.createElement("script"), { type, textContent: text }));

  const named = Object.entries(modules).map(([name, source]) => [name, address(source)]);
  script("importmap", JSON.stringify({ imports: Object.fromEntries(named) }));
  addEventListener("DOMContentLoaded", () => script("module", 'import "explorables/load.js"'));
}
