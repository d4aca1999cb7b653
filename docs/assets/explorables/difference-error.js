/* How far a difference is from the derivative, for every step: truncation on one side of the best
   step, rounding on the other. Chapter 11. */
import { choice, dot, line, plot, readout, remark, row, slider, svg, told } from "./kit.js";

const N_POINTS = 40;
const PER_DECADE = 8;
const DECADES = 15;
const LOWEST = -16; // the exponent of the least error that is drawn

/* A number format: the rounding after every operation, and machine epsilon. */
export const FORMATS = [
  { name: "float64", round: (v) => v, epsilon: 2 ** -52 },
  { name: "float32", round: Math.fround, epsilon: 2 ** -23 },
];

const below = (x) => Math.sin(x) ** 3 + Math.cos(x) ** 3;
const slopeByHand = (x) => {
  const s = Math.sin(x), c = Math.cos(x);
  return Math.exp(x) * (below(x) - 3 * s * s * c + 3 * c * c * s) / below(x) ** 2;
};

/* `f` rounds each of its operations with `r`; `derivatives` are the first three, in float64. */
export const FUNCTIONS = [
  {
    name: "eˣ / (sin³ x + cos³ x) near 1.5", at: 1.5, largest: 0.1,
    f(x, r) {
      const s = r(Math.sin(x)), c = r(Math.cos(x));
      return r(r(Math.exp(x)) / r(r(r(s * s) * s) + r(r(c * c) * c)));
    },
    derivatives: [
      slopeByHand,
      (x) => (slopeByHand(x + 1e-4) - slopeByHand(x - 1e-4)) / 2e-4,
      (x) => (slopeByHand(x + 1e-3) - 2 * slopeByHand(x) + slopeByHand(x - 1e-3)) / 1e-6,
    ],
  },
  {
    name: "x³ near 1", at: 1, largest: 0.1,
    f: (x, r) => r(r(x * x) * x),
    derivatives: [(x) => 3 * x * x, (x) => 6 * x, () => 6],
  },
  {
    name: "x² near 1", at: 1, largest: 0.1,
    f: (x, r) => r(x * x),
    derivatives: [(x) => 2 * x, () => 2, () => 0],
  },
  {
    name: "√x near a million", at: 1e6, largest: 1e5,
    f: (x, r) => r(Math.sqrt(x)),
    derivatives: [(x) => 0.5 / Math.sqrt(x), (x) => -0.25 * x ** -1.5, (x) => 0.375 * x ** -2.5],
  },
];

export function oneSidedGradient({ f }, { round }, x, h) {
  const above = round(x + round(h));
  return round(round(f(above, round) - f(x, round)) / round(above - x));
}

export function numericalGradient({ f }, { round }, x, h) {
  const above = round(x + round(h)), under = round(x - round(h));
  return round(round(f(above, round) - f(under, round)) / round(above - under));
}

/* The largest relative error among points from x to 1.04 x. */
export function worstError(gradient, chosen, format, h) {
  const errors = Array.from({ length: N_POINTS }, (_, i) => {
    const x = format.round(chosen.at * (1 + i / 1000));
    return Math.abs(gradient(chosen, format, x, h) / chosen.derivatives[0](x) - 1);
  });
  return Math.max(...errors);
}

/* The index of the least error that is no luck: the two on either side count with it. */
export function leastAround(errors) {
  const around = errors.map((_, i) => Math.max(...errors.slice(Math.max(0, i - 2), i + 3)));
  return around.indexOf(Math.min(...around.filter(Number.isFinite)));
}

/* What the box of chapter 11 allows, as shares of the slope: [truncation, rounding]. */
export function allowed(chosen, { epsilon, round }, h) {
  const x = chosen.at, slope = Math.abs(chosen.derivatives[0](x));
  const [second, third] = chosen.derivatives.slice(1).map((d) => Math.abs(d(x)) / slope);
  const value = epsilon * Math.abs(chosen.f(x, round)) / slope;
  return { one: [h / 2 * second, value / h], two: [h * h / 6 * third, value / (2 * h)] };
}

/* Which of the two errors rules, at a step and for each of the two differences. */
function verdict({ one, two }, isLost) {
  if (isLost) return "The step is lost: x + h is rounded to x, and no difference is left.";
  const [oneRounds, twoRounds] = [one, two].map(([truncation, rounding]) => rounding > truncation);
  if (oneRounds) return "Rounding, in both: with a tenth of the step, ten times the error.";
  if (!twoRounds) return "Truncation, in both: a tenth of the step leaves a tenth of the one-sided error, and a hundredth of the two-sided one.";
  if (two[0] === 0) return "The two-sided difference of x² has no truncation error at all: its V has lost one arm, and the longest step is the best.";
  return "The one-sided error is truncation still, and falls with the step. The two-sided one is rounding already, and rises.";
}

const logarithm = (error) => Math.log10(Math.max(error, 10 ** LOWEST));
const asPower = (k) => `1e${k}`.replace("-", "−");

export default function mount(stage) {
  const state = { chosen: FUNCTIONS[0], format: FORMATS[0], i: 8 };
  const stepOf = (i) => state.chosen.largest * 10 ** (-i / PER_DECADE);
  const said = remark();
  const numbers = {
    step: readout("step h", 3), one: readout("one-sided error", 2), two: readout("two-sided error", 2),
    bestOne: readout("best one-sided step", 2), leastOne: readout("least one-sided error", 2),
    bestTwo: readout("best two-sided step", 2), leastTwo: readout("least two-sided error", 2),
  };
  let canvas, curves, still;

  /* The axes, both errors at every step, and the straight lines of what is allowed. */
  function measure() {
    const { chosen, format } = state;
    const from = -Math.log10(chosen.largest);
    canvas?.element.remove();
    canvas = plot(stage, {
      label: "The relative errors of the one-sided and the two-sided difference over the step, on logarithmic axes",
      xRange: [from, from + DECADES], yRange: [LOWEST, 1], xLabel: "step h, shrinking to the right", yLabel: "relative error",
      xTicks: [0, 3, 6, 9, 12].map((k) => from + k), yTicks: [-15, -10, -5, 0],
      xShow: (k) => asPower(-k), yShow: asPower,
    });
    said.before(canvas.element);
    const steps = Array.from({ length: DECADES * PER_DECADE + 1 }, (_, i) => stepOf(i));
    curves = [oneSidedGradient, numericalGradient].map((gradient) =>
      steps.map((h) => worstError(gradient, chosen, format, h)));
    const [one, two] = curves.map((errors) => {
      const best = leastAround(errors);
      return { step: steps[best], least: errors[best] };
    });
    numbers.bestOne.set(one.step);
    numbers.leastOne.set(one.least);
    numbers.bestTwo.set(two.step);
    numbers.leastTwo.set(two.least);
    const points = (errors) => errors.map((error, i) => [from + i / PER_DECADE, logarithm(error)]).filter(([, e]) => !Number.isNaN(e));
    const [level, deep] = [one.least, two.least].map(logarithm), early = from + (-Math.log10(one.step) - from) / 4;
    const hasRoom = stage.clientWidth > 520 && level < -6;
    const along = (error, lowest) => line(canvas, points(steps.map((h) => error(allowed(chosen, format, h)))).filter(([, e]) => e > lowest - 0.7), "muted");
    const word = (k, error, dx, dy, text) => svg("text", { x: canvas.x(k) + dx, y: canvas.y(error) + dy }, text);
    const hasThird = chosen.derivatives[2](chosen.at) !== 0;
    still = [
      along(({ one: [truncation] }) => truncation, level), along(({ one: [, rounding] }) => rounding, deep),
      ...(hasThird ? [along(({ two: [truncation] }) => truncation, deep)] : []),
      line(canvas, points(curves[0]), "curve"), line(canvas, points(curves[1]), "curve-2"),
      word(early, logarithm(allowed(chosen, format, 10 ** -early).one[0]), 8, -4, hasRoom ? "one-sided: truncation, ∝ h" : "one-sided"),
      hasThird
        ? word(from, deep, 6, 22, hasRoom ? "two-sided: truncation, ∝ h²" : "two-sided")
        : word(from + 5.3, deep + 0.9, 0, 0, "two-sided: no truncation"),
      svg("text", { x: Math.min(canvas.x(1.5 - Math.log10(one.step)), canvas.x(from + DECADES) - 135), y: canvas.y(level) + 16 }, "both: rounding, ∝ 1/h"),
    ];
    draw();
  }

  function draw() {
    const h = stepOf(state.i), errors = curves.map((curve) => curve[state.i]);
    const k = -Math.log10(h), isLost = errors.some(Number.isNaN);
    canvas.marks.replaceChildren(
      line(canvas, [[k, LOWEST], [k, 1]], "muted"), ...still,
      ...(isLost ? [] : errors.map((error) => dot(canvas, [k, logarithm(error)], "handle", 6))),
    );
    numbers.step.set(h);
    numbers.one.set(errors[0]);
    numbers.two.set(errors[1]);
    said.textContent = verdict(allowed(state.chosen, state.format, h), isLost);
  }

  const step = slider({
    label: "step", min: 0, max: DECADES * PER_DECADE, step: 1, value: state.i,
    show: (i) => told(stepOf(i), 2), change: (i) => { state.i = i; draw(); },
  });
  const chosen = choice({
    label: "function", options: FUNCTIONS.map(({ name }) => name),
    change: (i) => { state.chosen = FUNCTIONS[i]; step.set(state.i); measure(); },
  });
  const format = choice({
    label: "precision", options: FORMATS.map(({ name }) => name),
    change: (i) => { state.format = FORMATS[i]; measure(); },
  });
  stage.append(
    row("controls", chosen.element, format.element, step.element), said,
    row("readouts", ...Object.values(numbers).map(({ element }) => element)),
  );
  measure();
}
