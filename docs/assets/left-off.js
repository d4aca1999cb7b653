/* The home page offers to go on where the reader stopped: which chapter, which section. The place is
   kept in the browser alone, and where that is refused nothing is offered. */
(() => {
  "use strict";
  const KEY = "learning-from-mistakes.left-off";

  const lastPassed = () =>
    [...document.querySelectorAll(".md-content h2[id]")]
      .filter((heading) => heading.getBoundingClientRect().top < innerHeight / 2).pop();

  const text = (heading) => {
    const copy = heading.cloneNode(true);
    copy.querySelectorAll(".headerlink, .katex-mathml").forEach((part) => part.remove());
    return copy.textContent.trim();
  };

  const keep = () => {
    const section = lastPassed();
    const place = {
      address: location.pathname + (section ? `#${section.id}` : ""),
      chapter: text(document.querySelector(".md-content h1")),
      section: section ? text(section) : "",
    };
    try {
      localStorage.setItem(KEY, JSON.stringify(place));
    } catch { /* refused */ }
  };

  const offer = (line) => {
    let place = null;
    try {
      place = JSON.parse(localStorage.getItem(KEY));
    } catch { /* refused */ }
    if (!place) return;
    const link = document.createElement("a");
    link.href = place.address;
    link.textContent = place.section ? `${place.chapter} · ${place.section}` : place.chapter;
    line.append("You left off at ", link);
    line.hidden = false;
  };

  const line = document.querySelector("#left-off");
  if (line) offer(line);
  else if (document.querySelector(".md-content .question")) addEventListener("pagehide", keep);
})();
