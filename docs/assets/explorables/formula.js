/* Reads a formula as Python does, into Values: + - * / **, brackets, names, numbers, five functions, and
   statements such as c = a + b, with semicolons between them. */
import { FUNCTIONS, call, combine, lifted, negated } from "./values.js";

const TOKEN = /(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<name>[\p{L}_][\p{L}\p{N}_]*)|\*\*|[-+*/()=;]/uy;
const HINTS = { "^": "a power is written **", "×": "a product is written *", "·": "a product is written *", "−": "minus is written -" };
const listed = Object.keys(FUNCTIONS).join(", ");

/* What is not understood, and from where to where it stands. */
export class Unclear extends Error {
  constructor(message, { start, end }) {
    super(message);
    Object.assign(this, { start, end });
  }
}

function tokensOf(text) {
  const tokens = [];
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at += text.slice(at).match(/^\s*/)[0].length;
    if (at === text.length) break;
    const found = TOKEN.exec(text), sign = String.fromCodePoint(text.codePointAt(at));
    if (!found) throw new Unclear(HINTS[sign] ?? `${sign} is not understood`, { start: at, end: at + sign.length });
    const { number, name } = found.groups;
    tokens.push({ text: found[0], number, name, start: at, end: TOKEN.lastIndex });
  }
  return [...tokens, { text: "", start: text.length, end: text.length }];
}

/* The Value of the last statement. `numberOf` is asked for the number of each name that no statement has
   made. Raises Unclear. */
export function read(text, numberOf) {
  const tokens = tokensOf(text), known = new Map();
  let at = 0;
  const next = (...signs) => signs.includes(tokens[at].text) && tokens[at].text;
  const missing = (what) => {
    const { text: found, start } = tokens[at];
    const place = found ? `${found} stands` : start ? "the formula ends" : "nothing stands";
    return new Unclear(`${place} where ${what} should be`, tokens[at]);
  };

  /* Run a rule; what it refuses is told with the place of the operation. */
  function placed(token, rule) {
    try { return rule(); } catch (fault) {
      throw fault instanceof RangeError ? new Unclear(fault.message, token) : fault;
    }
  }

  function chain(signs, part) {
    let left = part();
    while (next(...signs)) {
      const token = tokens[at++], right = part();
      left = placed(token, () => combine(token.text, left, right));
    }
    return left;
  }

  const sum = () => chain(["+", "-"], product);
  const product = () => chain(["*", "/"], signed);

  function signed() {
    if (!next("-")) return raised();
    at++;
    return negated(signed());
  }

  function raised() {
    const base = atom();
    if (!next("**")) return base;
    const token = tokens[at++], exponent = signed();
    return placed(token, () => combine("**", base, exponent));
  }

  function atom() {
    const token = tokens[at++];
    if (token.number) return Number(token.number);
    if (token.name && next("(")) return called(token);
    if (token.name && Object.hasOwn(FUNCTIONS, token.name)) throw missing(`the bracket of ${token.name}`);
    if (token.name) return named(token.name);
    at--;
    if (!next("(")) throw missing("a number, a name or a bracket");
    return bracketed();
  }

  function bracketed() {
    at++;
    const inside = sum();
    if (!next(")")) throw missing("an operation or )");
    at++;
    return inside;
  }

  function called(token) {
    if (!Object.hasOwn(FUNCTIONS, token.name)) throw new Unclear(`${token.name} is not a function that is known here: ${listed}`, token);
    const inside = bracketed();
    return placed(token, () => call(token.name, inside));
  }

  function named(name) {
    if (!known.has(name)) {
      const leaf = lifted(numberOf(name));
      leaf.name = name;
      known.set(name, leaf);
    }
    return known.get(name);
  }

  function statement() {
    const [{ name }, after] = tokens.slice(at);
    if (!name || after.text !== "=") return sum();
    at += 2;
    const made = sum();
    known.set(name, made);
    if (made.name === "") made.name = name;
    return made;
  }

  let last = statement();
  while (next(";")) {
    at++;
    if (tokens[at].text) last = statement();
  }
  if (tokens[at].text) throw missing("an operation");
  return lifted(last);
}
