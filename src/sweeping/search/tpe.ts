/** @file The tree-structured Parzen estimator (Bergstra, Bardenet, Bengio & Kégl, Algorithms for hyper-parameter optimization, NIPS 2011). */
import { at } from "../../arrays.js";
import { createRandom, type Random } from "../../data/rng.js";
import { chooseEach, type Parameter, type Parameters, type Space } from "../space/space.js";
import { bestFirst } from "./order.js";
import { type Density, jointDensity } from "./parzen.js";
import { randomChoice } from "./simple.js";
import type { Trial } from "./trials.js";

/** Trials that are drawn at random before anything is estimated. */
export const STARTUP_TRIALS = 10;
/** Candidates that are drawn from the density of the good trials for each parameter. */
const CANDIDATES = 24;
/** Of the trials so many count as good: a tenth, and at most these. */
const GOOD_SHARE = 0.1;
const MOST_GOOD = 25;
/** Older trials than the last so many count the less the older they are (Bergstra, Yamins & Cox, ICML 2013). */
const WHOLE_WEIGHTS = 25;

/**
 * The next trial. Past ones are split into good and bad; from the density of the good ones, l(x), 24 candidates are drawn,
 * and the one is taken whose l(x) / g(x) is largest, which maximises the expected improvement. Parameters that always
 * apply are drawn together, each of the others by the trials in which it applied, which is the tree. Failed trials are bad
 * ones, and so are running ones, so that several processes do not all try the same.
 * @param number of the trial: the same one, after the same others, is chosen the same way again
 */
export function tpeChoice(space: Space, trials: readonly Trial[], seed: number, number: number): Parameters {
  const ended = trials.filter(({ outcome }) => outcome.kind !== "running");
  if (ended.length < STARTUP_TRIALS) return randomChoice(space, seed, number);
  const random = createRandom(`tpe ${seed} ${number}`);
  const numGood = Math.min(Math.ceil(GOOD_SHARE * ended.length), MOST_GOOD);
  const goodNumbers = new Set(bestFirst(ended, numGood).map((trial) => trial.number));
  const good = trials.filter((trial) => goodNumbers.has(trial.number));
  const bad = trials.filter((trial) => !goodNumbers.has(trial.number));
  const draw = (parameters: readonly Parameter[]): Parameters =>
    bestCandidate(densityOf(parameters, good), densityOf(parameters, bad), random);
  const always = draw(space.filter(({ when }) => when === null));
  return chooseEach(space, (parameter) => {
    const own = parameter.when === null ? always : draw([parameter]);
    return own[parameter.name] ?? null;
  });
}

function bestCandidate(good: Density, bad: Density, random: Random): Parameters {
  const candidates = Array.from({ length: CANDIDATES }, () => good.draw(random));
  const scores = candidates.map((values) => good.logDensity(values) - bad.logDensity(values));
  return at(candidates, scores.indexOf(Math.max(...scores)));
}

function densityOf(parameters: readonly Parameter[], trials: readonly Trial[]): Density {
  // a study whose space was another may have trials without them
  const seen = trials.filter((trial) => parameters.every(({ name }) => Object.hasOwn(trial.parameters, name)));
  return jointDensity(
    parameters,
    seen.map((trial) => trial.parameters),
    recencyWeights(seen.length),
  );
}

/** 1 for the latest, less for those before them. */
function recencyWeights(count: number): number[] {
  const old = Math.max(0, count - WHOLE_WEIGHTS);
  return Array.from({ length: count }, (_, i) =>
    i >= old ? 1 : old === 1 ? 1 / count : 1 / count + (i / (old - 1)) * (1 - 1 / count),
  );
}
