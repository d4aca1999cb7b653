/* The bell curve, with mean 0 and standard deviation 1. */

export const normalDensity = (z) => Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI);

/* The probability that a standard normal number is below z: a power series in the middle, and a
   continued fraction in the tails, where the series would lose its digits. */
export function normalCdf(z) {
  if (z > 3) return 1 - normalCdf(-z);
  if (z < -3) {
    let fraction = -z;
    for (let k = 100; k > 0; k--) fraction = -z + k / fraction;
    return normalDensity(z) / fraction;
  }
  let term = z, sum = z;
  for (let k = 3; Math.abs(term) > 1e-17; k += 2) {
    term *= z ** 2 / k;
    sum += term;
  }
  return 0.5 + normalDensity(z) * sum;
}
