/** @file Sobol's sequence: points that fill the space more evenly than independent draws. */
import { u32At } from "../../arrays.js";
import { createRandom } from "../../data/rng.js";
import { UsageError } from "../../errors.js";
import { chooseEach, fromUnit, type Parameters, type Space } from "../space/space.js";

/**
 * Primitive polynomials (as bits, the highest degree first) and initial direction numbers of dimensions 2 to 40, from
 * Joe & Kuo's table new-joe-kuo-6.21201 (Constructing Sobol sequences with better two-dimensional projections, SIAM
 * J. Sci. Comput. 30, 2008).
 */
const DIRECTIONS =
  "3 1;7 1 3;11 1 3 1;13 1 1 1;19 1 1 3 3;25 1 3 5 13;37 1 1 5 5 17;41 1 1 5 5 5;47 1 1 7 11 19;55 1 1 5 1 1;59 1 1 1 3 11;61 1 3 5 5 31;67 1 3 3 9 7 49;91 1 1 1 15 21 21;97 1 3 1 13 27 49;103 1 1 1 15 7 5;109 1 3 1 15 13 25;115 1 1 5 5 19 61;131 1 3 7 11 23 15 103;137 1 3 7 13 13 15 69;143 1 1 3 13 7 35 63;145 1 3 5 9 1 25 53;157 1 3 1 13 9 35 107;167 1 3 1 5 27 61 31;171 1 1 5 11 19 41 61;185 1 3 5 3 3 13 69;191 1 1 7 13 1 19 1;193 1 3 7 5 13 19 59;203 1 1 3 9 25 29 41;211 1 3 5 13 23 1 55;213 1 3 7 3 13 59 17;229 1 3 1 3 5 53 69;239 1 1 5 5 23 33 13;241 1 1 7 7 1 61 123;247 1 1 7 9 13 61 49;253 1 3 3 5 3 55 33;285 1 3 1 15 31 13 49 245;299 1 3 5 15 31 59 63 97;301 1 3 1 11 11 11 77 249";

const BITS = 32;

/** Direction numbers of each dimension, as binary fractions of 32 bits. */
const directions: readonly Uint32Array[] = [
  Uint32Array.from({ length: BITS }, (_, i) => 2 ** (BITS - 1 - i)),
  ...DIRECTIONS.split(";").map((row) => {
    const [polynomial = 0, ...initial] = row.split(" ").map(Number);
    return directionNumbers(polynomial, initial);
  }),
];

export const MOST_DIMENSIONS = directions.length;

/** The recurrence of Bratley & Fox (Algorithm 659, ACM TOMS 14, 1988), equation 2. */
function directionNumbers(polynomial: number, initial: readonly number[]): Uint32Array {
  const degree = initial.length;
  const numbers = new Uint32Array(BITS);
  for (let i = 0; i < BITS; i++) {
    if (i < degree) {
      numbers[i] = (initial[i] ?? 0) << (BITS - 1 - i);
      continue;
    }
    let next = u32At(numbers, i - degree) ^ (u32At(numbers, i - degree) >>> degree);
    for (let k = 1; k < degree; k++) {
      if ((polynomial >>> (degree - k)) & 1) next ^= u32At(numbers, i - k);
    }
    numbers[i] = next;
  }
  return numbers;
}

/**
 * A point of the sequence in Gray code's order (Antonov & Saleev 1979): the first is the origin.
 * @param index from 0
 * @param shift of each dimension, XORed with its bits: a digital shift keeps what makes the points even
 * @returns coordinates in [0, 1)
 */
export function sobolPoint(index: number, dimensions: number, shift?: Uint32Array): number[] {
  const gray = index ^ (index >>> 1);
  return directions.slice(0, dimensions).map((numbers, dimension) => {
    let bits = shift === undefined ? 0 : u32At(shift, dimension);
    for (let i = 0; i < BITS; i++) if ((gray >>> i) & 1) bits ^= u32At(numbers, i);
    return (bits >>> 0) / 2 ** BITS;
  });
}

/**
 * The next point of a sequence that is shifted by the seed.
 * @throws UsageError for more parameters than there are direction numbers
 */
export function sobolChoice(space: Space, seed: number, number: number): Parameters {
  if (space.length > MOST_DIMENSIONS) {
    throw new UsageError(
      `Sobol's sequence is known here for ${MOST_DIMENSIONS} parameters at most, and these are ${space.length}. Search otherwise (--search random).`,
      { parameters: space.length, most: MOST_DIMENSIONS },
    );
  }
  const random = createRandom(`sobol ${seed}`);
  const shift = Uint32Array.from(space, () => random.int(2 ** BITS));
  const point = sobolPoint(number - 1, space.length, shift);
  return chooseEach(space, (parameter, index) => fromUnit(parameter, point[index] ?? 0));
}
