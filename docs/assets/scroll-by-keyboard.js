/* What scrolls sideways, a wide formula or table, can be reached by the keyboard and scrolled with it. */
(() => {
  "use strict";
  const BOXES = ".arithmatex:has(> .katex-display), .md-typeset__scrollwrap, .md-typeset td, pre > code";

  const reach = ({ target }) => {
    if (target.scrollWidth > target.clientWidth + 1) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  };
  const sizes = new ResizeObserver((entries) => entries.forEach(reach));

  addEventListener("load", () => document.querySelectorAll(BOXES).forEach((box) => sizes.observe(box)));
})();
