/* An activation above its slope, read off at a pre-activation of choice. Chapter 8. */
import { choice, dot, dragging, line, plot, readout, remark, row, slider, svg, told } from "./kit.js";
import { normalCdf, normalDensity } from "./normal.js";

const RANGE = [-6, 6];
const SLOPES = [-0.2, 1.2];
const SATURATED = 0.01; // the slope below which a unit is called saturated
const IN_A_ROW = 10;

const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const sigmoid = (z) => Math.exp(-softplus(-z));

/* Each `at` gives the activation and its slope. */
export const ACTIVATIONS = [
  { name: "sigmoid", range: [-0.2, 1.2], at(z) { const a = sigmoid(z); return [a, a * (1 - a)]; } },
  { name: "tanh", range: [-1.2, 1.2], at(z) { const a = Math.tanh(z); return [a, 1 - a ** 2]; } },
  { name: "ReLU", range: [-1, 6], at: (z) => [Math.max(z, 0), z > 0 ? 1 : 0] },
  { name: "leaky ReLU", range: [-1, 6], at: (z) => (z > 0 ? [z, 1] : [0.01 * z, 0.01]) },
  { name: "softplus", range: [-1, 6], at: (z) => [softplus(z), sigmoid(z)] },
  { name: "GELU", range: [-1, 6], at: (z) => [z * normalCdf(z), normalCdf(z) + z * normalDensity(z)] },
  { name: "identity", range: [-6, 6], at: (z) => [z, 1] },
];

/* How far the flat ends reach in: the first and the last z, in hundredths, that is not saturated. */
export function unsaturated({ at }) {
  const passes = (i) => Math.abs(at(i / 100)[1]) >= SATURATED;
  let low = 100 * RANGE[0], high = 100 * RANGE[1];
  while (!passes(low)) low++;
  while (!passes(high)) high--;
  return [low / 100, high / 100];
}

const xShow = (z) => told(z, 1), yShow = (v) => told(v, 2);

function verdict(slope) {
  const passes = told(Math.abs(slope), 3);
  if (slope === 0) return "Shut: nothing of the gradient passes.";
  if (slope < 0) return `The slope is negative: ${passes} of the gradient passes, with its sign turned round.`;
  if (slope < SATURATED) return `Saturated: only ${passes} of the gradient passes, less than a hundredth.`;
  if (slope > 1) return `${passes} of the gradient passes: it grows a little.`;
  if (slope === 1) return "All of the gradient passes.";
  return `${passes} of the gradient passes, ${told(slope ** IN_A_ROW, 2)} of it through ten such units in a row.`;
}

export default function mount(stage) {
  const state = { chosen: ACTIVATIONS[0], z: 2 };
  const grid = Array.from({ length: 481 }, (_, i) => RANGE[0] + i / 40);
  const said = remark();
  const numbers = {
    a: readout("activation a"), slope: readout("slope"), row: readout("slope to the tenth", 3),
    low: readout("saturated below z ="), high: readout("saturated above z ="),
  };
  const drawings = row("drawings");
  let above, below, still;

  /* The band of a plot in which the unit is saturated, its name turned where the band is narrow. */
  function band(canvas, [from, to], [bottom, top]) {
    const [left, right, y] = [canvas.x(from), canvas.x(to), canvas.y(top)];
    const middle = (left + right) / 2, turned = right - left > 70 ? "" : `rotate(-90 ${middle} ${y + 16}) translate(-38 4)`;
    return svg("g", {},
      svg("rect", { class: "band", x: left, y, width: right - left, height: canvas.y(bottom) - y }),
      svg("text", { x: middle, y: y + 16, "text-anchor": "middle", transform: turned }, "saturated"));
  }

  /* The axes, and what stays where it is while z moves. */
  function measure() {
    const { at, range, name } = state.chosen;
    above = plot(stage, {
      label: `The ${name} over the pre-activation`, height: 220, xRange: RANGE, yRange: range, xShow, yShow,
      xLabel: "", yLabel: "activation a",
    });
    below = plot(stage, {
      label: `The slope of the ${name} over the pre-activation`, height: 220, xRange: RANGE, yRange: SLOPES, xShow, yShow,
      xLabel: "pre-activation z", yLabel: "slope", yTicks: [0, 0.25, 0.5, 0.75, 1],
    });
    for (const canvas of [above, below]) dragging(canvas, (z) => move(Math.min(RANGE[1], Math.max(RANGE[0], z))));
    drawings.replaceChildren(above.element, below.element);
    const [low, high] = unsaturated(state.chosen);
    const ends = [[RANGE[0], low], [high, RANGE[1]]].filter(([from, to]) => from < to);
    const points = (which) => grid.map((z) => [z, at(z)[which]]);
    still = [[above, range], [below, SLOPES]].map(([canvas, limits], i) => [
      ...ends.map((end) => band(canvas, end, limits)),
      line(canvas, RANGE.map((z) => [z, 0]), "muted"),
      line(canvas, points(i), i ? "curve-2" : "curve"),
    ]);
    numbers.low.set(low > RANGE[0] ? low : -Infinity);
    numbers.high.set(high < RANGE[1] ? high : Infinity);
    draw();
  }

  function draw() {
    const { chosen, z } = state, [a, slope] = chosen.at(z);
    const tangent = [-1.3, 1.3].map((d) => [z + d, a + d * slope]);
    above.marks.replaceChildren(...still[0], line(above, tangent, "curve-2"), dot(above, [z, a], "handle", 7));
    below.marks.replaceChildren(...still[1], line(below, [[z, 0], [z, slope]], "steps"), dot(below, [z, slope], "handle", 7));
    numbers.a.set(a);
    numbers.slope.set(slope);
    numbers.row.set(slope ** IN_A_ROW);
    said.textContent = verdict(slope);
  }

  function move(z) {
    state.z = z;
    place.set(z);
    draw();
  }
  const place = slider({ label: "pre-activation z", min: RANGE[0], max: RANGE[1], step: 0.05, value: state.z, change: move });
  const chosen = choice({
    label: "activation", options: ACTIVATIONS.map(({ name }) => name),
    change: (i) => { state.chosen = ACTIVATIONS[i]; measure(); },
  });
  stage.append(
    row("controls", chosen.element, place.element), said, drawings,
    row("readouts", ...Object.values(numbers).map(({ element }) => element)),
  );
  measure();
}
