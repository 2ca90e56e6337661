/** @file A process that works on a study: it takes one trial after the other until none is left. */
import {
  CoolError,
  InterruptedError,
  messageOf,
  PrunedError,
  StoreError,
  TrainingError,
  UnknownNameError,
} from "../../errors.js";
import type { BackendChoice } from "../../engine/backends/choose.js";
import { loadProject } from "../../project/load-project.js";
import { openRunStore, type RunStore } from "../../storage/run-store.js";
import type { RunGroup } from "../../storage/tables/groups.js";
import type { StoredTrial, TrialEnd } from "../../storage/tables/studies.js";
import { parseDefinition, type StudyDefinition } from "../../sweeping/study/definition.js";
import { hasCurve, knownObjectives, objectiveName, valueOfRun } from "../../sweeping/study/objectives.js";
import type { StudyEvent } from "../../sweeping/study/study-event.js";
import { isJudged, judgement, MOST_ATTEMPTS, nextClaim } from "../../sweeping/study/suggest.js";
import { untilFree } from "../earlier/start-or-resume.js";
import { trainRun } from "../train-run.js";
import { set } from "./check-space.js";

/** What a process needs to know of its work; it passes from one process to another as JSON. */
export interface StudyWork {
  readonly storeDir: string;
  /** The configuration's file, or its folder. */
  readonly project: string;
  readonly study: string;
  readonly backend?: BackendChoice | undefined;
  readonly device?: string | undefined;
  readonly commandLine?: string | undefined;
}

const HEARTBEAT_MS = 10_000;

/**
 * Several processes may work on a study at once: who takes a trial, which parameters it has and what it came to are in
 * the store alone.
 * @throws InterruptedError where the signal fires, after the trial's checkpoint was written; what every trial would fail of
 */
export async function workOnStudy(
  work: StudyWork,
  { signal, tell = () => {} }: { readonly signal?: AbortSignal; readonly tell?: (event: StudyEvent) => void } = {},
): Promise<void> {
  const store = openRunStore(work.storeDir, { create: false });
  try {
    const group = store.findGroup(work.study);
    const json = group === null ? null : store.readStudy(group.id);
    if (group === null || json === null) throw new StoreError(`${work.study} is no study of ${store.dir}.`);
    const definition = parseDefinition(json, group.name);
    for (;;) {
      if (signal?.aborted === true) throw new InterruptedError("Interrupted.");
      settleTrials(store, group.id, definition);
      const { planned } = store.findGroup(group.id) ?? group;
      const trial = store.claimTrial(group.id, (trials) => nextClaim(definition, planned, trials));
      if (trial === null) return;
      tell({ kind: "begun", number: trial.number });
      await workOnTrial({ store, work, group, definition, trial, signal, tell });
      tell({ kind: "ended", number: trial.number });
    }
  } finally {
    store.close();
  }
}

/** Writes down what became of trials whose process died between the end of their run and that of the trial. */
export function settleTrials(store: RunStore, study: string, definition: StudyDefinition): void {
  for (const { number, state, run, attempts } of store.readTrials(study)) {
    if (state !== "interrupted") continue;
    const record = run === null ? null : store.getRun(run);
    if (record !== null && record.state === "finished") {
      store.endTrial(study, number, endOfFinished(store, record.id, definition));
    } else if (record !== null && record.state === "pruned") {
      store.endTrial(study, number, endOfPruned(store, study, number, definition, record.epochsDone));
    } else if (attempts >= MOST_ATTEMPTS) {
      const error = `Its process ended ${attempts} times without a word.`;
      store.endTrial(study, number, { state: "failed", error, epochsDone: record?.epochsDone });
    }
  }
}

function endOfFinished(store: RunStore, run: string, { objectives }: StudyDefinition): TrialEnd {
  const values = objectives.map((objective) => valueOfRun(store, run, objective) ?? null);
  return { state: "finished", objectives: values, epochsDone: store.getRun(run).epochsDone };
}

/** The best value of its epochs. */
function endOfPruned(
  store: RunStore,
  study: string,
  number: number,
  { objectives: [objective] }: StudyDefinition,
  epochsDone: number,
): TrialEnd {
  if (objective === undefined || !hasCurve(objective)) return { state: "pruned", epochsDone };
  const values = (store.readStudyCurves(study, objective).get(number) ?? []).map(({ value }) => value);
  const best = objective.direction === "minimize" ? Math.min(...values) : Math.max(...values);
  return { state: "pruned", epochsDone, objectives: [Number.isFinite(best) ? best : null] };
}

interface TrialWork {
  readonly store: RunStore;
  readonly work: StudyWork;
  readonly group: RunGroup;
  readonly definition: StudyDefinition;
  readonly trial: StoredTrial;
  readonly signal: AbortSignal | undefined;
  readonly tell: (event: StudyEvent) => void;
}

async function workOnTrial(given: TrialWork): Promise<void> {
  const { store, group, definition, trial } = given;
  const alive = setInterval(() => store.trialHeartbeat(group.id, trial.number), HEARTBEAT_MS);
  try {
    const run = await trainTrial(given);
    refuseUnknown(store, run, definition);
    store.endTrial(group.id, trial.number, endOfFinished(store, run, definition));
  } catch (error) {
    const end = endAfter(error, given);
    store.endTrial(group.id, trial.number, end);
    if (end.state === "interrupted" || (end.state === "failed" && isEveryones(error, given))) throw error;
  } finally {
    clearInterval(alive);
  }
}

async function trainTrial({ store, work, group, definition, trial, signal, tell }: TrialWork): Promise<string> {
  const { number, parameters } = trial;
  const own = Object.entries(parameters).map(([name, value]) => set(name, value));
  const project = await loadProject(work.project, [...definition.fixed, ...own]);
  const { epochs } = project.settings.train;
  const [objective] = definition.objectives;
  const { run: begun } = trial;
  // a process that was killed may have stored the run and not yet that it is the trial's: the key says it
  const beginning =
    begun === null
      ? { name: `${group.name}-${number}`, key: `${group.id}/trial-${number}` }
      : { resume: begun, key: undefined };
  // a process on another host gives its run signs of life more often than its trial
  if (begun !== null) await untilFree(() => store.getRun(begun), { signal, tell: () => {} });
  const { run } = await trainRun(project, {
    ...{ store: work.storeDir, signal, commandLine: work.commandLine, ...beginning },
    ...{ backend: work.backend, device: work.device },
    onBegun: (id) => void store.addToGroup(group.id, id, number),
    judge: ({ epoch }) =>
      objective === undefined || !isJudged(definition, epoch, epochs)
        ? null
        : judgement(definition, { number, epoch, epochs }, store.readStudyCurves(group.id, objective)),
    loggers: [
      {
        step: ({ epoch, batch, batches }) => tell({ kind: "step", number, epoch, epochs, share: batch / batches }),
      },
    ],
  });
  return run.id;
}

/** @throws UnknownNameError where no run of the project has the objective */
function refuseUnknown(store: RunStore, run: string, { objectives }: StudyDefinition): void {
  const missing = objectives.find((objective) => valueOfRun(store, run, objective) === undefined);
  if (missing === undefined) return;
  const known = knownObjectives(store, run);
  throw new UnknownNameError("metric", objectiveName(missing), known, `the first trial's run ${run}`, { exitCode: 2 });
}

function endAfter(error: unknown, { store, group, definition, trial }: TrialWork): TrialEnd {
  const run = store.readTrials(group.id).find(({ number }) => number === trial.number)?.run ?? null;
  const epochsDone = run === null ? 0 : store.getRun(run).epochsDone;
  if (error instanceof InterruptedError) return { state: "interrupted", epochsDone };
  if (error instanceof PrunedError) return endOfPruned(store, group.id, trial.number, definition, epochsDone);
  return { state: "failed", epochsDone, error: messageOf(error) };
}

/**
 * Whether an error is not the trial's own: training that diverges is what a search finds out, and anything else is the
 * trial's where others have come further.
 */
function isEveryones(error: unknown, { store, group }: TrialWork): boolean {
  if (error instanceof TrainingError) return false;
  if (error instanceof UnknownNameError || !(error instanceof CoolError)) return true;
  return !store.readTrials(group.id).some(({ state }) => state === "finished" || state === "pruned");
}
