/* An expression of the reader's own as a graph of Values, with what goes forward on every edge and what
   comes back, one node's gradient passed on at a time. Chapters 7 and 15. */
import { button, html, remark, row } from "./kit.js";
import { Unclear, read } from "./formula.js";
import { brief, called, drawGraph, sumOf } from "./graph.js";
import { sweep, total, usesOf } from "./values.js";

const MOST_NODES = 60;
const NEW_NUMBERS = [2, 3, -1, 0.5];

const parentsOf = ({ edges }) => edges.map(([parent]) => parent);
const sentence = (text) => text.replace(/^the /, "The ");

/* What the one that has just passed on had, gave, and left waiting. */
function story(output, { received }, active) {
  if (!active) return `The value is ${brief(output.data)}, and its own gradient is 1. Now step backwards.`;
  const shares = received.get(active), gradient = total(shares), uses = usesOf(output);
  const has = shares.length > 1 ? `adds up ${sumOf(shares)} from its ${shares.length} uses` : `has ${brief(gradient)}`;
  const gave = active.edges.map(([parent, slope]) => `${brief(gradient)} · ${brief(slope)} = ${brief(gradient * slope)} to ${called(parent)}`);
  const waiting = [...new Set(parentsOf(active))].filter((parent) => received.get(parent).length < uses.get(parent));
  return sentence(`${called(active)} ${has}, and passes on ${gave.join(" and ")}.`)
    + (waiting.length ? ` Another use of ${waiting.map(called).join(" and of ")} has yet to deliver.` : "");
}

/* Where the formula is not understood, marked in it. */
const complaint = ({ message, start, end }, text) => [
  `At character ${start + 1}, ${message}: `,
  html("code", {}, text.slice(0, start), html("mark", {}, text.slice(start, end) || " "), text.slice(end)),
];

/* "a=2 b=3" as a map. */
const numbersIn = (text) => new Map(text.split(" ").map((pair) => pair.split("=")).map(([name, number]) => [name, Number(number)]));

export default function mount(stage, dataset) {
  const numbers = numbersIn(dataset.numbers), said = remark();
  const input = html("input", { type: "text", value: dataset.expression, maxlength: 200, spellcheck: "false", autocapitalize: "off", autocomplete: "off" });
  const form = html("form", { class: "control formula" }, html("label", {}, html("span", {}, "expression"), input), html("button", { type: "submit" }, "Draw it"));
  const fields = row("controls numbers"), box = html("div", { class: "scrolls", role: "group", "aria-label": "The graph" });
  let output, names, nPassed, nInner;

  function numberOf(name) {
    if (!numbers.has(name)) numbers.set(name, NEW_NUMBERS[names.size % NEW_NUMBERS.length]);
    names.add(name);
    return numbers.get(name);
  }

  function understood() {
    const found = read(input.value, numberOf), n = found.history().length;
    if (n <= MOST_NODES) return found;
    throw new Unclear(`${n} nodes are more than can be drawn here`, { start: 0, end: input.value.length });
  }

  /* Read the expression, with the numbers as they are now. */
  function compute() {
    names = new Set();
    try {
      output = understood();
    } catch (fault) {
      if (!(fault instanceof Unclear)) throw fault;
      output = undefined;
      said.replaceChildren(...complaint(fault, input.value));
    }
    input.setAttribute("aria-invalid", String(!output));
    nInner = output ? output.history().filter(({ left }) => left).length : 0;
    go(Math.min(nPassed, nInner));
  }

  /* Show the graph after so many nodes have passed on. */
  function go(to) {
    nPassed = to;
    undo.disabled = nPassed === 0;
    next.disabled = all.disabled = nPassed === nInner;
    box.replaceChildren();
    if (!output) return;
    const done = sweep(output, nPassed), active = [...done.passed.keys()].at(-1);
    const canvas = drawGraph(stage.clientWidth, output, done, active);
    box.append(canvas);
    if (canvas.viewBox.baseVal.width > stage.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
    said.textContent = story(output, done, active) + (active && nPassed === nInner ? " That was the last." : "");
  }

  const undo = button("Undo", () => go(nPassed - 1));
  const next = button("Step backwards", () => go(nPassed + 1));
  const all = button("To the end", () => go(nInner));

  function field(name) {
    const number = html("input", { type: "number", step: "any", value: numbers.get(name) });
    number.addEventListener("input", () => {
      if (Number.isNaN(number.valueAsNumber)) return;
      numbers.set(name, number.valueAsNumber);
      compute();
    });
    return html("label", {}, html("span", {}, name), number);
  }

  function begin() {
    nPassed = 0;
    compute();
    fields.replaceChildren(...[...names].map(field));
  }

  form.addEventListener("submit", (event) => { event.preventDefault(); begin(); });
  stage.append(form, fields, row("controls", undo, next, all), box, said);
  begin();
}
