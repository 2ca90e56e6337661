/** @file Where the answers of gates differ from their labels, statement by statement. */
import { f32At, u8At } from "../../arrays.js";
import { NOT_ASKED } from "../../flow/asked.js";
import type { ConditionAtom } from "../../flow/graph.js";
import { answerWidth, statement } from "../../flow/masks.js";
import { FALSE, TRUE, type TruthColumn, UNKNOWN } from "../../flow/precondition.js";
import { behaviourOf } from "../../tasks/index.js";
import type { ScoredTask } from "../score.js";

/** The network does not say what is true of a gate, or says nothing; or it says what is not true. */
export const GATE_ERRORS = ["misses", "false_alarms"] as const;
export type GateError = (typeof GATE_ERRORS)[number];

/** What the network says of a statement, what is true of it, and which error that is. */
interface Code {
  readonly said: number;
  readonly truth: number;
  readonly error: GateError | null;
}

const CODES: readonly Code[] = [
  { said: FALSE, truth: FALSE, error: null },
  { said: TRUE, truth: TRUE, error: null },
  { said: UNKNOWN, truth: UNKNOWN, error: null },
  { said: FALSE, truth: TRUE, error: "misses" },
  { said: UNKNOWN, truth: TRUE, error: "misses" },
  // the answer "no" is missed as well
  { said: UNKNOWN, truth: FALSE, error: "misses" },
  { said: TRUE, truth: FALSE, error: "false_alarms" },
];

/** How many codes there are. */
export const CODE_COUNT = CODES.length;

/** What a code stands for. */
export function codeAt(code: number): Code {
  return CODES[code] as Code;
}

/** By what is said, then by what is true. */
const CODE_OF = Uint8Array.from({ length: 9 }, (_, i) =>
  CODES.findIndex(({ said, truth }) => said === Math.floor(i / 3) && truth === i % 3),
);

/**
 * What is said and what is true of a gate in each row, as codes. Where the gate is not asked by the labels, or has none,
 * there is no truth, and what the network says stands.
 * @param due of the gate, see `askedByLabels`
 */
export function statementCodes(atom: ConditionAtom, gate: ScoredTask, due: Uint8Array): Uint8Array {
  const { spec } = gate.task;
  const width = answerWidth(spec);
  const offset = atom.kind === "has" ? atom.label : 0;
  const holds = statement(atom);
  const truthOf = (answer: number): number => (Number.isNaN(answer) ? UNKNOWN : holds(answer) ? TRUE : FALSE);
  const isJudged = behaviourOf(spec).answeredBy === "network";
  const codes = new Uint8Array(due.length);
  for (let row = 0; row < codes.length; row++) {
    const said = truthOf(f32At(gate.decoded, row * width + offset));
    const label = truthOf(f32At(gate.labels.answers, row * width + offset));
    const truth = !isJudged || label === UNKNOWN || u8At(due, row) === NOT_ASKED ? said : label;
    codes[row] = u8At(CODE_OF, said * 3 + truth);
  }
  return codes;
}

/** @param isRight whether the gate's errors are corrected in a world */
export function truthsIn(
  codes: Uint8Array,
  signatureOf: Uint32Array,
  isRight: (error: GateError, world: number) => boolean,
): TruthColumn {
  return Uint8Array.from(signatureOf, (signature, world) => {
    const { said, truth, error } = codeAt(u8At(codes, signature));
    return error !== null && isRight(error, world) ? truth : said;
  });
}
