/** @file How likely each question of a row is asked, given the labels that are known and a network's answers to the rest. */
import { at, f32At } from "../../arrays.js";
import { unitScaleAt } from "../../decoding/decoders.js";
import { choiceProbabilities, questionProbabilities } from "../audit/forms.js";
import { type Lattice, type Signatures, signatureOf, truthsOf } from "../audit/lattice.js";
import type { ErrorScale } from "../audit/residuals.js";
import type { ScoredTask } from "../score.js";

/**
 * Probability of each signature of a task's answer: 1 for that of a label, else by the network.
 * @param scale of the errors of a number; where there is none its answer is taken as it is
 */
export function signatureProbabilities(
  scored: ScoredTask,
  form: Lattice["layers"][number]["form"],
  signatures: Signatures,
  row: number,
  scale: ErrorScale | null,
): number[] {
  const width = scored.labels.answers.length / scored.labelled.length;
  const label = (i: number): number => f32At(scored.labels.answers, row * width + i);
  const known = scored.labelled[row] === 1 ? signatureOf(signatures, label) : -1;
  if (known >= 0 || form === null) return signatures.truths.map((_, s) => Number(s === Math.max(0, known)));
  switch (form.kind) {
    case "choice": {
      const sums = signatures.truths.map(() => 0);
      for (const [value, probability] of choiceProbabilities(scored, form.values, row).entries()) {
        const signature = signatureOf(signatures, () => value);
        sums[signature] = at(sums, signature) + probability;
      }
      return sums;
    }
    case "questions": {
      const yes = questionProbabilities(scored, form.width, row);
      return signatures.truths.map((truths) =>
        signatures.atoms.reduce((product, atom, a) => {
          const probability = at(yes, atom.kind === "has" ? atom.label : 0);
          return product * (truths[a] === 1 ? probability : 1 - probability);
        }, 1),
      );
    }
    case "numbers":
      return numberSignatures(
        signatures,
        f32At(scored.decoded, row * width),
        unitScaleAt(scored.labels.unitScale, row),
        scale,
      );
    default:
      return form satisfies never;
  }
}

function numberSignatures(signatures: Signatures, answer: number, unit: number, scale: ErrorScale | null): number[] {
  const bounds = [...new Set(signatures.atoms.flatMap((atom) => ("value" in atom ? [Math.fround(atom.value)] : [])))];
  bounds.sort((a, b) => a - b);
  const below = (bound: number): number =>
    scale === null ? Number(answer < bound) : studentBelow(((bound - answer) / unit - scale.centre) / scale.scale);
  const cuts = [0, ...bounds.map(below), 1];
  const sums = signatures.truths.map(() => 0);
  for (const [i, from] of [Number.NEGATIVE_INFINITY, ...bounds].entries()) {
    const truths = truthsOf(signatures.atoms, () => from);
    const signature = signatures.truths.findIndex((one) => one.every((truth, a) => truth === truths[a]));
    sums[signature] = at(sums, signature) + at(cuts, i + 1) - at(cuts, i);
  }
  return sums;
}

/** Distribution function of the t distribution with four degrees of freedom. */
export function studentBelow(t: number): number {
  const part = 1 + (t * t) / 4;
  return 0.5 + ((3 / 8) * t * (1 - (t * t) / (12 * part))) / Math.sqrt(part);
}

/**
 * Probability that each task is asked, exact where answers are independent of each other given the picture: a sum over
 * all ways through the flow.
 * @param signatures per layer of the lattice
 */
export function askedProbabilities({ layers }: Lattice, signatures: readonly (readonly number[])[]): number[] {
  let states = [1];
  return layers.map(({ edges, after }, i) => {
    const next = new Array<number>(after).fill(0);
    const own = at(signatures, i);
    let asked = 0;
    for (const edge of edges) {
      // an answer that is asked for is given in the end
      if (edge.asked && edge.signature < 0) continue;
      const probability = at(states, edge.from) * (edge.asked ? at(own, edge.signature) : 1);
      next[edge.to] = at(next, edge.to) + probability;
      if (edge.asked) asked += probability;
    }
    states = next;
    return asked;
  });
}
