/** @file The label audit of scored rows: contradictions, suspects and repairs of a flow whose answers are known. */
import { describe, expect, it } from "vitest";
import { auditLabels } from "../../../src/analysis/audit/audit.js";
import { contradictionsOf } from "../../../src/analysis/audit/contradictions.js";
import { labelReport } from "../../../src/analysis/label-report.js";
import { scoreSplit } from "../../../src/analysis/score.js";
import { at } from "../../../src/arrays.js";
import { createRandom, type Random } from "../../../src/data/rng.js";
import { averagePrecision, type RankedCell, withoutFlow } from "../../../bench/audit/ranking.js";
import { defaultThresholds, securityGraph } from "../../support/security-flow.js";

const PATHS = securityGraph.tasks.map(({ path }) => path);
const CHILDREN = PATHS.filter((path) => path.startsWith("person_regression."));
const isNumber = (path: string): boolean => /_(x1|y1|w|h)$/.test(path);

/** Numbers of one row's labels by path; a task that is not there has none. */
type Row = Record<string, readonly number[]>;

function drawAnswer(path: string, random: Random): readonly number[] {
  if (isNumber(path)) return [random.next()];
  if (path.endsWith("shirt_type")) return [random.int(7)];
  return path.endsWith("characteristics") ? [random.int(2), random.int(2), random.int(2)] : [random.int(2)];
}

/** Fills in what the flow asks for; what stands there already stays. */
function fill(row: Row, random: Random): Row {
  const filled: Row = {};
  const ask = (path: string): number => {
    const answer = row[path] ?? drawAnswer(path, random);
    filled[path] = answer;
    return at(answer, 0);
  };
  if (ask("camera_blocked") === 1) return filled;
  if (ask("door_open") === 0) {
    ask("door_locked");
    return filled;
  }
  if (ask("person_present") === 1) for (const path of CHILDREN) ask(path);
  return filled;
}

const noise = (random: Random): number => random.next() + random.next() + random.next() - 1.5;

/** What a network says that is mostly right where a task is asked, and anything where it is not. */
function logitsOf(truth: Row, path: string, random: Random): number[] {
  const right = truth[path];
  const strength = 2.5;
  if (isNumber(path)) {
    const place = right === undefined ? random.next() : at(right, 0) + 0.05 * noise(random);
    const fraction = Math.min(0.99, Math.max(0.01, place));
    return [Math.log(fraction / (1 - fraction))];
  }
  const own = right ?? drawAnswer(path, random);
  if (path.endsWith("shirt_type")) {
    return Array.from({ length: 7 }, (_, i) => (i === own[0] ? strength + 2 : 0) + 2 * noise(random));
  }
  return own.map((yes) => (yes === 1 ? strength : -strength) + 2 * noise(random));
}

/** Rows with 5 % of their cells wrong: other values, whole branches, and answers to questions that are not asked. */
function drawNoisy(count: number, seed: string, spoil: (logits: Float32Array) => void = () => {}) {
  const random = createRandom(seed);
  const truths = Array.from({ length: count }, () => fill({}, random));
  const wrong = new Set<string>();
  const labels = truths.map((truth, row): Row => {
    let noisy: Row = { ...truth };
    for (const path of PATHS) {
      if (truth[path] === undefined || noisy[path] === undefined || random.next() >= 0.05) continue;
      const kind = random.int(3);
      let other = drawAnswer(path, random);
      while (other.join() === noisy[path]?.join()) other = drawAnswer(path, random);
      if (kind < 2) noisy[path] = other;
      if (kind === 1) noisy = fill(noisy, random);
      const closed = PATHS.filter((one) => noisy[one] === undefined);
      const stray = closed[random.int(Math.max(1, closed.length))];
      if (kind === 2 && stray !== undefined) noisy[stray] = drawAnswer(stray, random);
    }
    for (const [path, answer] of Object.entries(noisy)) {
      if (answer.join() !== truth[path]?.join()) wrong.add(`${row} ${path}`);
    }
    return noisy;
  });
  const columns = securityGraph.tasks.map(({ path }) => {
    const width = drawAnswer(path, random).length;
    const unknown = new Array<number>(width).fill(Number.NaN);
    return Float32Array.from(labels.flatMap((row) => row[path] ?? unknown));
  });
  const scored = scoreSplit(
    securityGraph,
    {
      split: "valid",
      ids: truths.map((_, row) => `${row}.png`),
      outputs: PATHS.map((path) => {
        const logits = Float32Array.from(truths.flatMap((truth) => logitsOf(truth, path, random)));
        spoil(logits);
        return logits;
      }),
      labels: columns.map((answers) => ({ answers, unitScale: null })),
    },
    defaultThresholds(securityGraph),
  );
  return { scored, wrong };
}

describe("label audit", () => {
  const { scored, wrong } = drawNoisy(800, "audit");
  const audit = auditLabels(securityGraph, scored);
  const isWrong = ({ row, task }: RankedCell): boolean => wrong.has(`${row} ${at(PATHS, task)}`);
  const ours = (audit?.suspects ?? []).map(({ row, task_path, suspicion }): RankedCell => {
    return { row, task: PATHS.indexOf(task_path), score: suspicion };
  });

  it("ranks wrong labels at least 20 % better than confident learning of each task by itself", () => {
    const best = Math.max(
      ...(["issues first", "self-confidence", "margin"] as const).map((baseline) =>
        averagePrecision(withoutFlow(scored, baseline, false), isWrong),
      ),
    );
    expect(averagePrecision(ours, isWrong)).toBeGreaterThan(1.2 * best);
  });

  it("leaves cells as they are whose answer is NaN, and judges the others", () => {
    const spoiled = drawNoisy(200, "spoiled", (logits) => logits.fill(Number.NaN, 0, logits.length / 200));
    const found = auditLabels(securityGraph, spoiled.scored);
    expect(found?.suspects.every(({ suspicion }) => suspicion >= 0 && suspicion <= 1)).toBe(true);
    expect(found?.tasks.every(({ error_rate }) => error_rate !== null && error_rate > 0)).toBe(true);
    const kept = found?.suspects.filter(({ row, kind }) => row === 0 && kind === "unlikely") ?? [];
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.map(({ repaired }) => repaired)).toEqual(kept.map(({ label }) => label));
  });

  it("lists suspects from a suspicion on, and counts them all", () => {
    const some = auditLabels(securityGraph, scored, undefined, 0.5);
    expect(some?.suspects).toEqual(audit?.suspects.filter(({ suspicion }) => suspicion >= 0.5));
    expect({ ...some, suspects: [] }).toEqual({ ...audit, suspects: [] });
  });

  it("also of the tasks that confident learning can judge, and with the same scores of numbers", () => {
    const discrete = (cells: readonly RankedCell[]) => cells.filter(({ task }) => !isNumber(at(PATHS, task)));
    for (const baseline of ["issues first", "self-confidence", "margin"] as const) {
      const alone = withoutFlow(scored, baseline, true);
      expect(averagePrecision(ours, isWrong)).toBeGreaterThan(averagePrecision(alone, isWrong));
      expect(averagePrecision(discrete(ours), isWrong)).toBeGreaterThan(averagePrecision(discrete(alone), isWrong));
    }
  });

  it("every filled cell is judged once, and probabilities are near the truth", () => {
    expect(ours).toHaveLength(scored.tasks.reduce((sum, { labelled }) => sum + labelled.filter(Boolean).length, 0));
    const likely = ours.filter(({ score }) => score >= 0.5);
    expect(likely.filter(isWrong).length / likely.length).toBeGreaterThan(0.8);
  });

  it("repaired rows have no contradiction left", () => {
    const repaired = securityGraph.tasks.map((_, i) => Float32Array.from(at(scored.tasks, i).labels.answers));
    for (const { row, cells } of audit?.repairs ?? []) {
      for (const { task_path, to } of cells) {
        const column = at(repaired, PATHS.indexOf(task_path));
        const width = column.length / scored.ids.length;
        // of filled cells only whether they are filled matters to the leaves, and gates are truths
        column.fill(to === null ? Number.NaN : Number(to === true), row * width, (row + 1) * width);
      }
    }
    const labels = repaired.map((answers) => ({ answers, unitScale: null }));
    expect(contradictionsOf(securityGraph, labels, scored.ids.length)).toEqual([]);
  });

  it("lists as many contradictions as the label report counts", () => {
    const rows = Int32Array.from(scored.ids, (_, row) => row);
    const labels = scored.tasks.map((task) => task.labels);
    const report = labelReport(securityGraph, labels, { train: rows, valid: [], test: [] });
    for (const { task_path, contradictory, wasted } of report.rows.filter(({ split }) => split === "train")) {
      const own = (audit?.contradictions ?? []).filter(({ task }) => at(PATHS, task) === task_path);
      expect(own.length).toBe(wasted);
      // the report counts a gate that is itself not asked as unknown
      expect(own.filter(({ kind }) => kind === "not_asked").length).toBeGreaterThanOrEqual(contradictory);
    }
  });

  it("names the gates of a contradiction: those that say no, or those that are missing", () => {
    const column = (path: string, value: number) => {
      const width = path.endsWith("characteristics") ? 3 : 1;
      return new Float32Array(width).fill(value);
    };
    const labelsWith = (known: Readonly<Record<string, number>>) =>
      PATHS.map((path) => ({ answers: column(path, known[path] ?? Number.NaN), unitScale: null }));
    const locked = { camera_blocked: 0, door_open: 1, door_locked: 1 };
    expect(contradictionsOf(securityGraph, labelsWith(locked), 1)).toEqual([
      { row: 0, task: PATHS.indexOf("door_locked"), kind: "not_asked", gates: ["door_open"] },
    ]);
    expect(contradictionsOf(securityGraph, labelsWith({ camera_blocked: 0, door_locked: 1 }), 1)).toEqual([
      { row: 0, task: PATHS.indexOf("door_locked"), kind: "gate_missing", gates: ["door_open"] },
    ]);
  });

  it("says of the tasks how many labels are wrong", () => {
    for (const { task_path, error_rate, labelled } of audit?.tasks ?? []) {
      const truth = [...wrong].filter((key) => key.endsWith(` ${task_path}`)).length / labelled;
      expect(error_rate).toBeGreaterThan(0);
      // strays are no errors among what is asked
      expect(error_rate).toBeLessThan(truth + 0.08);
    }
  });
});
