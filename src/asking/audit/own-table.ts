/** @file Whether the tables that are read here are those that a run was trained on: labels of others say nothing of it. */
import { existsSync, realpathSync } from "node:fs";
import { relative } from "node:path";
import type { SplitOutputs } from "../../analysis/score.js";
import { at, f32At } from "../../arrays.js";
import { ConfigError, DataError } from "../../errors.js";
import { isPerElement, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { answerWidth } from "../../flow/masks.js";
import { configFileIn } from "../../project/project-dir.js";
import { storeOf, type StoredRun } from "../stored-run.js";

/**
 * @param named the project that the user names, which is believed
 * @throws ConfigError where the user stands in one project, and the run and its store are another's
 */
export function assertOwnProject({ run, dir, config, project }: StoredRun, named: string | undefined): void {
  if (project === null || named !== undefined) return;
  const { projectDir } = config;
  // made on another machine, or the folder has been moved since
  if (!existsSync(projectDir) || configFileIn(projectDir) === undefined) return;
  const [here, there, store] = [project.dir, projectDir, storeOf({ dir })].map((path) => realpathSync(path));
  if (here === undefined || store === undefined || here === there || !relative(here, store).startsWith("..")) return;
  throw new ConfigError(
    `Run ${run.id} (${run.name}) is of the project in ${projectDir}, and you stand in ${project.dir}: the tables here are not its own. Go there, or name the project whose tables are meant with --project.`,
    { run: run.id, project: projectDir, here: project.dir },
  );
}

/** Rows that the run knows, as they are in the tables now. */
interface ComparedRows {
  readonly graph: FlowGraph;
  /** As they were when the run was trained. */
  readonly before: SplitOutputs;
  /** The rows of `before` that the tables still have, and their labels as they are now. */
  readonly kept: readonly number[];
  readonly now: SplitOutputs["labels"];
}

/** More is no correction. */
const MOST_CHANGED = 0.5;

/** @throws DataError where the tables lack most of the run's rows, or say something else of most of them */
export function assertSameTable({ run }: Pick<StoredRun, "run">, rows: ComparedRows, projectDir: string): void {
  const { before, kept } = rows;
  const all = before.ids.length;
  const { compared, changed } = changedRows(rows);
  const lost = all - kept.length;
  const isAnother = lost > MOST_CHANGED * all || changed > MOST_CHANGED * compared;
  if (!isAnother) return;
  const what =
    lost > MOST_CHANGED * all
      ? `${lost} of the ${all} rows that can be judged are not in them`
      : `${changed} of the ${compared} rows that can be judged have other labels there`;
  throw new DataError(
    `The tables of ${projectDir} are not those that run ${run.id} (${run.name}) was trained on: ${what}. Go to the run's project, or name it with --project.`,
    { run: run.id, project: projectDir, rows: all, lost, changed },
  );
}

/** Rows with a label that is known before and now, and those of them of which one differs. */
function changedRows({ graph, before, kept, now }: ComparedRows): {
  readonly compared: number;
  readonly changed: number;
} {
  // what is measured on pictures is cut to what the network sees of them
  const isAsWritten = ({ index, spec }: TaskNode): boolean =>
    !isPerElement(spec) && at(before.labels, index).unitScale === null;
  const tasks = graph.tasks.filter(isAsWritten);
  let [compared, changed] = [0, 0];
  kept.forEach((row, i) => {
    let [known, other] = [false, false];
    for (const { index, spec } of tasks) {
      const width = answerWidth(spec);
      for (let c = 0; c < width; c++) {
        const then = f32At(at(before.labels, index).answers, row * width + c);
        const today = f32At(at(now, index).answers, i * width + c);
        if (Number.isNaN(then) || Number.isNaN(today)) continue;
        known = true;
        other ||= then !== today;
      }
    }
    compared += Number(known);
    changed += Number(other);
  });
  return { compared, changed };
}
