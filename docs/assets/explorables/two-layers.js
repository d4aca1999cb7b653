/* The two layers of experiment C, stepped forwards and backwards one operation at a time, for any page of
   any epoch of any seed. Drawn as its weights stand in W1: a row for each light, a column for each unit. */
import { button, choice, html, readout, remark, row, slider, svg, told } from "./kit.js";
import { TASKS, bothWays, drawWeights, pagesOn, squaredErrors, train } from "./network.js";

const N_EPOCHS = 300;
const LIGHTS = ["one", "two", "three"];

const listed = (words) => words.join(", ").replace(/, (\w+)$/, " and $1");
const units = (which) => `unit${which.length > 1 ? "s" : ""} ${listed(which)}`;
const where = (list, holds) => list.flatMap((entry, i) => (holds(entry) ? [i] : []));
const shut = ({ z1 }) => where(z1, (z) => z <= 0);

/* The lines of the chapter in their order: what each makes, and what there is to see. */
const OPERATIONS = [
  ["x, target = X[page], y[page]", null, ({ x, target }) =>
    `Light${where(x, Boolean).length > 1 ? "s" : ""} ${listed(where(x, Boolean).map((i) => LIGHTS[i]))} on, and ${target} wanted.`],
  ["z1 = x @ W1", "z1", () => "Down each column, the weights of the lights that are on add up."],
  ["a1 = np.maximum(z1, 0)", "a1", (now) => (shut(now).length
    ? `The gate is shut at ${units(shut(now))}: 0 goes on from there.` : "All four gates are open.")],
  ["prediction = a1 @ W2", "prediction", () => "What each unit says, times its output weight, added up."],
  ["loss = (prediction - target)**2 / 2", "loss", ({ target, prediction }) =>
    `${told(prediction, 3)} where ${target} was wanted.`],
  ["dprediction = prediction - target", "dprediction", () => "The way back begins with the residual."],
  ["dW2 = a1.T @ dprediction", "dW2", () => "Input times blame. An output weight whose unit says 0 has nothing to learn here."],
  ["da1 = dprediction @ W2.T", "da1", () => "Blame for all four activations, also of the units that are off."],
  ["dz1 = da1 * (z1 > 0)", "dz1", (now) => (shut(now).length
    ? `The same gates as on the way forward: at ${units(shut(now))} the blame ends.` : "All four gates are open, and all the blame comes through.")],
  ["dW1 = x.T @ dz1", "dW1", ({ dprediction, dW1, dW2 }) => (dprediction === 0
    ? "The prediction is exact, and no weight has anything to learn."
    : `A weight has a gradient where its light and its unit are both on. ${where([...dW1.flat(), ...dW2], Boolean).length} of 16 learn from this page.`)],
  ["W1, W2 = W1 - 0.2 * dW1, W2 - 0.2 * dW2", null, () => "All gradients first, then all updates. Next page."],
];
const N_OPERATIONS = OPERATIONS.length;
const madeBy = Object.fromEntries(OPERATIONS.map(([, name], i) => [name, i]));

/* Who is dead, whether the rest has any bend left, and whether the task is learned. */
export function fate(weights, task, epoch) {
  const on = pagesOn(weights, task.X), nPages = task.X.length;
  const dead = where(on, (n) => n === 0), straight = on.every((n) => n === 0 || n === nPages);
  return [
    epoch === 0 ? "Before the training" : `After ${epoch} epoch${epoch > 1 ? "s" : ""}`,
    dead.length ? ` ${units(dead)} ${dead.length > 1 ? "are" : "is"} dead: off on every page.` : " no unit is dead.",
    straight && dead.length < 4 ? " The rest is on for every page: a straight line." : "",
    squaredErrors(weights, task) < 0.01 ? " The task is learned." : epoch === N_EPOCHS ? " The task is not learned." : "",
  ].join("");
}

/* The places of a drawing that is `width` wide; `column` and `light` are those of the wires. */
function placesIn(width) {
  const left = width < 480 ? 60 : 96, step = (width - left) / 4;
  return {
    width, height: 410, left, box: Math.min(step - 10, 76),
    column: (j) => left + (j + 0.5) * step, light: (i) => 66 + 46 * i,
    z1: 212, a1: 284, W2: 336, prediction: 384,
  };
}

const line = (className, ...points) => svg("path", { class: className, d: `M${points.map((p) => p.join()).join("L")}` });
const word = (x, y, text, className = "", anchor = "start") => svg("text", { x, y, class: className, "text-anchor": anchor }, text);
const boxed = (at, x, y) => svg("rect", { class: "node", x: x - at.box / 2, y: y - 21, width: at.box, height: 42, rx: 5 });

/* What has been made by an operation, and what by this very one. */
const has = (operation, name) => !(name in madeBy) || operation >= madeBy[name];
const isFresh = (operation, name) => operation === madeBy[name];

/* Wires that carry something are drawn through: blue on the way forward, orange and dashed beside it on the way back. */
function wires(at, { operation, found, now }) {
  const made = (name) => has(operation, name), forward = (carries) => (carries ? "curve" : "off"), last = at.column(3);
  const lights = now.x.map((light, i) => line(forward(light), [at.left - 4, at.light(i)], [last, at.light(i)]));
  const columns = found.z1.flatMap((z, j) => {
    const x = at.column(j), isOn = z > 0, opened = made("a1") && isOn, swung = made("a1") && !isOn ? 14 : 0;
    return [
      line(forward(made("z1")), [x, at.light(0)], [x, at.z1 - 21]),
      line(forward(opened), [x, at.z1 + 21], [x - swung, at.a1 - 21]),
      ...(swung ? [word(x + 4, (at.z1 + at.a1) / 2 + 4, "off", "quiet")] : []),
      line(forward(opened), [x, at.a1 + 21], [x, at.W2]),
      ...(made("da1") ? [line("curve-2", [x + 5, at.W2], [x + 5, at.a1 + 21])] : []),
      ...(made("dz1") && isOn ? [line("curve-2", [x + 5, at.a1 - 21], [x + 5, at.z1 + 21])] : []),
      ...(made("dW1") && isOn ? [line("curve-2", [x + 5, at.z1 - 21], [x + 5, at.light(now.x.indexOf(1))])] : []),
    ];
  });
  const out = line(forward(made("prediction")), [at.column(0), at.W2], [last, at.W2], [last, at.prediction - 21]);
  const back = made("dprediction") ? [line("curve-2", [last + 5, at.prediction - 21], [last + 5, at.W2])] : [];
  return [...lights, ...columns, out, ...back];
}

/* Every number that is known, above its gradient; those of nodes in boxes. */
function numbers(at, { operation, found, now }) {
  const number = (name, x, y, value, className) => (has(operation, name) ? [svg("text", {
    x, y, "text-anchor": "middle", class: `${className} halo${isFresh(operation, name) ? " fresh" : ""}`, "data-name": name, "data-value": value,
  }, told(value, 3))] : []);
  const both = (name, x, y, value, gradient) => [...number(name, x, y - 6, value, "forward"), ...number(`d${name}`, x, y + 16, gradient, "gradient")];
  const node = (name, x, value, gradient) => [boxed(at, x, at[name]), ...both(name, x, at[name], value, gradient)];
  return [
    ...now.W1.flatMap((weights, i) => weights.flatMap((w, j) => both("W1", at.column(j), at.light(i), w, found.dW1[i][j]))),
    ...found.z1.flatMap((z, j) => node("z1", at.column(j), z, found.dz1[j])),
    ...found.a1.flatMap((a, j) => node("a1", at.column(j), a, found.da1[j])),
    ...now.W2.flatMap((w, j) => both("W2", at.column(j), at.W2, w, found.dW2[j])),
    ...node("prediction", at.column(3), found.prediction, found.dprediction),
    ...number("loss", 52, at.prediction + 16, found.loss, ""),
  ];
}

/* What the rows and columns are, and which units are dead. */
function names(at, { task, weights, now }) {
  const named = (name, x, y, anchor) => [word(x, y - 6, name, "forward", anchor), word(x, y + 16, `d${name}`, "gradient", anchor)];
  const lights = now.x.flatMap((light, i) => [
    word(0, at.light(i) - 3, `light ${i + 1}`), word(0, at.light(i) + 12, light ? "on" : "off", light ? "forward" : "quiet"),
  ]);
  const columns = pagesOn(weights, task.X).flatMap((n, j) => [
    word(at.column(j), 14, `unit ${j}`, "", "middle"),
    word(at.column(j), 30, n ? `on ${n} of ${task.X.length}` : "dead", n ? "quiet" : "fresh", "middle"),
    ...(n ? [] : [svg("rect", { class: "dead", x: at.column(j) - at.box / 2 - 2, y: 1, width: at.box + 4, height: at.W2 + 22, rx: 6 })]),
  ]);
  return [
    ...lights, ...columns, word(0, 14, "W1", "forward"), word(0, 30, "dW1", "gradient"),
    ...["z1", "a1", "W2"].flatMap((name) => named(name, 0, at[name], "start")),
    ...named("prediction", at.column(3) - at.box / 2 - 6, at.prediction, "end"),
    word(0, at.prediction - 6, `wanted ${now.target}`), word(0, at.prediction + 16, "loss"),
  ];
}

export default function mount(stage) {
  let task = TASKS[0], seed = 1, moment = madeBy.loss, learned;
  const at = placesIn(stage.clientWidth);
  const canvas = svg("svg", { class: "canvas", viewBox: `0 0 ${at.width} ${at.height}`, role: "img" });
  const said = remark();
  const errors = {
    epoch: readout("squared errors of this epoch"), now: readout("squared errors with these weights"),
  };

  /* What the moment counts: whole epochs, pages of the epoch, operations on the page. */
  function place() {
    const visit = Math.floor(moment / N_OPERATIONS), nPages = task.X.length;
    return { visit, operation: moment % N_OPERATIONS, page: visit % nPages, epoch: Math.floor(visit / nPages) };
  }

  function draw() {
    const { visit, operation, page, epoch } = place();
    const before = learned.met[visit], x = task.X[page], target = task.y[page];
    const found = bothWays(before, x, target);
    const weights = learned.met[visit + (operation === N_OPERATIONS - 1)];
    const now = { x, target, ...weights };
    const scene = { task, operation, weights, found, now };
    canvas.replaceChildren(...wires(at, scene), ...numbers(at, scene), ...names(at, scene));
    canvas.setAttribute("aria-label", `The network on page ${page + 1}: ${[...canvas.querySelectorAll("[data-name]")]
      .map((text) => `${text.dataset.name} ${text.textContent}`).join(", ")}`);
    epochs.set(epoch);
    errors.epoch.set(learned.totals[epoch]);
    errors.now.set(squaredErrors(weights, task));
    back.disabled = moment === 0;
    return { operation, page, epoch, weights, now: { ...found, ...now } };
  }

  function step(to) {
    moment = Math.max(0, Math.min(to, learned.met.length * N_OPERATIONS - N_OPERATIONS - 1));
    const { operation, page, now } = draw(), [code, , sentence] = OPERATIONS[operation];
    said.replaceChildren(`Page ${page + 1} of ${task.X.length}: `, html("code", {}, code), ` ${sentence(now)}`);
  }

  function look() {
    const { weights, epoch } = draw();
    said.textContent = fate(weights, task, epoch);
  }

  /* Begin each of the epochs anew, at its first page, and stay at the same operation. */
  function goTo(epoch) {
    moment = epoch * task.X.length * N_OPERATIONS + moment % N_OPERATIONS;
    look();
  }

  function learn(epoch) {
    learned = train(task, drawWeights(seed), N_EPOCHS + 1);
    goTo(epoch);
  }

  const tasks = choice({
    label: "walk if", options: TASKS.map(({ name }) => name),
    change: (i) => { const { epoch } = place(); task = TASKS[i]; learn(epoch); },
  });
  const seeds = slider({
    label: "seed", min: 0, max: 99, step: 1, value: seed, show: String,
    change: (value) => { seed = value; learn(place().epoch); },
  });
  const epochs = slider({ label: "epochs of training", min: 0, max: N_EPOCHS, step: 1, value: 0, show: String, change: goTo });
  const back = button("Back", () => step(moment - 1));
  stage.append(
    row("controls", tasks.element, seeds.element, epochs.element),
    row("controls", back, button("Next operation", () => step(moment + 1)), button("Next page", () => step(moment + N_OPERATIONS))),
    canvas, said, row("readouts", ...Object.values(errors).map(({ element }) => element)),
  );
  learn(0);
  step(moment);
}
