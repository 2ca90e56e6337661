/** @file Whether a task is asked when some errors of its gates are corrected and others are not. */
import { at, f64At, u32At, u8At } from "../../arrays.js";
import { ASKED } from "../../flow/asked.js";
import { codeAt, GATE_ERRORS, type GateError, truthsIn } from "./gate-errors.js";
import { askedIn, type GatesAbove } from "./gates-above.js";
import type { Signatures } from "./signatures.js";

/** All errors of one kind that one gate makes: they are corrected together. */
export interface Player {
  readonly gate: string;
  readonly error: GateError;
}

/** How well a task does in the rows of each signature. Shapes [signatures] */
export interface SignatureTotals {
  /** Rows whose right answer is known, or of which it is known that there is none. */
  readonly rows: Float64Array;
  /** Share of right answers if asked, summed. */
  readonly right: Float64Array;
}

/** What hangs on the errors of the gates above some tasks. */
export interface AskedGame {
  readonly above: GatesAbove;
  readonly signatures: Signatures;
  /** Those who make errors; in the order of the flow. */
  readonly players: readonly Player[];
  /** Players whose errors a row has, as bits, with all ways to correct some of them; null: too many. */
  readonly worlds: Worlds | null;
}

/** Every signature with each set of its own errors corrected. Shapes [worlds] */
interface Worlds {
  readonly signatureOf: Uint32Array;
  /** Players that are corrected, as bits; those of one signature in the order in which sets count up. */
  readonly corrected: Uint32Array;
  readonly asked: Uint8Array;
}

/** How much is computed exactly. */
export interface GameLimits {
  /** Up to so many kinds of errors are shared out exactly; 2 to the power of this are the coalitions. */
  readonly players: number;
  readonly worlds: number;
}

export const EXACT: GameLimits = { players: 16, worlds: 2 ** 21 };

export function askedGame(above: GatesAbove, signatures: Signatures, limits: GameLimits = EXACT): AskedGame {
  const players = above.gates.flatMap(({ path }) =>
    GATE_ERRORS.map((error): Player => ({ gate: path, error })).filter((player) =>
      makesErrors(above, signatures, player),
    ),
  );
  const game = { above, signatures, players };
  return { ...game, worlds: players.length > limits.players ? null : worldsOf(game, limits.worlds) };
}

function makesErrors({ statements }: GatesAbove, { codes }: Signatures, { gate, error }: Player): boolean {
  return statements.some(
    (statement, i) => statement.task === gate && at(codes, i).some((code) => codeAt(code).error === error),
  );
}

function playerOf(players: readonly Player[], gate: string, error: GateError): number {
  return players.findIndex((player) => player.gate === gate && player.error === error);
}

function worldsOf(game: Omit<AskedGame, "worlds">, most: number): Worlds | null {
  const { above, signatures, players } = game;
  const ownErrors = new Uint32Array(signatures.count);
  above.statements.forEach(({ task }, i) => {
    at(signatures.codes, i).forEach((code, signature) => {
      const { error } = codeAt(code);
      if (error !== null) ownErrors[signature] = u32At(ownErrors, signature) | (1 << playerOf(players, task, error));
    });
  });
  const total = ownErrors.reduce((sum, errors) => sum + 2 ** bitsOf(errors).length, 0);
  if (total > most) return null;
  const [signatureOf, corrected] = [new Uint32Array(total), new Uint32Array(total)];
  let world = 0;
  ownErrors.forEach((errors, signature) => {
    for (const set of subsetsOf(errors)) {
      signatureOf[world] = signature;
      corrected[world++] = set;
    }
  });
  const truths = above.statements.map(({ task }, i) => {
    const bits = new Map(GATE_ERRORS.map((error) => [error, 1 << playerOf(players, task, error)]));
    return truthsIn(
      at(signatures.codes, i),
      signatureOf,
      (error, one) => (u32At(corrected, one) & (bits.get(error) ?? 0)) !== 0,
    );
  });
  return { signatureOf, corrected, asked: askedIn(above, truths, total) };
}

function bitsOf(set: number): number[] {
  return Array.from({ length: 32 }, (_, bit) => 1 << bit).filter((bit) => (set & bit) !== 0);
}

/** All subsets, in the order of counting with the set's own bits. */
function subsetsOf(set: number): number[] {
  return bitsOf(set).reduce((subsets, bit) => subsets.concat(subsets.map((subset) => subset | bit)), [0]);
}

/** Right answers and answers that count, whose ratio is the score. */
interface Score {
  right: number;
  counted: number;
}

/** What a signature adds to the score of its task, asked or not. */
function addTo(score: Score, due: number, isAsked: boolean, { rows, right }: SignatureTotals, signature: number): void {
  const isDue = due === ASKED;
  if (isDue || isAsked) score.counted += f64At(rows, signature);
  if (isDue && isAsked) score.right += f64At(right, signature);
}

/**
 * The task's score with the errors of every set of players corrected, as bits: right answers among those that are due or
 * given. Each signature adds what it depends on (Möbius inversion), and sums over subsets make the sets.
 * @returns NaN where nothing is due or given. Shape [2^players]
 */
export function coalitionScores(
  { players, signatures }: AskedGame,
  worlds: Worlds,
  totals: SignatureTotals,
): Float64Array {
  const sets = 2 ** players.length;
  const [right, counted] = [new Float64Array(sets), new Float64Array(sets)];
  const { signatureOf, corrected, asked } = worlds;
  for (let from = 0, to = 0; from < signatureOf.length; from = to) {
    const signature = u32At(signatureOf, from);
    while (to < signatureOf.length && u32At(signatureOf, to) === signature) to++;
    const own = Array.from({ length: to - from }, (_, i): Score => {
      const score = { right: 0, counted: 0 };
      addTo(score, u8At(signatures.due, signature), u8At(asked, from + i) === 1, totals, signature);
      return score;
    });
    sweepSubsets(own.length, (set, smaller) => {
      at(own, set).right -= at(own, smaller).right;
      at(own, set).counted -= at(own, smaller).counted;
    });
    own.forEach((dividend, i) => {
      const set = u32At(corrected, from + i);
      right[set] = f64At(right, set) + dividend.right;
      counted[set] = f64At(counted, set) + dividend.counted;
    });
  }
  sweepSubsets(sets, (set, smaller) => {
    right[set] = f64At(right, set) + f64At(right, smaller);
    counted[set] = f64At(counted, set) + f64At(counted, smaller);
  });
  return right.map((value, set) => value / f64At(counted, set));
}

/** Player by player, each set that has it with the set without it. */
function sweepSubsets(sets: number, visit: (set: number, smaller: number) => void): void {
  for (let bit = 1; bit < sets; bit *= 2) {
    for (let set = 0; set < sets; set++) if ((set & bit) !== 0) visit(set, set ^ bit);
  }
}

/** The task's score with the errors of some players corrected: those whose bytes are 1. */
export function scoreOf(game: AskedGame, totals: SignatureTotals, corrected: Uint8Array): number {
  const asked = askedWith(game, corrected);
  const score = { right: 0, counted: 0 };
  asked.forEach((one, signature) => {
    addTo(score, u8At(game.signatures.due, signature), one === 1, totals, signature);
  });
  return score.right / score.counted;
}

/** Whether the rows of each signature are asked with the errors of some players corrected. */
export function askedWith({ above, signatures, players }: AskedGame, corrected: Uint8Array): Uint8Array {
  const every = Uint32Array.from({ length: signatures.count }, (_, signature) => signature);
  const truths = above.statements.map(({ task }, i) => {
    const isRight = new Map(GATE_ERRORS.map((error) => [error, corrected[playerOf(players, task, error)] === 1]));
    return truthsIn(at(signatures.codes, i), every, (error) => isRight.get(error) ?? false);
  });
  return askedIn(above, truths, signatures.count);
}

/**
 * Per player, in which signatures it decides: where correcting it changes whether the task is asked, with some set of
 * the others corrected, or, of too many worlds, with none or all of them. Shape [signatures] each
 */
export function decisiveIn(game: AskedGame): Uint8Array[] {
  const { players, signatures, worlds } = game;
  return players.map((_, player) => {
    const decisive = new Uint8Array(signatures.count);
    if (worlds === null) {
      for (const others of [0, 1]) {
        const [without, with_] = [0, 1].map((own) =>
          askedWith(
            game,
            Uint8Array.from(players, (_one, i) => (i === player ? own : others)),
          ),
        );
        without?.forEach((asked, signature) => {
          if (asked !== with_?.[signature]) decisive[signature] = 1;
        });
      }
      return decisive;
    }
    markDecisive(worlds, 1 << player, decisive);
    return decisive;
  });
}

function markDecisive({ signatureOf, corrected, asked }: Worlds, bit: number, decisive: Uint8Array): void {
  let from = 0;
  const places = new Map<number, number>();
  for (let world = 0; world < signatureOf.length; world++) {
    if (u32At(signatureOf, world) !== u32At(signatureOf, from)) {
      from = world;
      places.clear();
    }
    const set = u32At(corrected, world);
    places.set(set, world);
    // sets count up, so that the one without this player has been met
    const without = (set & bit) === 0 ? undefined : places.get(set ^ bit);
    if (without !== undefined && asked[without] !== asked[world]) decisive[u32At(signatureOf, world)] = 1;
  }
}
