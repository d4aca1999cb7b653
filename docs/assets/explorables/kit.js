/* What the figures to play with are made of: elements, controls, numbers read off, a plot. */

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export const html = (tag, attributes = {}, ...children) =>
  filled(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS(SVG, tag), attributes, children);

/* A number for people: so many significant digits, a true minus, powers of ten where it is far from 1. */
export function told(number, digits = 4) {
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "not a number" : number > 0 ? "∞" : "−∞";
  if (number === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(number)));
  const text = size < -4 || size > 6
    ? number.toExponential(digits - 1).replace("e+", "e")
    : number.toFixed(Math.max(0, digits - 1 - size));
  return text.replaceAll("-", "−");
}

/* A labelled range input; `change` is called with each new number. Its `set` moves it from outside. */
export function slider({ label, min, max, step, value, show = (v) => told(v, 3), change }) {
  const input = html("input", { type: "range", min, max, step, value });
  const text = html("span", { class: "value", "aria-hidden": "true" });
  const tell = () => {
    text.textContent = show(input.valueAsNumber);
    input.setAttribute("aria-valuetext", text.textContent);
  };
  input.addEventListener("input", () => { tell(); change(input.valueAsNumber); });
  tell();
  const element = html("div", { class: "control" }, html("label", {}, html("span", {}, label), input), text);
  return { element, set(number) { input.valueAsNumber = number; tell(); } };
}

/* A labelled choice among texts; `change` is called with the index of the one chosen. */
export function choice({ label, options, value = 0, change }) {
  const select = html("select", {}, ...options.map((text) => html("option", {}, text)));
  select.selectedIndex = value;
  select.addEventListener("change", () => change(select.selectedIndex));
  return { element: html("div", { class: "control" }, html("label", {}, html("span", {}, label), select)) };
}

export function button(label, press) {
  const made = html("button", { type: "button" }, label);
  made.addEventListener("click", press);
  return made;
}

/* A number that people see rounded; its element keeps every digit in its `value`. */
export function shown(digits = 4) {
  const element = html("data");
  return {
    element,
    set(number) { element.value = String(number); element.textContent = told(number, digits); },
  };
}

/* The same with a label before it. */
export function readout(label, digits = 4) {
  const { element, set } = shown(digits);
  return { element: html("div", { class: "readout" }, html("span", {}, label), element), set };
}

/* A sentence on the state of things, read out by screen readers when it changes. */
export const remark = () => html("p", { class: "remark", role: "status" });

export const row = (className, ...elements) => html("div", { class: className }, ...elements);

const round = (number) => Math.round(number * 100) / 100;

/* Ticks at round numbers inside a range. */
export function ticks([low, high], most = 6) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/* Axes over two ranges. `x` and `y` turn numbers into places; what is drawn goes into `marks`.
   Drawn as wide as its stage, so that its letters have the size of the text; `xShow` and `yShow` write
   the ticks, which on a logarithmic axis are exponents. */
export function plot(stage, { label, xRange, yRange, xLabel, yLabel, width = stage.clientWidth, height = 280, xTicks, yTicks, xShow = (v) => told(v, 2), yShow = xShow }) {
  const left = 52, right = width - 12, top = 12, bottom = height - 40;
  const x = (v) => round(left + (v - xRange[0]) / (xRange[1] - xRange[0]) * (right - left));
  const y = (v) => round(bottom - (v - yRange[0]) / (yRange[1] - yRange[0]) * (bottom - top));
  const axes = svg("g", { class: "axes", "aria-hidden": "true" },
    svg("path", { d: `M${left},${top}V${bottom}H${right}` }),
    ...(xTicks ?? ticks(xRange)).map((v) => svg("text", { x: x(v), y: bottom + 16, "text-anchor": "middle" }, xShow(v))),
    ...(yTicks ?? ticks(yRange, 4)).map((v) => svg("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end" }, yShow(v))),
    svg("text", { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, xLabel),
    svg("text", { x: 12, y: (top + bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${(top + bottom) / 2})` }, yLabel));
  const marks = svg("g", {});
  const frame = svg("svg", { x: left, y: top, width: right - left, height: bottom - top, viewBox: `${left} ${top} ${right - left} ${bottom - top}` }, marks);
  const element = svg("svg", { class: "canvas", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, axes, frame);
  const place = (event) => {
    const box = element.getBoundingClientRect();
    const px = (event.clientX - box.left) / box.width * width, py = (event.clientY - box.top) / box.height * height;
    return [
      xRange[0] + (px - left) / (right - left) * (xRange[1] - xRange[0]),
      yRange[0] + (bottom - py) / (bottom - top) * (yRange[1] - yRange[0]),
    ];
  };
  return { element, marks, x, y, place };
}

/* The line through points given as pairs of numbers of the plot's own scales. */
export const line = ({ x, y }, points, className) =>
  svg("path", { class: className, d: points.map(([u, v], i) => `${i ? "L" : "M"}${x(u)},${y(v)}`).join("") });

export const dot = ({ x, y }, [u, v], className, r = 4) =>
  svg("circle", { class: className, cx: x(u), cy: y(v), r });

/* Call `moved` with the numbers under the pointer while it is held down on a plot. */
export function dragging(canvas, moved) {
  const { element, place } = canvas;
  element.classList.add("draggable");
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    moved(...place(event));
  });
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId)) moved(...place(event));
  });
}

/* Something that goes on by itself: a button that calls `step` until it returns false or is pressed
   again. Where motion is unwelcome, a press takes one step. */
export function player(label, step, milliseconds = 250) {
  const unmoved = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let timer = 0;
  const stop = () => { clearInterval(timer); timer = 0; control.textContent = label; };
  const control = button(label, () => {
    if (timer) return stop();
    if (step() === false || unmoved) return;
    timer = setInterval(() => step() === false && stop(), milliseconds);
    control.textContent = "Pause";
  });
  return { element: control, stop };
}
