/* A plane through points, with two weights to learn: its loss, its gradient, and the way down. */
import { POINTS } from "./noisy-plane.js";
import { randomState } from "./random.js";

export const N = POINTS.length;
const BIAS = 1; // held where it belongs, so that two weights are left
const PLANE = [3, -2];

const predict = ([x1, x2], [w1, w2]) => x1 * w1 + x2 * w2 + BIAS;
const residual = (point, weights) => predict(point, weights) - point[2];
const mean = (points, f) => points.reduce((sum, point) => sum + f(point), 0) / points.length;

export const NOISY = POINTS;
export const CLEAN = POINTS.map(([x1, x2]) => [x1, x2, predict([x1, x2], PLANE)]);

export const lossOf = (weights, points) => mean(points, (point) => 0.5 * residual(point, weights) ** 2);

export const gradientOf = (weights, batch) =>
  [0, 1].map((i) => mean(batch, (point) => residual(point, weights) * point[i]));

/* For each epoch an order of the points, that of as many random keys. */
export function shuffles(seed, nEpochs) {
  const draw = randomState(seed);
  return Array.from({ length: nEpochs }, () => {
    const keys = Array.from({ length: N }, draw);
    return [...keys.keys()].sort((i, j) => keys[i] - keys[j]);
  });
}

/* The weights at the start and after each update; each epoch has its order of the points. */
export function descend(points, orders, batchSize, rate) {
  const path = [[0, 0]];
  for (const order of orders) {
    for (let first = 0; first < N; first += batchSize) {
      const batch = order.slice(first, first + batchSize).map((i) => points[i]);
      const weights = path.at(-1), gradient = gradientOf(weights, batch);
      path.push(weights.map((w, i) => w - rate * gradient[i]));
    }
  }
  return path;
}

/* The entries a, b, c of the Hessian [[a, b], [b, c]], and the lowest point of the loss. */
export function bowl(points) {
  const [a, b, c] = [[0, 0], [0, 1], [1, 1]].map(([i, j]) => mean(points, (point) => point[i] * point[j]));
  const [u, v] = gradientOf([0, 0], points), area = a * c - b * b;
  return { hessian: [a, b, c], lowest: [(b * v - c * u) / area, (b * u - a * v) / area] };
}

/* The ring of weights on which the loss is so much above its lowest. */
export function ring({ hessian: [a, b, c], lowest }, height) {
  return Array.from({ length: 73 }, (_, i) => {
    const [x, y] = [Math.cos(i * Math.PI / 36), Math.sin(i * Math.PI / 36)];
    const radius = Math.sqrt(2 * height / (a * x * x + 2 * b * x * y + c * y * y));
    return [lowest[0] + radius * x, lowest[1] + radius * y];
  });
}
