/* Draws a graph of Values: on each edge the number that goes forward (blue, above) and the gradient that has
   come back (orange, below), under each node the shares that it has received. */
import { svg, told } from "./kit.js";
import { layered } from "./layers.js";
import { sweep, total, usesOf } from "./values.js";

const SIGNS = { "*": "×", "-": "−" };

/* At most four significant digits, without zeros at the end. */
export function brief(number) {
  if (!Number.isFinite(number)) return told(number);
  const size = Math.abs(number), isFar = size !== 0 && (size < 1e-4 || size >= 1e6);
  const text = isFar ? number.toExponential(3).replace(/\.?0*e\+?/, "e") : String(Number(number.toPrecision(4)));
  return text.replaceAll("-", "−");
}

const added = (shares) => shares.map(brief).join(" + ").replaceAll("+ −", "− ");
export const sumOf = (shares) => (shares.length > 1 ? `${added(shares)} = ` : "") + brief(total(shares));

const signOf = ({ sign, data, name }) => (sign ? SIGNS[sign] ?? sign.replace("-", "−") : name || brief(data));

/* How a Value is spoken of. */
export const called = (value) => value.name || (value.sign ? `the ${signOf(value)} that gave ${brief(value.data)}` : brief(value.data));

/* What stands below a node: the shares that have come, and their sum once no more are to come. */
function balance(shares, uses) {
  if (shares.length === 0) return [];
  const short = added(shares).length > 11 ? `${shares.length} shares` : added(shares);
  if (shares.length < uses) return [`${short} + …`];
  return shares.length > 1 ? [short, `= ${brief(total(shares))}`] : [short];
}

/* Columns as far apart as the longest number needs, and further where there is room. */
function placesIn(width, output) {
  const { places, way } = layered(output.history(), ({ edges }) => edges.map(([parent]) => parent));
  const all = [...places.values()], rows = all.map(([, r]) => r), top = Math.min(...rows);
  const nSteps = Math.max(1, ...all.map(([column]) => column));
  const numbers = [...output.history().map(({ data }) => data), ...[...sweep(output).passed.values()].flat()];
  const least = 44 + 6.1 * Math.max(...numbers.map((number) => brief(number).length));
  const step = Math.max(least, Math.min(150, (width - 104) / nSteps)), tall = step < 110 ? 104 : 92;
  const at = ([column, r]) => [34 + column * step, 44 + (r - top) * tall];
  return {
    place: (value) => at(places.get(value)),
    way: (parent, value) => way(parent, value).map(at),
    width: Math.max(width, 104 + step * nSteps), height: (Math.max(...rows) - top) * tall + 104,
  };
}

const word = (x, y, text, className, data = {}) => svg("text", { x, y, class: `halo ${className}`, "text-anchor": "middle", ...data }, text);

const labels = ([x, y], forward, gradient) => [
  word(x, y - 4, brief(forward), "forward", { "data-forward": forward }),
  ...(gradient === undefined ? [] : [word(x, y + 13, brief(gradient), "gradient", { "data-back": gradient })]),
];

/* The line of an edge through points, and the place of its numbers: near the start where other edges leave
   it, so that crossing edges keep theirs apart. Two edges between the same nodes bend. */
function course(points, bend, isFork, longest) {
  const [[a, b], [c, d]] = points;
  const part = isFork && !bend ? Math.min(0.5, Math.max(0.34, (22 + 3.1 * longest) / (c - a))) : 0.5;
  const line = bend ? `M${a},${b}Q${(a + c) / 2},${(b + d) / 2 + bend} ${c},${d}` : `M${points.map((point) => point.join()).join("L")}`;
  return { line, middle: [a + part * (c - a), b + part * (d - b) + bend / 2] };
}

function edgesOf(value, { way }, { passed }, uses, isActive) {
  const className = `edge${passed.has(value) ? " returned" : ""}${isActive ? " active" : ""}`;
  return value.edges.map(([parent], i) => {
    const bend = value.left === value.right ? 88 * i - 44 : 0, back = passed.get(value)?.[i];
    const longest = Math.max(...[parent.data, back ?? 0].map((number) => brief(number).length));
    const { line, middle } = course(way(parent, value), bend, uses.get(parent) > 1, longest);
    return [svg("path", { class: className, d: line }), ...labels(middle, parent.data, back)];
  });
}

function node(value, [x, y], shares, uses, isActive) {
  const sign = signOf(value), half = Math.max(16, 4 * sign.length + 6);
  return [
    svg("rect", {
      class: `node${isActive ? " active" : ""}`, x: x - half, y: y - 16, width: 2 * half, height: 32, rx: value.sign ? 16 : 3,
      "data-value": value.data, "data-gradient": total(shares),
    }),
    word(x, y + 4, sign, ""),
    ...(value.sign && value.name ? [word(x, y - 22, value.name, "fresh")] : []),
    ...balance(shares, uses).map((text, i) => word(x, y + 31 + 14 * i, text, "gradient fresh")),
  ];
}

/* The graph of an output with what `sweep` has done so far; `active` has been the last to pass on. */
export function drawGraph(room, output, done, active) {
  const order = output.history(), uses = usesOf(output), places = placesIn(room, output), { place, width, height } = places;
  const edges = order.flatMap((value) => edgesOf(value, places, done, uses, value === active));
  const [x, y] = place(output), received = (value) => done.received.get(value);
  const told = order.map((value) => `${called(value)}: ${brief(value.data)}, gradient ${sumOf(received(value))}`);
  return svg("svg", { class: "canvas", viewBox: `0 0 ${width} ${height}`, style: `width: ${width}px`, role: "img", "aria-label": `The graph so far. ${told.join("; ")}` },
    ...edges.map(([line]) => line), svg("path", { class: "edge returned", d: `M${x},${y}h56` }),
    ...edges.flatMap(([, ...numbers]) => numbers), ...labels([x + 44, y], output.data, 1),
    ...order.flatMap((value) => node(value, place(value), received(value), uses.get(value) || 1, value === active)));
}
