/* The same points looked at one at a time, a few at a time and all at once, each a path over the
   plane of two weights. Chapter 4. */
import { button, choice, dot, html, line, player, plot, remark, row, shown, slider, svg, told } from "./kit.js";
import { bowl, CLEAN, descend, lossOf, N, NOISY, ring, shuffles } from "./two-weights.js";

const N_EPOCHS = 10;
const TICK = 8; // points looked at between two pictures
const RATES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 1.5];
const HEIGHTS = [0.02, 0.08, 0.32, 1.28, 5.12]; // each ring twice as wide as the one inside it
const RUN_AWAY = 1000;
const X = [-0.7, 5.3], Y = [-2.9, 0.5];

const average = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
const isNear = ([u, v]) => Math.abs(u) < 50 && Math.abs(v) < 50;

function verdict(runs, looked, isNoisy) {
  const [one, few, all] = runs;
  const away = runs.filter(({ height }) => !(height < RUN_AWAY)).map(({ name }) => name);
  if (away.length) return `The rate is too large for ${away.join(" and for ")}: the steps are thrown further and further out.`;
  if (looked === 0) return "Nothing looked at yet: all three are at the start.";
  if (looked < 3 * N) {
    const lowest = runs.reduce((a, b) => (b.height < a.height ? b : a)).name;
    return `The same ${looked} points looked at, in ${one.steps}, ${few.steps} and ${all.steps} steps. Lowest so far: ${lowest}.`;
  }
  if (!isNoisy && one.averaged < 1e-9) return "Without noise one pair of weights suits every point, and one at a time settles there.";
  if (one.averaged < 0.5 * one.before) return `One at a time is still coming down: each epoch leaves ${told(one.averaged / one.before, 2)} of the height.`;
  return `One at a time comes no nearer, it wanders: ${told(one.averaged, 2)} above the floor on average, ${few.name} ${told(few.averaged, 2)}.`;
}

/* Names at the ends of the paths, pushed apart where the ends are close. */
function nameEnds(canvas, runs) {
  const inside = (v, [low, high]) => Math.min(high, Math.max(low, v));
  let above = 0;
  return runs.map(({ path, name, ink }) => ({ name, ink, end: path.at(-1) }))
    .sort((a, b) => b.end[1] - a.end[1])
    .map(({ name, ink, end: [u, v] }) => {
      above = Math.max(canvas.y(inside(v, Y)) + 4, above + 17);
      const clear = u > 2.5 ? canvas.x(3.5) : 0; // right of where the paths wander
      const x = inside(Math.max(canvas.x(u) + 12, clear), [canvas.x(X[0]), canvas.x(X[1]) - 8 * name.length]);
      return svg("text", { class: `label ${ink}`, x, y: above }, name);
    });
}

/* A row of numbers for each path. */
function table() {
  const rows = [1, 2, 3].map((i) => ({
    name: html("th", { scope: "row", class: `ink-${i}` }), steps: shown(1), height: shown(2), averaged: shown(2),
  }));
  const heads = ["path", "steps", "loss above the floor", "average over an epoch"];
  const element = html("table", { class: "numbers" },
    html("thead", {}, html("tr", {}, ...heads.map((head) => html("th", { scope: "col" }, head)))),
    html("tbody", {}, ...rows.map(({ name, ...cells }) =>
      html("tr", {}, name, ...Object.values(cells).map((cell) => html("td", {}, cell.element))))));
  const set = (runs) => runs.forEach((run, i) => {
    rows[i].name.textContent = run.name;
    for (const which of ["steps", "height", "averaged"]) rows[i][which].set(run[which]);
  });
  return { element, set };
}

export default function mount(stage) {
  const state = { size: 8, rate: 0.2, points: NOISY, seed: 0, looked: N };
  const said = remark();
  const numbers = table();
  const perUnit = (stage.clientWidth - 64) / (X[1] - X[0]);
  const canvas = plot(stage, {
    label: "Three paths from one start, over rings of equal loss in the plane of the two weights",
    xRange: X, yRange: Y, xLabel: "first weight", yLabel: "second weight", height: 52 + perUnit * (Y[1] - Y[0]),
  });
  let paths, losses, floor, rings;

  /* All three paths to their last epoch, with the loss at every point of them. */
  function train() {
    const { size, rate, points, seed } = state;
    const orders = shuffles(seed, N_EPOCHS), basin = bowl(points);
    floor = lossOf(basin.lowest, points);
    paths = [1, size, N].map((batchSize) => descend(points, orders, batchSize, rate));
    losses = paths.map((path) => path.map((weights) => lossOf(weights, points)));
    rings = HEIGHTS.map((height) => line(canvas, ring(basin, height), "muted"));
    draw();
  }

  /* Where the path of one batch size is after so many points looked at. */
  function runOf(batchSize, i) {
    const perEpoch = N / batchSize, steps = Math.floor(state.looked / batchSize);
    const heights = (from, to) => losses[i].slice(Math.max(0, from), Math.max(0, to)).map((loss) => loss - floor);
    return {
      steps, height: losses[i][steps] - floor,
      averaged: average(heights(steps + 1 - perEpoch, steps + 1)),
      before: average(heights(steps + 1 - 2 * perEpoch, steps + 1 - perEpoch)),
      name: ["one at a time", `${batchSize} at a time`, `all ${N} at once`][i],
      look: ["curve", "curve-2", "curve-3"][i], ink: `ink-${i + 1}`,
      path: paths[i].slice(0, steps + 1).filter(isNear),
    };
  }

  function draw(isTold = true) {
    const runs = [1, state.size, N].map(runOf), [one, ...others] = runs;
    canvas.marks.replaceChildren(
      ...rings,
      line(canvas, one.path, "curve thin past"), line(canvas, one.path.slice(-N - 1), "curve thin"),
      ...others.map(({ path, look }) => line(canvas, path, look)),
      ...others.flatMap(({ path, ink }) => path.map((p) => dot(canvas, p, ink, 3))),
      ...runs.map(({ path, ink }) => dot(canvas, path.at(-1), ink, 5)),
      ...nameEnds(canvas, runs),
    );
    numbers.set(runs);
    if (isTold) said.textContent = verdict(runs, state.looked, state.points === NOISY);
  }

  function look(looked, isTold) {
    state.looked = looked;
    points.set(looked);
    draw(isTold);
  }
  const points = slider({
    label: "points looked at", min: 0, max: N_EPOCHS * N, step: TICK, value: state.looked,
    show: (v) => `${v}`, change: (v) => look(v),
  });
  const size = slider({
    label: "mini-batch size", min: 1, max: 5, step: 1, value: Math.log2(state.size),
    show: (i) => `${2 ** i}`, change: (i) => { state.size = 2 ** i; train(); },
  });
  const rate = slider({
    label: "learning rate", min: 0, max: RATES.length - 1, step: 1, value: RATES.indexOf(state.rate),
    show: (i) => `${RATES[i]}`, change: (i) => { state.rate = RATES[i]; train(); },
  });
  const noise = choice({
    label: "noise in the targets", options: ["as in the chapter", "none"],
    change: (i) => { state.points = [NOISY, CLEAN][i]; train(); },
  });
  const play = player("Play", () => {
    const next = state.looked < N_EPOCHS * N ? state.looked + TICK : 0;
    look(next, next % N === 0);
    return state.looked < N_EPOCHS * N;
  }, 120);
  const shuffle = button("New shuffle", () => { state.seed += 1; train(); });
  stage.append(
    row("controls", rate.element, size.element, noise.element, points.element),
    row("controls", play.element, shuffle), said, canvas.element, numbers.element,
  );
  train();
}
