/* The network of chapter 13, which learns digits: 64 pixels, 32 hidden units, 10 classes, all images at
   every update. Matrices are flat, row by row, in the notation and with the names of the package. */
import { IMAGES, LABELS } from "./digits.js";

const D = 64, H = 32, K = 10;
export const SIZES = { weights_1: D * H, bias_1: H, weights_2: H * K, bias_2: K };
const x = Float64Array.from(IMAGES, (letter) => (letter.charCodeAt(0) - 97) / 16);
const labels = Array.from(LABELS, Number);
const N = labels.length;

/* a (n, m) times b (m, k). */
function product(a, b, n, m, k) {
  const out = new Float64Array(n * k);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) {
      const v = a[i * m + j];
      if (v) for (let l = 0, to = i * k, from = j * k; l < k; l++) out[to++] += v * b[from++];
    }
  return out;
}

function transposed(a, n, m) {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) out[j * n + i] = a[i * m + j];
  return out;
}

const xTransposed = transposed(x, N, D);

function sumOfRows(a, n, k) {
  const out = new Float64Array(k);
  for (let i = 0; i < n; i++) for (let l = 0; l < k; l++) out[l] += a[i * k + l];
  return out;
}

function dense(a, weights, bias, n, m, k) {
  const z = product(a, weights, n, m, k);
  return z.map((v, i) => v + bias[i % k]);
}

/* NumPy's default_rng(0): PCG64, from the state in which that seed leaves it. */
export function defaultRng0() {
  const mask = (1n << 128n) - 1n, increment = 87136372517582989555478159403783844777n;
  let state = 35399562948360463058890781895381311971n;
  return function random() {
    state = state * 47026247687942121848144207491837523525n + increment & mask;
    const word = (state >> 64n ^ state) & (1n << 64n) - 1n, turn = state >> 122n;
    const bits = (word >> turn | word << 64n - turn) & (1n << 64n) - 1n;
    return Number(bits >> 11n) * 2 ** -53;
  };
}

const uniform = (random, size) => Float64Array.from({ length: size }, () => 2 * random() - 1);

export function initialize(random) {
  const weights_1 = uniform(random, D * H).map((v) => v / Math.sqrt(D));
  const weights_2 = uniform(random, H * K).map((v) => v / Math.sqrt(H));
  return { weights_1, bias_1: new Float64Array(H), weights_2, bias_2: new Float64Array(K) };
}

/* A direction of length 1 through all the parameters. */
export function randomDirection(random) {
  const direction = Object.entries(SIZES).map(([name, size]) => [name, uniform(random, size)]);
  const length = Math.sqrt(inner(Object.fromEntries(direction), Object.fromEntries(direction)));
  return Object.fromEntries(direction.map(([name, array]) => [name, array.map((v) => v / length)]));
}

export const inner = (a, b) =>
  Object.keys(SIZES).reduce((sum, name) => a[name].reduce((s, v, i) => s + v * b[name][i], sum), 0);

/* The parameters less a rate times their gradients. */
export const sgdStep = (parameters, gradients, rate) => Object.fromEntries(
  Object.entries(parameters).map(([name, array]) => [name, array.map((v, i) => v - rate * gradients[name][i])]));

export const ACTIVATIONS = {
  sigmoid: { value: (z) => 1 / (1 + Math.exp(-z)), slope: (a) => a * (1 - a) },
  tanh: { value: Math.tanh, slope: (a) => 1 - a * a },
  ReLU: { value: (z) => Math.max(z, 0), slope: (a) => Number(a > 0) },
};

/* The places where a backward pass can go wrong, each as it should be. */
export const RIGHT = {
  dlogits: (d) => d,
  weights: (w) => w,
  slope: (slope) => slope,
  sign: 1,
};

/* The exhibits of chapter 13 that fit this network: what each has in one of those places. */
export const MISTAKES = {
  "slope left out": { slope: () => 1 },
  "gate always open": { slope: () => 1 },
  "half a Jacobian": { dlogits: (d, isLabel) => isLabel ? d : 0 },
  "first layer climbs": { sign: -1 },
  "weights from the future": { weights: (w, dw, rate) => w - rate * dw },
};

/* Return the loss, and a backward pass with a mistake in it. */
export function digitsLoss(p, { value, slope }) {
  const a = dense(x, p.weights_1, p.bias_1, N, D, H).map(value);
  const exps = dense(a, p.weights_2, p.bias_2, N, H, K);
  let loss = 0;
  for (let i = 0; i < N; i++) {
    const row = exps.subarray(i * K, (i + 1) * K), largest = Math.max(...row);
    const shifted = row[labels[i]] - largest;
    let total = 0;
    for (let l = 0; l < K; l++) total += row[l] = Math.exp(row[l] - largest);
    for (let l = 0; l < K; l++) row[l] /= total;
    loss += (Math.log(total) - shifted) / N;
  }

  function backward(mistake, rate) {
    const made = { ...RIGHT, ...mistake };
    const dlogits = exps.map((probability, i) => {
      const isLabel = i % K === labels[Math.floor(i / K)];
      return made.dlogits((probability - isLabel) / N, isLabel);
    });
    const dweights_2 = product(transposed(a, N, H), dlogits, H, N, K);
    const weights_2 = p.weights_2.map((w, i) => made.weights(w, dweights_2[i], rate));
    const da = product(dlogits, transposed(weights_2, H, K), N, K, H);
    const dz = da.map((d, i) => made.sign * d * made.slope(slope(a[i])));
    return {
      weights_1: product(xTransposed, dz, D, N, H), bias_1: sumOfRows(dz, N, H),
      weights_2: dweights_2, bias_2: sumOfRows(dlogits, N, K),
    };
  }
  return { loss, backward };
}

/* The slope of the loss along a direction, from two losses: chapter 11's check. */
export function measuredSlope(parameters, direction, activation) {
  const step = (2 ** -52) ** (1 / 3);
  const above = digitsLoss(sgdStep(parameters, direction, -step), activation).loss;
  const below = digitsLoss(sgdStep(parameters, direction, step), activation).loss;
  return (above - below) / (2 * step);
}
