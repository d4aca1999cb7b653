/* Material fetches the search index, the heaviest file of the site, and starts the search with every page.
   Here both wait until the reader turns to search. An address with `h` comes from a search, and its
   words are marked at once. */
(() => {
  "use strict";
  const asked = new Promise((resolve) => {
    if (new URLSearchParams(location.search).has("h")) resolve();
    addEventListener("focusin", ({ target }) => target.name === "query" && resolve());
  });

  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    open.call(this, method, url, ...rest);
    if (String(url).endsWith("/search_index.json")) this.send = () => asked.then(() => send.call(this));
  };

  const { Worker } = window;
  window.Worker = class extends EventTarget { // a worker that starts with the first message to it
    constructor(url) {
      super();
      this.start = () => {
        const worker = new Worker(url);
        worker.onmessage = ({ data }) => this.dispatchEvent(new MessageEvent("message", { data }));
        return worker;
      };
    }
    postMessage(message) {
      this.worker ??= this.start();
      this.worker.postMessage(message);
    }
  };
})();
