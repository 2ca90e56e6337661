/** @file `cool sweep`: many trainings that search for settings. */
import { join, resolve } from "node:path";
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CLUSTER_FLAGS, wordsWithout } from "../../cli/cluster-flags.js";
import { CoolCommand } from "../../cli/command.js";
import { bestText } from "../../cli/sweep/best-text.js";
import { LiveTable } from "../../cli/sweep/live-table.js";
import { countsText, importanceBars, numberText, trialTable, valueText } from "../../cli/sweep/study-tables.js";
import type { Launched } from "../../clusters/launch.js";
import { TIME_LIMIT } from "../../cli/resume-flags.js";
import { InterruptedError } from "../../errors.js";
import { shellWord } from "../../platform/shell-word.js";
import { findProjectDir } from "../../project/project-dir.js";
import { newRunId } from "../../storage/run-record.js";
import { openRunStore } from "../../storage/run-store.js";
import { PRUNINGS, SEARCHES } from "../../sweeping/study/definition.js";
import {
  definitionOf,
  findStudy,
  type StudyDocument,
  studyDocument,
  studySummary,
} from "../../sweeping/study/study-document.js";
import { askedStudy, beginStudy, type StudyOptions } from "../../training/sweeps/begin-study.js";
import { resumeStudy, startOrResumeStudy } from "../../training/sweeps/resume-study.js";
import { runStudy } from "../../training/sweeps/run-study.js";

export default class Sweep extends CoolCommand {
  static override summary = "Search for settings: many runs, each with values of its own";
  static override description =
    `Each trial is a run of the store, named STUDY-1, STUDY-2, …, and the study keeps what was tried. A --set with a range (1e-4..1e-2:log, 8..64:step=8, 1..9:int) or with several values (16,32,64) is searched; any other holds for all trials. --space names a file that says all of it, with conditions (see docs/sweep.md).

Ctrl-C ends the running trials after their current step and keeps checkpoints; --resume goes on there, and --trials with it asks for more; with --start-or-resume NAME the same command line begins and goes on. Several processes may work on one study: start them with --resume.`;
  static override examples = [
    "<%= config.bin %> <%= command.id %> --set train.optimizer.learningRate=1e-4..1e-2:log --set train.batchSize=16,32,64 --trials 40",
    "<%= config.bin %> <%= command.id %> --set train.optimizer.learningRate=1e-4..1e-1:log --prune asha --parallel 2 --name rates",
    "<%= config.bin %> <%= command.id %> --space sweep.json --objective valid/_total/loss --objective valid/door_open/f1_score",
    "<%= config.bin %> <%= command.id %> --resume rates --trials 60",
    "<%= config.bin %> <%= command.id %> --space sweep.json --on slurm --parallel 8 --time 4h --print",
  ];
  static override args = {
    project: Args.directory({ description: "folder of the project; default: the nearest with a cool.config.*" }),
  };
  static override flags = {
    set: Flags.string({
      summary: "a setting to search (key=1e-4..1e-2:log, key=16,32,64), or one of all trials (key=value)",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "key=values",
    }),
    space: Flags.string({ summary: "a sweep file, JSON or TypeScript; flags win over it", helpValue: "FILE" }),
    trials: Flags.integer({
      summary: "trials in all",
      description: "Default: 20, of a grid all combinations",
      min: 1,
      max: 1_000_000,
    }),
    search: Flags.option({
      summary:
        "how values are chosen; default: tpe, which learns from the trials before, or a grid no larger than --trials",
      options: SEARCHES,
    })(),
    prune: Flags.option({
      summary: "end trials early whose epochs promise too little; default: no",
      options: PRUNINGS,
    })(),
    objective: Flags.string({
      summary: "what to optimise: split/task/metric; several: no one is to be better in all of them",
      description: "Default: valid/_total/loss. :min or :max says which values are better where the metric does not.",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "METRIC",
    }),
    parallel: Flags.integer({
      summary: "trials at a time, each in a process of its own; default: 1",
      description: "With --on as many tasks of the job, each of which works on the study; default there: 4",
      min: 1,
      max: 256,
    }),
    name: Flags.string({ summary: "name of the study; default: the project's name, -sweep and a number" }),
    seed: Flags.integer({ summary: "seed of the search; that of the trials is train.seed", min: 0 }),
    backend: Flags.option({
      summary: "what computes",
      options: ["auto", "tensorflow", "webgpu", "wasm", "cpu"] as const,
    })(),
    device: Flags.string({ summary: "what it computes on: cpu, gpu, or one of several GPUs", helpValue: "gpu:N" }),
    resume: Flags.string({
      summary: "go on with a study: name, id or latest",
      helpValue: "STUDY",
      exclusive: ["set", "space", "search", "prune", "objective", "name", "seed"],
    }),
    "start-or-resume": Flags.string({
      summary: "begin the study of this name, or go on with it; one that has ended stays as it is",
      description:
        "What is searched must stay the same, but for more --trials. Ends with 75 where SIGTERM, SIGUSR1 or --time-limit stopped it: start it again.",
      helpValue: "NAME",
      exclusive: ["resume", "name"],
    }),
    "time-limit": TIME_LIMIT(),
    ...CLUSTER_FLAGS,
  };

  async run(): Promise<StudyDocument | Launched> {
    const { args, flags, raw } = await this.parse(Sweep);
    const projectDir = args.project ?? findProjectDir(flags.project ?? ".");
    const storeDir = resolve(flags.store ?? join(projectDir, ".cool"));
    const key = flags["start-or-resume"];
    this.goesOn = (key ?? flags.resume) !== undefined;
    const asked = {
      ...{ storeDir, sets: flags.set ?? [], file: flags.space, name: key ?? flags.name, trials: flags.trials },
      ...{ search: flags.search, prune: flags.prune, objectives: flags.objective, seed: flags.seed },
    };
    if (flags.on !== undefined) {
      const [name, planned] =
        flags.resume === undefined ? await checked(projectDir, asked) : [flags.resume, DEFAULT_TASKS];
      const left = flags.resume === undefined ? ["parallel", "name", "start-or-resume"] : ["parallel"];
      const goOn = flags.resume === undefined ? [`--start-or-resume=${name}`] : [];
      const words = ["sweep", ...wordsWithout(raw, left, () => false), ...goOn];
      const tasks = flags.parallel ?? Math.min(planned, DEFAULT_TASKS);
      return this.handOver({ ...flags, on: flags.on }, { name, words, tasks }, projectDir);
    }
    const study =
      flags.resume !== undefined
        ? await resumeStudy(projectDir, storeDir, flags.resume, flags.trials)
        : key !== undefined
          ? await startOrResumeStudy(projectDir, key, asked)
          : await beginStudy(projectDir, asked);
    const live = new LiveTable(process.stderr);
    const commandLine = ["cool", ...process.argv.slice(2)].join(" ");
    const work = { storeDir, project: projectDir, study, backend: flags.backend, device: flags.device, commandLine };
    const { name } = this.#read(storeDir, study).study;
    this.note(`study ${name} (${study}): cool sweep show ${shellWord(name)}`);
    try {
      await this.interruptible(
        (signal) =>
          runStudy(work, {
            ...{ signal, parallel: flags.parallel ?? 1 },
            tell: (event) => {
              live.tell(event);
              if (event.kind === "ended") this.#tellEnd(live, storeDir, study, event.number);
            },
          }),
        (line) => live.line(line, ""),
        flags["time-limit"],
      );
    } catch (error) {
      live.close();
      if (!this.goesOn) this.#forgetEmpty(storeDir, study);
      if (!(error instanceof InterruptedError)) throw error;
      const counts = countsText(this.#read(storeDir, study).study);
      throw new InterruptedError(
        `Interrupted: ${counts} of study ${name} have ended. Go on with: cool sweep --resume ${shellWord(name)}`,
        { study },
      );
    }
    live.close();
    const document = this.#read(storeDir, study);
    this.#show(document);
    return document;
  }

  #read(storeDir: string, study: string): StudyDocument {
    const store = openRunStore(storeDir, { create: false });
    try {
      return studyDocument(store, findStudy(store, study));
    } finally {
      store.close();
    }
  }

  /** A study whose first trial could not even begin is none. */
  #forgetEmpty(storeDir: string, study: string): void {
    const store = openRunStore(storeDir, { create: false });
    try {
      if (store.findGroup(study)?.runs.length === 0) store.removeGroup(study);
    } finally {
      store.close();
    }
  }

  #tellEnd(live: LiveTable, storeDir: string, id: string, number: number): void {
    const store = openRunStore(storeDir, { create: false, readonly: true });
    try {
      const group = findStudy(store, id);
      const definition = definitionOf(store, group);
      const trials = store.readTrials(id);
      const trial = trials.find((one) => one.number === number);
      if (trial === undefined) return;
      const settings = Object.entries(trial.parameters).map(([key, value]) => `${leafOf(key)}=${valueText(value)}`);
      const values = (trial.objectives ?? []).map(numberText).join(", ");
      const what = trial.state === "finished" ? values : `${trial.state}${values === "" ? "" : ` at ${values}`}`;
      const line = `trial ${number}: ${what}  (${settings.join(", ")})`;
      live.line(line, countsText(studySummary(group, definition, trials)));
    } finally {
      store.close();
    }
  }

  #show(document: StudyDocument): void {
    const { study } = document;
    this.log(trialTable(document));
    for (const line of importanceBars(document)) this.log(line);
    this.log(`study ${study.name}: ${countsText(study)}, ${study.epochs_done} epochs in all`);
    const best = bestText(document);
    if (best !== null) this.logText(best);
  }
}

/** Of a job, where nobody says how many. */
const DEFAULT_TASKS = 4;

/** Checks a study that others are to begin. @returns its name, and how many trials there are to be */
async function checked(projectDir: string, options: StudyOptions): Promise<[name: string, planned: number]> {
  const { name, project, planned } = await askedStudy(projectDir, options);
  return [name ?? `${project}-sweep-${newRunId(new Date(), Math.random)}`, planned];
}

function leafOf(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}
