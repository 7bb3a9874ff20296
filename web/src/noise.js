// Random numbers that a dream's key and tick determine: the same ones as in rnn/dream/noise.py, so
// that a seed names a dream.

const STRIDES = [0x9e3779b9, 0x85ebca6b];
const SHIFTS = [16, 15, 16];
const MULTIPLIERS = [0x7feb352d, 0x846ca68b];

/** Numbers uniform in (0, 1) of a key and a tick, both whole numbers below 2^32. */
export function uniform(key, tick, count) {
  const row = hash(hash(key) ^ Math.imul(tick, STRIDES[0]));
  return Float32Array.from({ length: count }, (_, place) => {
    const bits = hash(row ^ Math.imul(place, STRIDES[1])) >>> 9;
    return (bits + 0.5) * 2 ** -23;
  });
}

/** The standard normal number below which a share p in (0, 1) lies; off by 1e-9 of it at most.
 *
 * Acklam's rational approximation of the inverse of the normal distribution. */
export function normal(p) {
  if (p > 0.5) return -normal(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return polynomial(TAIL, q) / (q * polynomial(TAIL_BELOW, q) + 1);
  }
  const q = p - 0.5;
  const r = q * q;
  return (q * polynomial(CENTRE, r)) / (r * polynomial(CENTRE_BELOW, r) + 1);
}

const CENTRE = [
  -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2,
  -3.066479806614716e1, 2.506628277459239,
];
const CENTRE_BELOW = [
  -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1,
  -1.328068155288572e1,
];
const TAIL = [
  -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734,
  4.374664141464968, 2.938163982698783,
];
const TAIL_BELOW = [
  7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416,
];

function polynomial(coefficients, x) {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}

function hash(value) {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> SHIFTS[0]), MULTIPLIERS[0]);
  x = Math.imul(x ^ (x >>> SHIFTS[1]), MULTIPLIERS[1]);
  return (x ^ (x >>> SHIFTS[2])) >>> 0;
}
