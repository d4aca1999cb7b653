/* Gradient descent on one weight: the loss is half a curvature times the square of the error.
   Above, the kinds of learning rate; in the middle, the loss; below, the weight after each step.
   Chapters 2 and 5. */
import { dot, dragging, line, plot, readout, remark, row, slider, svg, told } from "./kit.js";

const N_STEPS = 20;
const REACH = 1.2; // how far from the best weight a path may begin
const HIGHEST_RATE = 2.5;
const STEEPEST = 2; // the largest curvature
const FARTHEST = 6; // how many times the view widens, at most, to follow what diverges

export const lossOf = (weight, { curvature, best }) => 0.5 * curvature * (weight - best) ** 2;
export const slopeOf = (weight, { curvature, best }) => curvature * (weight - best);

export function descend(weight, rate, parabola, steps = N_STEPS) {
  const path = [weight];
  for (let i = 0; i < steps; i++) path.push(path[i] - rate * slopeOf(path[i], parabola));
  return path;
}

function verdict(factor) {
  const left = told(Math.abs(factor), 3);
  if (Math.abs(factor) < 1e-9) return "It lands in one step.";
  if (Math.abs(factor + 1) < 1e-9) return "At 2 / curvature: it hops from side to side and never comes closer.";
  if (factor < -1) return `Past 2 / curvature: every step makes the error ${left} times as large, on the other side. It diverges.`;
  if (factor < 0) return `It overshoots, and every step leaves ${left} of the error, on the other side.`;
  return `It creeps: every step leaves ${left} of the error.`;
}

/* The learning rates on a line: which creep, which overshoot, which diverge. */
function drawRates(canvas, { rate, curvature }) {
  const ends = [0, 1 / curvature, 2 / curvature, HIGHEST_RATE].map((end) => Math.min(end, HIGHEST_RATE));
  const write = (word, x, y, anchor) => svg("text", { x, y: canvas.y(y), "text-anchor": anchor }, word);
  const kinds = [["creeps", "curve"], ["overshoots", "curve-2"], ["diverges", "curve-4"]].flatMap(([word, look], i) => {
    const [from, to] = [ends[i], ends[i + 1]].map(canvas.x);
    const along = line(canvas, [[ends[i], 0.2], [ends[i + 1], 0.2]], look);
    return to - from > 8 * word.length ? [along, write(word, (from + to) / 2, 0.35, "middle")] : [along];
  });
  const marks = ends.slice(1, 3).flatMap((end, i) => {
    if (end === HIGHEST_RATE) return [];
    const x = canvas.x(end), isRoom = i === 1 && canvas.x(HIGHEST_RATE) - x > 90;
    const word = write(["lands", "2 / curvature"][i], x + (isRoom ? 5 : -5), 0.75, isRoom ? "start" : "end");
    return [line(canvas, [[end, 0], [end, 1]], "muted"), word];
  });
  canvas.marks.replaceChildren(...kinds, ...marks, dot(canvas, [rate, 0.2], "handle", 7));
}

const toHundredth = (v) => v.toFixed(2).replace("-", "−");

export default function mount(stage, { weight, rate, curvature, best, name = "weight", axis = name }) {
  const state = { weight: Number(weight), rate: Number(rate), curvature: Number(curvature), best: Number(best) };
  const farthest = [state.best - REACH, state.best + REACH];
  const said = remark();
  const numbers = {
    slope: readout("slope"), next: readout(`next ${name}`), factor: readout("1 − rate · curvature"),
    cliff: readout("2 / curvature"), loss: readout("loss"), last: readout(`loss after ${N_STEPS} steps`),
  };
  const rates = plot(stage, {
    label: "The learning rates that creep, overshoot and diverge", height: 106,
    xRange: [0, HIGHEST_RATE], yRange: [0, 1], xLabel: "learning rate", yLabel: "", yTicks: [],
  });
  const drawings = row("drawings");
  let above, below, view;

  /* Both plots anew if the view must widen or may narrow; a drag of the weight never comes to that. */
  function follow(factor) {
    const half = REACH * Math.min(FARTHEST, Math.max(1, Math.abs(factor) ** 3));
    if (half === view) return;
    view = half;
    const xRange = [state.best - half, state.best + half];
    above = plot(stage, {
      label: `The loss over the ${name}, with the steps of gradient descent`, height: 240,
      xRange, yRange: [-0.05 * half ** 2, 0.5 * STEEPEST * half ** 2], xLabel: "", yLabel: "loss",
    });
    below = plot(stage, {
      label: `The ${name} after each step`, height: 230,
      xRange, yRange: [N_STEPS + 0.8, -0.8], xLabel: axis, yLabel: "step", yTicks: [0, 5, 10, 15, 20],
      xShow: (v) => told(v, 2), yShow: String,
    });
    dragging(above, (x) => {
      state.weight = Math.min(farthest[1], Math.max(farthest[0], x));
      weightSlider.set(state.weight);
      draw();
    });
    drawings.replaceChildren(above.element, below.element);
  }

  function draw() {
    const { weight, rate, curvature, best } = state;
    const factor = 1 - rate * curvature;
    follow(factor);
    const path = descend(weight, rate, state);
    const near = path.slice(0, path.findIndex((w, i) => i === N_STEPS || Math.abs(w - best) > 2 * view) + 1);
    const onCurve = near.map((w) => [w, lossOf(w, state)]), inTime = near.map((w, i) => [w, i]);
    const slope = slopeOf(weight, state), [, loss] = onCurve[0];
    const tangent = [-0.35, 0.35].map((d) => [weight + d, loss + d * slope]);
    const weights = Array.from({ length: 121 }, (_, i) => best + view * (i / 60 - 1));
    above.marks.replaceChildren(
      line(above, weights.map((w) => [w, lossOf(w, state)]), "curve"),
      line(above, tangent, "muted"),
      line(above, onCurve, "steps"),
      ...onCurve.map((p) => dot(above, p, "step", 3)),
      dot(above, onCurve[0], "handle", 7),
    );
    below.marks.replaceChildren(
      line(below, [[best, -1], [best, N_STEPS + 1]], "muted"),
      line(below, inTime, "steps"),
      ...inTime.map((p) => dot(below, p, "step", 3)),
    );
    drawRates(rates, state);
    numbers.slope.set(slope);
    numbers.next.set(path[1]);
    numbers.factor.set(factor);
    numbers.cliff.set(2 / curvature);
    numbers.loss.set(loss);
    numbers.last.set(lossOf(path[N_STEPS], state));
    said.textContent = verdict(factor);
  }

  const change = (which) => (value) => { state[which] = value; draw(); };
  const control = (label, which, [min, max]) =>
    slider({ label, min: min.toFixed(2), max: max.toFixed(2), step: 0.01, value: state[which], show: toHundredth, change: change(which) });
  const weightSlider = control(name, "weight", farthest);
  const rateSlider = control("learning rate", "rate", [0.02, HIGHEST_RATE]);
  const curvatureSlider = control("curvature", "curvature", [0.1, STEEPEST]);
  dragging(rates, (x) => {
    state.rate = Math.min(HIGHEST_RATE, Math.max(0.02, x));
    rateSlider.set(state.rate);
    draw();
  });
  stage.append(
    row("controls", rateSlider.element, curvatureSlider.element, weightSlider.element),
    rates.element, said, drawings,
    row("readouts", ...Object.values(numbers).map(({ element }) => element)),
  );
  draw();
}
