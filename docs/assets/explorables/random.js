/* NumPy's legacy generator: the numbers of np.random.RandomState(seed).random_sample, in their order.
   Mersenne Twister 19937 (Matsumoto and Nishimura 1998), seeded with one whole number. */
const SIZE = 624;

function seeded(seed) {
  const state = new Uint32Array(SIZE);
  state[0] = seed;
  for (let i = 1; i < SIZE; i++) {
    const last = state[i - 1] ^ (state[i - 1] >>> 30);
    state[i] = Math.imul(1812433253, last) + i;
  }
  return state;
}

function twist(state) {
  for (let i = 0; i < SIZE; i++) {
    const y = (state[i] & 0x80000000) | (state[(i + 1) % SIZE] & 0x7fffffff);
    state[i] = state[(i + 397) % SIZE] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
  }
}

function tempered(y) {
  y ^= y >>> 11;
  y ^= (y << 7) & 0x9d2c5680;
  y ^= (y << 15) & 0xefc60000;
  return (y ^ (y >>> 18)) >>> 0;
}

/* A function that returns the next number, from 0 to below 1, each time it is called. */
export function randomState(seed) {
  const state = seeded(seed);
  let at = SIZE;
  function next() {
    if (at === SIZE) { twist(state); at = 0; }
    return tempered(state[at++]);
  }
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
}
