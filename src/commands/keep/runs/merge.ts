/** @file `cool runs merge`: all runs of another store → this one. */
import * as Args from "@oclif/core/args";
import { CoolCommand } from "../../../cli/command.js";
import { type MergedRuns, mergeStore } from "../../../records/transfer.js";

export default class RunsMerge extends CoolCommand {
  static override summary = "Copy the runs of another store into this one";
  static override description =
    "Nothing of what comes in is run, and everything is checked first: digests, required files, documents, links, and sizes (at most 16 GB a file, 32 GB and 100,000 files in all). Runs keep their ids; those that are here already are left as they are. Runs that cannot be added are reported, and the exit code is 1 then.";
  static override examples = ["<%= config.bin %> <%= command.id %> ../other-checkout/.cool"];
  static override args = {
    other: Args.directory({ description: "folder of the other store", required: true, exists: true }),
  };

  async run(): Promise<MergedRuns> {
    const { args, flags } = await this.parse(RunsMerge);
    const merged = await this.withStore(flags, (store) => mergeStore(store, args.other), "create");
    for (const { id, reason } of merged.refused) this.note(`run ${id} was not added: ${reason}`);
    this.log(
      `${merged.added.length} run${merged.added.length === 1 ? "" : "s"} added, ${merged.same.length} were there already, ${merged.refused.length} refused`,
    );
    if (merged.refused.length > 0) process.exitCode = 1;
    return merged;
  }
}
