/** @file `cool run`: train, tune and evaluate. */
import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import type { GroupResult } from "../../asking/groups/group-runs.js";
import { CLUSTER_FLAGS, wordsWithout } from "../../cli/cluster-flags.js";
import { CoolCommand, ON_FINISH } from "../../cli/command.js";
import { TIME_LIMIT } from "../../cli/resume-flags.js";
import { trainingReplicasFlag } from "../../cli/replicas-flag.js";
import { bestSplit, evaluationTable, groupTable } from "../../cli/tables/tables.js";
import type { Launched } from "../../clusters/launch.js";
import { InterruptedError, UsageError } from "../../errors.js";
import { openConsoleLogger } from "../../logging/console.js";
import { shellWord } from "../../platform/shell-word.js";
import { loadProject } from "../../project/load-project.js";
import { findProjectDir } from "../../project/project-dir.js";
import { uncaptured } from "../../provenance/capture-output.js";
import { summarize } from "../../records/run-summary.js";
import type { LoadedProject } from "../../project/resolve-project.js";
import type { RunJob } from "../../training/ranks/run-job.js";
import { newRunId } from "../../storage/run-record.js";
import type { RunResult } from "../../training/run-result.js";
import { trainRun } from "../../training/train-run.js";

/** @throws UsageError for what only one process can do */
async function joinJob(project: LoadedProject, storeDir: string, { folds, device }: JobFlags): Promise<RunJob> {
  if (folds) {
    throw new UsageError(
      "--replicas mpi trains one run at a time. Leave out --folds, or take --replicas with a number.",
    );
  }
  const { RunJob } = await import("../../training/ranks/run-job.js");
  return RunJob.join(project, { storeDir, device });
}

interface JobFlags {
  readonly folds: boolean;
  readonly device: string | undefined;
}

export default class Run extends CoolCommand {
  static override summary = "Train a project's network, tune its thresholds, and evaluate it";
  static override description =
    "Everything is kept as a run in the store: configuration, checkpoints, thresholds, evaluation, predictions and curves. Ctrl-C (as SIGTERM, or a terminal that is closed) stops after the current step and keeps a checkpoint to go on from. With --start-or-resume the same command line begins a run, goes on with it, and does nothing once it has finished; where it is told to stop it ends with exit code 75.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> examples/home-security --epochs 30 --name long",
    "<%= config.bin %> <%= command.id %> --set train.optimizer.learningRate=3e-4 --set train.batchSize=64",
    "<%= config.bin %> <%= command.id %> --from latest --set train.freeze='[\"features\"]'",
    "<%= config.bin %> <%= command.id %> --replicas auto",
    "mpirun -n 4 <%= config.bin %> <%= command.id %> --replicas mpi",
    "<%= config.bin %> <%= command.id %> --resume latest",
    "<%= config.bin %> <%= command.id %> --start-or-resume nightly --time-limit 50m",
    "<%= config.bin %> <%= command.id %> --again baseline --seed 8",
    "<%= config.bin %> <%= command.id %> --on slurm --time 8h --gpus 1",
    "<%= config.bin %> <%= command.id %> --folds --set data.split.folds=5 --set data.split.stratify=true",
  ];
  static override args = {
    project: Args.directory({ description: "folder of the project; default: the nearest with a cool.config.*" }),
  };
  static override flags = {
    name: Flags.string({
      summary: "name of the run; default: the project's name and a number",
      description: "Where another run has the name, this one is given the next number.",
    }),
    tag: Flags.string({
      summary: "a tag of the run (may be repeated)",
      multiple: true,
      multipleNonGreedy: true,
      exclusive: ["resume"],
    }),
    note: Flags.string({ summary: "a note of the run", exclusive: ["resume"] }),
    "on-finish": ON_FINISH,
    epochs: Flags.integer({ summary: "epochs to train, instead of train.epochs", min: 1 }),
    set: Flags.string({
      summary: "a setting, e.g. train.batchSize=64",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "key=value",
    }),
    backend: Flags.option({
      summary: "what computes",
      description: "Default: auto, the fastest that loads; with --resume and --again that of the run",
      options: ["auto", "tensorflow", "webgpu", "wasm", "cpu"] as const,
    })(),
    device: Flags.string({
      summary: "what it computes on: cpu, gpu, or one of several GPUs",
      description: "Default: the GPU where the backend finds one",
      helpValue: "gpu:N",
    }),
    seed: Flags.integer({
      summary: "seed of weights and shuffling, instead of train.seed",
      // beyond it two whole numbers may be one
      min: Number.MIN_SAFE_INTEGER,
      max: Number.MAX_SAFE_INTEGER,
    }),
    replicas: trainingReplicasFlag("copies of the network that share every batch, instead of train.replicas"),
    from: Flags.string({
      summary: "begin with the weights of an earlier run, instead of train.from",
      helpValue: "RUN",
      exclusive: ["resume", "again"],
    }),
    folds: Flags.boolean({
      summary: "train every fold of data.split.folds (5 where it says nothing) as a run of one group",
      description:
        "In each one part of train and valid together is valid, and test stays as it is. Thresholds are tuned on all out-of-fold answers; reported are mean and deviation over the folds, the out-of-fold answers, and the ensemble on test. With --resume GROUP a group goes on where it stopped.",
    }),
    resume: Flags.string({
      summary: "go on with a run from its last checkpoint",
      description:
        "It keeps its own settings; only --epochs and --replicas may change. A finished run stays as it is, unless --epochs asks for more.",
      helpValue: "RUN",
      exclusive: ["again", "name", "set", "seed"],
    }),
    "start-or-resume": Flags.string({
      summary: "start the run of this key, or go on with it; one that has finished stays as it is",
      description:
        "One run of a project has the key, whatever starts it, and however often. Its settings must stay the same, but for more --epochs. Ends with 75 where SIGTERM, SIGUSR1 or --time-limit stopped it: start it again.",
      helpValue: "KEY",
      exclusive: ["resume", "again"],
    }),
    "time-limit": TIME_LIMIT(),
    again: Flags.string({
      summary: "repeat a run with its settings and its seed",
      description: "Refused where the project's source or data are not what it was made from, unless --force.",
      helpValue: "RUN",
      exclusive: ["resume", "set", "folds"],
    }),
    force: Flags.boolean({ summary: "repeat although source or data have changed", dependsOn: ["again"] }),
    ...CLUSTER_FLAGS,
  };

  async run(): Promise<RunResult | GroupResult | Launched | undefined> {
    const { args, flags, raw } = await this.parse(Run);
    if (flags.folds && args.project !== undefined && /^\d+$/.test(args.project) && !existsSync(args.project)) {
      throw new UsageError(
        `--folds takes no number: how many folds there are is a setting. Write: cool run --folds --set data.split.folds=${args.project}`,
        { folds: args.project },
      );
    }
    const projectDir = args.project ?? findProjectDir(flags.project ?? ".");
    const project = await loadProject(projectDir, flags.set ?? []);
    if (flags.on !== undefined) {
      const [key, words] = keyed(flags, wordsWithout(raw, ["start-or-resume"], isSwitch), project.name);
      const job = { name: key, words: ["run", ...words], tasks: 1 };
      return this.handOver({ ...flags, on: flags.on }, job, projectDir);
    }
    this.goesOn = (flags["start-or-resume"] ?? flags.resume) !== undefined;
    const { replicas } = flags;
    const storeDir = resolve(flags.store ?? join(project.projectDir, ".cool"));
    const job = replicas === "mpi" ? await joinJob(project, storeDir, flags) : null;
    if (job !== null && job.rank > 0) {
      // the first rank speaks for all
      process.stdout.write = () => true;
      await this.interruptible(
        (signal) => job.follow(signal),
        () => {},
      ).catch((error: unknown) => {
        // a stop that all make: how it ends is the first rank's to say
        if (!(error instanceof InterruptedError)) throw error;
      });
      return undefined;
    }
    const logger = await openConsoleLogger(uncaptured(process.stderr));
    const asked = {
      store: flags.store,
      ...{ name: flags.name, tags: flags.tag, note: flags.note },
      backend: flags.backend,
      device: flags.device,
      seed: flags.seed,
      epochs: flags.epochs,
      replicas: replicas === "mpi" ? job?.size : replicas,
      ...{ resume: flags.resume, key: flags["start-or-resume"] },
      from: flags.from,
      commandLine: ["cool", ...process.argv.slice(2)].join(" "),
      loggers: [logger],
    };
    const { again, force } = flags;
    const begun: string[] = [];
    const onBegun = (id: string): void => void begun.push(id);
    const work = this.interruptible(
      async (signal) => {
        if (!flags.folds) {
          const options = {
            ...asked,
            again,
            force,
            signal,
            onBegun,
            report: (result: RunResult) => this.report(result),
          };
          return job === null
            ? trainRun(project, options)
            : job.lead(signal, (ranks) => trainRun(project, { ...options, ranks }));
        }
        const { trainFolds } = await import("../../training/folds/train-folds.js");
        const result = await trainFolds(project, { ...asked, signal, onBegun });
        await logger.close?.();
        this.#reportGroup(result);
        return result;
      },
      // the logger clears its progress bar for it
      (line) => logger.message?.(line),
      flags["time-limit"],
    );
    return work.finally(() => this.#onFinish(flags["on-finish"], begun, storeDir));
  }

  /** Once, however many folds there are: the last run stands for them. */
  async #onFinish(command: string | undefined, begun: readonly string[], storeDir: string): Promise<void> {
    const id = begun.at(-1);
    if (command === undefined || id === undefined || !existsSync(storeDir)) return;
    const run = await this.withStore({ store: storeDir }, (store) => summarize(store.findRun(id), store.runDir(id)));
    await this.onFinish(command, run);
  }

  #reportGroup({ group, evaluation }: GroupResult): void {
    for (const split of ["valid", "test"] as const) {
      if (evaluation.some((row) => row.split === split)) this.log(groupTable(evaluation, split));
    }
    this.log(`group ${group.id} (${group.name}) of ${group.runs.length} folds; thresholds are tuned on all of them`);
    this.log(`answers of the ensemble: cool predict INPUT --run ${shellWord(group.name)}`);
  }

  /** Flags that lead to the run's store from where the user stands. */
  private elsewhere(runDir: string): string {
    const store = resolve(runDir, "..", "..");
    return store === resolve(".cool") ? "" : ` --store ${shellWord(relative(process.cwd(), store))}`;
  }

  private report({ run, evaluation }: RunResult): void {
    const split = bestSplit(evaluation);
    if (split !== undefined) this.log(evaluationTable(evaluation, split));
    const dir = relative(process.cwd(), run.dir) || ".";
    if (run.best_epoch !== null) {
      this.log(`results of the weights after epoch ${run.best_epoch} of ${run.epochs}`);
    }
    this.log(`run ${run.id} (${run.name}) is ${run.state}; it is kept in ${dir}`);
    this.log(`curves and pictures: cool tensorboard ${shellWord(run.name)}${this.elsewhere(run.dir)}`);
  }
}

/** Flags without a value. */
const isSwitch = (flag: string): boolean => flag === "folds" || flag === "force";

/**
 * A job is started again where it was interrupted, so that its command line needs a key, unless it goes on with a run.
 * @returns the name of what is started, and the words
 */
function keyed(
  flags: Readonly<Record<"start-or-resume" | "resume" | "name" | "again", string | undefined>>,
  words: readonly string[],
  project: string,
): [name: string, words: string[]] {
  if (flags.again !== undefined) {
    throw new UsageError(
      "--on starts what can be started again, and --again would repeat the run each time. Leave --again out.",
    );
  }
  if (flags.resume !== undefined) return [flags.resume, [...words]];
  const key = flags["start-or-resume"] ?? flags.name ?? `${project}-${newRunId(new Date(), Math.random)}`;
  return [key, [...words, `--start-or-resume=${key}`]];
}
