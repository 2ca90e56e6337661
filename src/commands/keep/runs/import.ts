/** @file `cool runs import`: exported runs of ours, and runs of other trackers → this store. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand } from "../../../cli/command.js";
import { importProgress, shownImport } from "../../../importing/shown-import.js";
import { UsageError } from "../../../errors.js";
import type { ImportedRuns, ImportOptions } from "../../../importing/import-source.js";
import { findSource, type FoundSource } from "../../../importing/recognize.js";
import { SOURCE_KINDS } from "../../../importing/shape.js";
import { storeDirFor } from "../../../project/project-dir.js";
import { importRuns, importSource, type MergedRuns } from "../../../records/transfer.js";

export default class RunsImport extends CoolCommand {
  static override summary = "Import runs: of TensorBoard, MLflow, W&B, trackio, CSV files, or exported ones";
  static override description =
    "What lies at the path decides how it is read. Nothing of what comes in is run, and each run is taken whole or not at all; what is not taken is listed. A run that is here already is left as it is, or gets what has been added to its source. Exported runs are checked first: digests, required files, documents, links, and sizes (at most 16 GB a file, 32 GB and 100,000 files in all); one of the same id with other content is refused.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> runs",
    "<%= config.bin %> <%= command.id %> mlflow.db --dry-run",
    "<%= config.bin %> <%= command.id %> wandb --artifacts",
    "<%= config.bin %> <%= command.id %> long.tar.gz",
    "<%= config.bin %> <%= command.id %> exported/long --store .cool",
  ];
  static override args = {
    path: Args.string({ description: "folder or file that holds runs", required: true }),
  };
  static override flags = {
    from: Flags.option({ options: SOURCE_KINDS, summary: "the tracker that made it, where that cannot be told" })(),
    "dry-run": Flags.boolean({ summary: "only say what would be taken" }),
    artifacts: Flags.boolean({ summary: "copy the files of runs, too" }),
    again: Flags.boolean({ summary: "read runs that are here already once more, and replace their curves" }),
    names: Flags.string({
      summary: "how names are read: a regular expression with the groups metric and, where told, task and split",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "PATTERN",
    }),
  };

  async run(): Promise<MergedRuns | ImportedRuns> {
    const { args, flags } = await this.parse(RunsImport);
    const found = findSource(args.path, flags.from);
    if (found !== null) return this.#importForeign(found, flags);
    const foreign = (["dry-run", "artifacts", "again", "names"] as const).find((flag) => flags[flag] !== undefined);
    if (foreign !== undefined) {
      throw new UsageError(`--${foreign} is for runs of other trackers; ${args.path} holds runs of dnn-cool.`);
    }
    const source = importSource(args.path);
    const merged = await this.withStore(flags, (store) => importRuns(store, source), "create");
    for (const run of merged.added) this.log(`run ${run.id} (${run.name}) is imported`);
    for (const run of merged.same) this.log(`run ${run.id} (${run.name}) was there already`);
    return merged;
  }

  async #importForeign(
    found: FoundSource,
    flags: {
      readonly store?: string | undefined;
      readonly project?: string | undefined;
      readonly "dry-run": boolean;
      readonly artifacts: boolean;
      readonly again: boolean;
      readonly names?: readonly string[] | undefined;
    },
  ): Promise<ImportedRuns> {
    const { importFound } = await import("../../../importing/import-found.js");
    const progress = importProgress();
    const options: ImportOptions = {
      ...{ names: flags.names, artifacts: flags.artifacts, again: flags.again, dryRun: flags["dry-run"] },
      onProgress: progress.tell,
    };
    const store = flags.store ?? storeDirFor(flags.project ?? ".");
    const imported = importFound(store, found, options, (line) => this.note(line));
    progress.end();
    for (const line of shownImport(imported)) this.log(line);
    if (imported.refused.length > 0) process.exitCode = 1;
    return imported;
  }
}
