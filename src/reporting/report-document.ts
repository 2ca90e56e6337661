/**
 * @file Stored runs → the document that pages show. A server sends the same: `reportDocument(store, [id], { pictures:
 * false })` is all of a run but its pictures, and a page's components take it as it is.
 */
import { compareFacts, type ComparedParam } from "../analysis/comparison/compare.js";
import { codeFacts, environmentFacts, flat } from "../comparing/compare-runs.js";
import { UsageError } from "../errors.js";
import { packageVersion } from "../platform/version.js";
import { runningProject } from "../project/project-dir.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import type { RunGroup } from "../storage/tables/groups.js";
import { LeftOut, MOST_RUNS, MOST_SETTINGS } from "./budget.js";
import type { Differences, DifferingFact, GroupReport, ReportDocument, RunReport } from "./document.js";
import { valueText } from "./facts.js";
import { reportContext, runReport } from "./run-report.js";
import { reportedRuns, studyReport } from "./study.js";

export interface ReportOptions {
  /** Default: what the references say. */
  readonly title?: string | undefined;
  /** Whether pictures of samples are taken in; default true. */
  readonly pictures?: boolean;
  /** Folder of the user's project, where pictures may lie; none of its code is run. */
  readonly project?: string | undefined;
  readonly now?: Date;
  readonly signal?: AbortSignal;
  /** Is told before each run. */
  readonly onProgress?: (name: string, done: number, total: number) => void;
}

/**
 * @param references runs, or one group; none: the latest run
 * @throws UnknownNameError for a run that is not there, UsageError for a run that is named twice or too many of them
 */
export async function reportDocument(
  store: RunStore,
  references: readonly string[],
  options: ReportOptions = {},
): Promise<ReportDocument> {
  const { pictures = true, now = new Date(), signal, onProgress = () => {} } = options;
  const leftOut = new LeftOut();
  const { runs, group } = meant(store, references.length === 0 ? ["latest"] : references, leftOut);
  const project = runningProject(options.project);
  const context = reportContext({ store, runs: runs.length, project, pictures, leftOut, signal });
  const reports: RunReport[] = [];
  for (const [i, run] of runs.entries()) {
    onProgress(run.name, i, runs.length);
    reports.push(await runReport(run, context));
  }
  const names = runs.map(({ name }) => name);
  return {
    format_version: 1,
    kind: group !== null ? "group" : runs.length > 1 ? "comparison" : "run",
    title: options.title ?? group?.name ?? titleOf(names),
    created_at: now.toISOString(),
    version: packageVersion(),
    runs: reports,
    group: group === null ? null : groupReport(store, group, leftOut),
    differences: runs.length > 1 ? differencesOf(store, runs, leftOut) : null,
    left_out: leftOut.sentences,
  };
}

function titleOf(names: readonly string[]): string {
  const [first = "", second, ...more] = names;
  if (second === undefined) return first;
  return more.length === 0 ? `${first} and ${second}` : `${first}, ${second} and ${more.length} more`;
}

function meant(
  store: RunStore,
  references: readonly string[],
  leftOut: LeftOut,
): { readonly runs: readonly RunRecord[]; readonly group: RunGroup | null } {
  const groups = references.map((reference) => store.findGroup(reference));
  const [group] = groups;
  const runs = references.flatMap((reference, i) => {
    const named = groups[i] ?? null;
    return (named === null ? [reference] : reportedRuns(store, named, leftOut)).map((one) => store.findRun(one));
  });
  const repeated = runs.find(({ id }, i) => runs.findIndex((run) => run.id === id) < i);
  if (repeated !== undefined) {
    throw new UsageError(`Run ${repeated.id} (${repeated.name}) is named twice. Name each run once.`, {
      run: repeated.id,
    });
  }
  if (runs.length > MOST_RUNS) {
    throw new UsageError(`A report is about ${MOST_RUNS} runs at most, and these are ${runs.length}. Name fewer.`, {
      runs: runs.length,
      most: MOST_RUNS,
    });
  }
  return { runs, group: references.length === 1 ? (group ?? null) : null };
}

function groupReport(store: RunStore, group: RunGroup, leftOut: LeftOut): GroupReport {
  const { id, name, kind, planned, endedAt } = group;
  return {
    ...{ id, name, kind, planned, ended_at: endedAt, evaluation: store.readGroupEvaluation(id) },
    study: studyReport(store, group, leftOut),
  };
}

function differencesOf(store: RunStore, runs: readonly RunRecord[], leftOut: LeftOut): Differences {
  const differing = (compared: readonly ComparedParam[]): DifferingFact[] => {
    if (compared.length > MOST_SETTINGS) leftOut.say(`Of what differs, the first ${MOST_SETTINGS} keys are shown.`);
    return compared.slice(0, MOST_SETTINGS).map(({ key, values }) => ({
      key,
      values: values.map((value) => (value === null ? null : valueText(value))),
    }));
  };
  return {
    settings: differing(
      compareFacts(
        runs.map(({ id }) => flat(store.readConfig(id))),
        false,
      ),
    ),
    code: differing(
      compareFacts(
        runs.map((run) => ({ command_line: run.commandLine, ...codeFacts(run), data_digest: run.dataDigest })),
        false,
      ),
    ),
    environment: differing(
      compareFacts(
        runs.map((run) => environmentFacts(store, run)),
        false,
      ),
    ),
  };
}
