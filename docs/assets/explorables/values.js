/* Numbers that remember what they were computed from: the Value of chapter 15, with its table. */

export class Value {
  constructor(data, sign = "", left = null, leftSlope = 0, right = null, rightSlope = 0) {
    Object.assign(this, { data, sign, left, leftSlope, right, rightSlope, name: "" });
  }

  get edges() {
    return [[this.left, this.leftSlope], [this.right, this.rightSlope]].filter(([parent]) => parent);
  }

  /* What this was computed from and itself, each after its parents. */
  history() {
    const order = [], path = [this], seen = new Set(path);
    while (path.length) {
      const fresh = path.at(-1).edges.find(([parent]) => !seen.has(parent));
      if (!fresh) { order.push(path.pop()); continue; }
      seen.add(fresh[0]);
      path.push(fresh[0]);
    }
    return order;
  }
}

/* The shares that each Value has received once so many of those that were computed have passed on theirs,
   users before parents, and for each that has passed on, what went along its edges. */
export function sweep(output, nPassed = Infinity) {
  const order = output.history(), received = new Map(order.map((value) => [value, []])), passed = new Map();
  received.get(output).push(1);
  for (const value of order.filter(({ left }) => left).reverse().slice(0, nPassed)) {
    const gradient = total(received.get(value));
    passed.set(value, value.edges.map(([, slope]) => gradient * slope));
    value.edges.forEach(([parent], i) => received.get(parent).push(passed.get(value)[i]));
  }
  return { received, passed };
}

/* How many uses each Value has: the shares that it waits for. */
export function usesOf(output) {
  const order = output.history(), uses = new Map(order.map((value) => [value, 0]));
  for (const value of order) for (const [parent] of value.edges) uses.set(parent, uses.get(parent) + 1);
  return uses;
}

export const total = (shares) => shares.reduce((sum, share) => sum + share, 0);

function power(x, n) {
  if (x < 0 && !Number.isInteger(n)) throw new RangeError(`the base is ${x}; to the power of ${n} it should not be negative`);
  if (x === 0 && n < 0) throw new RangeError(`the base is 0; to the power of ${n} it should not be 0`);
  if (n === 0) return [1, 0];
  if (x === 0 && n < 1) return [0, Infinity];
  return [x ** n, n * x ** (n - 1)];
}

/* What an operation gives for two numbers, and its slope for each of them. */
const OPERATIONS = {
  "+": (u, v) => [u + v, 1, 1],
  "-": (u, v) => [u - v, 1, -1],
  "*": (u, v) => [u * v, v, u],
  "/": (u, v) => {
    if (v === 0) throw new RangeError("this divides by 0");
    return [u / v, 1 / v, -(u / v) / v];
  },
  "**": (u, v) => {
    if (u <= 0) throw new RangeError(`the base is ${u}; with names in the exponent it should be positive`);
    const [y, slope] = power(u, v);
    return [y, slope, y * Math.log(u)];
  },
};

export const FUNCTIONS = {
  relu: (x) => [Math.max(x, 0), Number(x > 0)],
  tanh: (x) => [Math.tanh(x), 1 - Math.tanh(x) ** 2],
  sigmoid: (x) => {
    const small = Math.exp(-Math.abs(x));
    return [x > 0 ? 1 / (1 + small) : small / (1 + small), small / (1 + small) ** 2];
  },
  exp: (x) => [Math.exp(x), Math.exp(x)],
  log: (x) => {
    if (x <= 0) throw new RangeError(`the logarithm is of ${x}; it should be of a positive number`);
    return [Math.log(x), 1 / x];
  },
};

const isPlain = (operand) => typeof operand === "number";
export const lifted = (operand) => (isPlain(operand) ? new Value(operand) : operand);

function finite(y) {
  if (Number.isFinite(y)) return y;
  throw new RangeError("the result is too large");
}

/* Apply an operation to Values and plain numbers; two plain numbers give a plain number. */
export function combine(sign, left, right) {
  if (isPlain(left) && isPlain(right)) return finite(sign === "**" ? power(left, right)[0] : OPERATIONS[sign](left, right)[0]);
  if (isPlain(left) && "+*".includes(sign)) return combine(sign, right, left);
  if (sign === "**" && isPlain(right)) return applied(`**${right}`, left, (x) => power(x, right));
  const [u, v] = [lifted(left), lifted(right)];
  const [y, leftSlope, rightSlope] = OPERATIONS[sign](u.data, v.data);
  return new Value(finite(y), sign, u, leftSlope, v, rightSlope);
}

function applied(sign, operand, rule) {
  const [y, slope] = rule(operand.data);
  return new Value(finite(y), sign, operand, slope);
}

export const call = (name, operand) => applied(name, lifted(operand), FUNCTIONS[name]);

export const negated = (operand) => (isPlain(operand) ? -operand : applied("-", operand, (x) => [-x, -1]));
