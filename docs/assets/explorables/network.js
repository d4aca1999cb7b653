/* The network of chapter 9: three lights, four ReLU units without biases, one output. */
import { randomState } from "./random.js";

const PAGES = [[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1]];
export const TASKS = [
  { name: "light two is on", X: PAGES, y: [0, 1, 0, 1, 1, 0] },
  { name: "just one of the first two is on", X: PAGES.slice(0, 4), y: [1, 1, 0, 0] },
];
const N_UNITS = 4;
const RATE = 0.2;

const times = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const dot = (u, v) => u.reduce((sum, number, i) => sum + number * v[i], 0);

/* All of W1, row by row, then W2, from -1 to 1. */
export function drawWeights(seed) {
  const random = randomState(seed);
  const draw = () => 2 * random() - 1;
  return { W1: times(3, () => times(N_UNITS, draw)), W2: times(N_UNITS, draw) };
}

/* Everything that a page gives, forward and backward, by the chapter's names. */
export function bothWays({ W1, W2 }, x, target) {
  const z1 = times(N_UNITS, (j) => dot(x, W1.map((row) => row[j])));
  const a1 = z1.map((z) => Math.max(z, 0));
  const prediction = dot(a1, W2);
  const dprediction = prediction - target;
  const dW2 = a1.map((a) => a * dprediction);
  const da1 = W2.map((w) => dprediction * w);
  const dz1 = da1.map((d, j) => (z1[j] > 0 ? d : 0));
  const dW1 = x.map((light) => dz1.map((d) => light * d));
  return { z1, a1, prediction, loss: dprediction ** 2 / 2, dprediction, dW2, da1, dz1, dW1 };
}

/* Both layers after a step against gradients that were taken before either had moved. */
export const stepped = ({ W1, W2 }, { dW1, dW2 }) => ({
  W1: W1.map((row, i) => row.map((w, j) => w - RATE * dW1[i][j])),
  W2: W2.map((w, j) => w - RATE * dW2[j]),
});

/* The weights that each page meets, page after page, and the sum of squared errors of each epoch. */
export function train({ X, y }, weights, nEpochs) {
  const met = [weights], totals = [];
  for (let epoch = 0; epoch < nEpochs; epoch++) {
    let total = 0;
    X.forEach((x, page) => {
      const found = bothWays(met.at(-1), x, y[page]);
      total += found.dprediction ** 2;
      met.push(stepped(met.at(-1), found));
    });
    totals.push(total);
  }
  return { met, totals };
}

/* On how many pages each unit is on. */
export const pagesOn = (weights, X) => times(N_UNITS, (j) =>
  X.filter((x) => bothWays(weights, x, 0).z1[j] > 0).length);

/* The sum of squared errors over all pages with the same weights. */
export const squaredErrors = (weights, { X, y }) =>
  X.reduce((sum, x, page) => sum + bothWays(weights, x, y[page]).dprediction ** 2, 0);
