/* Make one book of the pages that stand one after another in the document. `site` is the address of
   the site, for what is not in the book; HOST is that of the document. */
(site) => {
  "use strict";
  const HOST = location.host;
  const pages = [...document.querySelectorAll("[data-page]")];
  const paths = new Set(pages.map((page) => page.dataset.page));
  const contents = document.querySelector(".contents");
  const answers = document.querySelector(".answers");

  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  /* A link that is followed by the number of the page it leads to. */
  const pointer = (id, ...children) =>
    element("a", { href: `#${id}`, className: "pointer" }, ...children);

  /* An id is unique in the book because its page's address is a part of it. */
  const anchor = (path, id) => path + (id || "top");

  const addressInBook = (href, path) => {
    const target = new URL(href, `${location.origin}/${path}`);
    const file = target.pathname.slice(1);
    if (target.host !== HOST) return href;
    if (paths.has(file)) return `#${anchor(file, target.hash.slice(1))}`;
    return site + file + target.hash;
  };

  const renameIds = (page) => {
    const path = page.dataset.page;
    page.id = anchor(path);
    for (const named of page.querySelectorAll("[id]")) named.id = anchor(path, named.id);
    for (const link of page.querySelectorAll("a[href]")) {
      link.setAttribute("href", addressInBook(link.getAttribute("href"), path));
    }
    for (const drawn of page.querySelectorAll("svg *")) {
      for (const attribute of drawn.attributes) {
        attribute.value = attribute.value.replace(/^#(?=[a-z][\w-]*-)|(?<=url\(#)/, (mark) => mark + path);
      }
    }
  };

  /* A chapter's title stands below that of its part, and so do the headings below it. */
  const lowerHeadings = (page) => {
    for (const heading of page.querySelectorAll("h1, h2, h3, h4, h5")) {
      const lower = element(`h${Number(heading.tagName[1]) + 1}`, {}, ...heading.childNodes);
      for (const { name, value } of heading.attributes) lower.setAttribute(name, value);
      heading.replaceWith(lower);
    }
  };

  /* What is folded under an exercise goes to the end of the book; two links lead there and back. */
  const gatherAnswers = (page) => {
    const exercises = page.querySelectorAll(".exercise:has(details)");
    if (exercises.length) answers.append(element("h2", {}, ...page.querySelector("h2").cloneNode(true).childNodes));
    for (const exercise of exercises) {
      const title = exercise.querySelector("strong").textContent;
      const number = exercise.querySelector(".number").id;
      const id = `answer-${number}`;
      answers.append(element("h3", { id }, pointer(number, title)));
      exercise.querySelector("details").before(element("p", { className: "to-answer" }, pointer(id, "Hint and solution")));
      for (const folded of exercise.querySelectorAll("details")) {
        const kind = folded.querySelector("summary");
        kind.remove();
        answers.append(element("p", { className: "kind" }, ...kind.childNodes), ...folded.childNodes);
        folded.remove();
      }
    }
  };

  /* The outline loses the space where a title is broken into lines, but not one that does not break. */
  const keepSpaces = (title) => {
    const texts = document.createTreeWalker(title, NodeFilter.SHOW_TEXT);
    const found = [];
    while (texts.nextNode()) found.push(texts.currentNode);
    for (const text of found) {
      const words = text.data.replaceAll(/\s+/g, "\u00a0\n").split("\n");
      text.replaceWith(...words.flatMap((word) => [word, document.createElement("wbr")]));
    }
  };

  const listContents = () => {
    for (const title of document.querySelectorAll("h1, [data-page] > h2")) {
      const kind = title.tagName === "H1" ? "part-line" : "chapter-line";
      const link = pointer(title.parentElement.id, ...title.cloneNode(true).childNodes);
      contents.append(element("p", { className: kind }, link));
    }
  };

  /* Each chapter's pages say at their head which they are. */
  const nameHeads = () => {
    const rules = pages.map((page, i) => {
      page.style.page = `chapter-${i}`;
      const title = JSON.stringify(page.querySelector("h2").innerText);
      return `@page chapter-${i} { @top-left { content: ${title} } }`;
    });
    document.head.append(element("style", {}, rules.join("\n")));
  };

  for (const useless of document.querySelectorAll(".page-links, .headerlink, .play, script")) useless.remove();
  for (const box of document.querySelectorAll("details")) box.open = true;
  for (const page of pages) {
    renameIds(page);
    lowerHeadings(page);
    gatherAnswers(page);
  }
  listContents();
  nameHeads();
  document.querySelectorAll("h1, h2, h3").forEach(keepSpaces);
  for (const { hash } of document.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(decodeURIComponent(hash.slice(1)))) throw new Error(`${hash} is nowhere`);
  }
}
