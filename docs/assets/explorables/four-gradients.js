/* Four gradients of one network train side by side, and one of them is right: which? Chapter 13. */
import {
  ACTIVATIONS, MISTAKES, defaultRng0, digitsLoss, initialize, inner, measuredSlope, randomDirection, sgdStep,
} from "./classifier.js";
import { button, choice, html, line, player, plot, remark, row, svg, told } from "./kit.js";

const N_UPDATES = 300;
const AT_ONCE = 10;
const HIGHEST = 3;
const LETTERS = ["A", "B", "C", "D"];
const CLASSES = ["curve", "curve-2", "curve-3", "curve-4"];
const RIGHT_NAME = "right";

export const RACES = [
  { activation: "sigmoid", rate: 0.5, names: ["half a Jacobian", "slope left out", RIGHT_NAME, "weights from the future"] },
  { activation: "tanh", rate: 0.5, names: ["weights from the future", RIGHT_NAME, "slope left out", "half a Jacobian"] },
  { activation: "ReLU", rate: 0.6, names: ["gate always open", "weights from the future", "first layer climbs", RIGHT_NAME] },
];

/* What a check says before the first update: the slope measured along one random direction, and for
   each gradient the slope that it claims. */
export function check({ activation, rate, names }) {
  const random = defaultRng0(), parameters = initialize(random), direction = randomDirection(random);
  const { backward } = digitsLoss(parameters, ACTIVATIONS[activation]);
  return {
    parameters,
    measured: measuredSlope(parameters, direction, ACTIVATIONS[activation]),
    claimed: names.map((name) => inner(backward(MISTAKES[name], rate), direction)),
  };
}

/* A run goes on in place: `now` holds its loss and backward at its parameters. */
function advance(run, { activation, rate }) {
  run.parameters = sgdStep(run.parameters, run.now.backward(MISTAKES[run.name], rate), rate);
  run.now = digitsLoss(run.parameters, ACTIVATIONS[activation]);
  run.losses.push(run.now.loss);
}

const relativeError = (a, b) => Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
const lastLoss = ({ losses }) => losses.at(-1);
const isAhead = (run, other) => lastLoss(run) < lastLoss(other);

function verdict(runs, picked) {
  const right = runs.find(({ name }) => name === RIGHT_NAME), n = right.losses.length - 1;
  const ahead = runs.filter((run) => isAhead(run, right)).map(({ letter }) => letter);
  if (!picked) return `${right.letter} is right: only its slope is the one that is measured. ${n ? "The check would have told before the first update." : "It took two losses, and no training."}`;
  if (picked === right && !n) return `${right.letter} it is, and no curve told you: there is none yet. The check can.`;
  if (picked === right) return `${right.letter} it is. ${ahead.length ? `But ${ahead.join(" and ")}, wrong, did better in ${n} updates.` : "But a wrong one could have been ahead of it."} The check does not guess.`;
  return `${picked.letter} is wrong: ${picked.name}. ${n ? toldByCurve(picked, right, n) : ""} ${right.letter} is right, and the check says so before the first update.`;
}

function toldByCurve(picked, right, n) {
  const losses = `after ${n} updates, ${told(lastLoss(picked), 3)} against ${told(lastLoss(right), 3)}`;
  if (isAhead(picked, right)) return `Yet its loss is the lower one ${losses}: no curve betrays it.`;
  if (!(lastLoss(picked) < picked.losses[0])) return `Its curve gives it away ${losses}.`;
  return `It is behind ${losses}, but so may a right one be.`;
}

/* Places for the letters at the ends of curves, at least `gap` apart and none below the lowest. */
function spread(places, gap, lowest) {
  const order = places.map((_, i) => i).sort((i, j) => places[i] - places[j]), out = [...places];
  order.forEach((i, k) => { if (k) out[i] = Math.max(out[i], out[order[k - 1]] + gap); });
  order.reverse().forEach((i, k) => { out[i] = Math.min(out[i], lowest - gap * k); });
  return out;
}

export default function mount(stage) {
  const canvas = plot(stage, {
    label: "The loss of four runs over the updates", xRange: [0, 1.06 * N_UPDATES], yRange: [0, HIGHEST],
    xLabel: "updates", yLabel: "loss", xTicks: [0, 100, 200, 300],
  });
  const said = remark(), table = html("table", { class: "runs", "aria-label": "The four runs" });
  const question = "Which one is right?";
  const picks = html("div", { class: "picks", role: "group", "aria-label": question }, question,
    ...LETTERS.map((letter, i) => button(letter, () => reveal(runs[i]))));
  let race, runs, checked, isTold;

  function begin(i) {
    training.stop();
    race = RACES[i];
    checked = check(race);
    isTold = false;
    const now = digitsLoss(checked.parameters, ACTIVATIONS[race.activation]);
    runs = race.names.map((name, k) => ({ name, letter: LETTERS[k], parameters: checked.parameters, now, losses: [now.loss] }));
    said.textContent = "Four runs from the same weights. Train, and pick the right one as soon as you think you know.";
    draw();
  }

  function reveal(picked) {
    isTold = true;
    said.textContent = verdict(runs, picked);
    draw();
  }

  function step() {
    for (let i = 0; i < AT_ONCE; i++) for (const run of runs) advance(run, race);
    draw();
    const isOver = runs[0].losses.length > N_UPDATES;
    if (isOver && !isTold) said.textContent = "The race is over. Which one had the right gradient?";
    return !isOver;
  }

  const cell = (number, digits, text = told(number, digits)) => html("td", {}, html("data", { value: String(number) }, text));
  const swatch = (className) => svg("svg", { viewBox: "0 0 28 8", "aria-hidden": "true" }, svg("path", { class: className, d: "M0,4H28" }));

  function draw() {
    const shown = (loss) => Math.min(Number.isNaN(loss) ? Infinity : loss, 2 * HIGHEST);
    const n = runs[0].losses.length - 1;
    const ends = spread(runs.map((run) => canvas.y(Math.min(shown(lastLoss(run)), 0.95 * HIGHEST))), 14, canvas.y(0) - 6);
    canvas.marks.replaceChildren(
      ...runs.map(({ losses }, i) => line(canvas, losses.map((loss, k) => [k, shown(loss)]), CLASSES[i])),
      ...runs.map(({ letter }, i) => svg("text", { x: canvas.x(n) + 5, y: ends[i] + 4 }, letter)),
    );
    const { measured, claimed } = checked;
    table.replaceChildren(
      html("thead", {}, html("tr", {}, ...["gradient", "loss", "slope claimed", "off by"].map((text) => html("th", { scope: "col" }, text)))),
      html("tbody", {}, ...runs.map((run, i) => html("tr", {},
        html("th", { scope: "row" }, swatch(CLASSES[i]), isTold ? `${run.letter}: ${run.name}` : run.letter),
        cell(lastLoss(run), 3),
        ...(isTold ? [cell(claimed[i], 3), offBy(relativeError(claimed[i], measured))] : [html("td", {}, "?"), html("td", {}, "?")]))),
      ...(isTold ? [html("tr", {}, html("th", { scope: "row" }, "measured"), html("td"), cell(measured, 3), html("td"))] : [])),
    );
  }

  const offBy = (error) => cell(error, 2, error < 1e-6 ? "< 1e−6" : told(error, 2));

  const training = player("Train", () => runs[0].losses.length <= N_UPDATES && step(), 80);
  const which = choice({
    label: "network", options: RACES.map(({ activation, rate }) => `${activation}, learning rate ${rate}`), change: begin,
  });
  stage.append(
    row("controls", which.element, training.element, button("Check all four", () => reveal())), canvas.element,
    picks, said, table,
  );
  begin(0);
}
