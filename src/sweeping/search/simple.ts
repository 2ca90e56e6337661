/** @file Searches that do not look back: all combinations, and numbers drawn independently. */
import { createRandom } from "../../data/rng.js";
import { UsageError } from "../../errors.js";
import {
  chooseEach,
  everyValue,
  fromUnit,
  isActive,
  type Parameters,
  type ParameterValue,
  type Space,
} from "../space/space.js";

/** More trials than anyone runs. */
const MOST_COMBINATIONS = 100_000;

/**
 * All combinations of values, the last parameter changing fastest; a parameter that does not apply has none.
 * @throws UsageError for a range without steps, and for a grid of more than 100,000 combinations
 */
export function grid(space: Space): readonly Parameters[] {
  let combinations: Parameters[] = [{}];
  for (const parameter of space) {
    const values = everyValue(parameter);
    if (values === null) {
      throw new UsageError(
        `A grid needs values to choose from, and ${parameter.name} may be any number of its range. List them (${parameter.name}=0.1,0.01), give the range a step (:step=0.1), or search otherwise (--search tpe).`,
        { parameter: parameter.name },
      );
    }
    combinations = combinations.flatMap((before) =>
      isActive(parameter, before) ? withEach(before, parameter.name, values) : [before],
    );
    if (combinations.length > MOST_COMBINATIONS) {
      throw new UsageError(
        `The grid has more than ${MOST_COMBINATIONS} combinations. Search otherwise (--search tpe).`,
        {
          most: MOST_COMBINATIONS,
        },
      );
    }
  }
  return combinations;
}

function withEach(before: Parameters, name: string, values: readonly ParameterValue[]): Parameters[] {
  return values.map((value) => ({ ...before, [name]: value }));
}

/**
 * Every parameter drawn evenly from its range or choices (Bergstra & Bengio, Random search for hyper-parameter
 * optimization, JMLR 13, 2012).
 * @param number of the trial: the same one is drawn the same way again
 */
export function randomChoice(space: Space, seed: number, number: number): Parameters {
  const random = createRandom(`sweep ${seed} ${number}`);
  // one draw for each parameter, also for one that does not apply: the others do not depend on it
  const units = space.map(() => random.next());
  return chooseEach(space, (parameter, index) => fromUnit(parameter, units[index] ?? 0));
}
