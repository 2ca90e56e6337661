/** @file `cool runs import`: an exported run → this store. */
import * as Args from "@oclif/core/args";
import { CoolCommand } from "../../../cli/command.js";
import { importRuns, importSource, type MergedRuns } from "../../../records/transfer.js";

export default class RunsImport extends CoolCommand {
  static override summary = "Import a run that was exported, with its id";
  static override description =
    "Nothing of what comes in is run, and everything is checked first: digests, required files, documents, links, and sizes (at most 16 GB a file, 32 GB and 100,000 files in all). A run that is there already with the same content is left as it is; one of the same id with other content is refused.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> long.tar.gz",
    "<%= config.bin %> <%= command.id %> exported/long --store .cool",
  ];
  static override args = {
    path: Args.string({ description: "folder or .tar.gz of an exported run", required: true }),
  };

  async run(): Promise<MergedRuns> {
    const { args, flags } = await this.parse(RunsImport);
    const source = importSource(args.path);
    const merged = await this.withStore(flags, (store) => importRuns(store, source), "create");
    for (const run of merged.added) this.log(`run ${run.id} (${run.name}) is imported`);
    for (const run of merged.same) this.log(`run ${run.id} (${run.name}) was there already`);
    return merged;
  }
}
