/** @file `cool runs mark`: a star for the runs that matter. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../../cli/command.js";
import { type ListedRun, listed } from "../../../records/list-runs.js";

export default class RunsMark extends CoolCommand {
  static override summary = "Mark runs with a star";
  static override description = "Marked runs are listed with: cool runs list --starred";
  static override examples = [
    "<%= config.bin %> <%= command.id %> latest",
    "<%= config.bin %> <%= command.id %> base wide --off",
  ];
  static override strict = false;
  static override args = { run: Args.string({ description: `one run or more: ${RUN_HELP}`, required: true }) };
  static override flags = { off: Flags.boolean({ summary: "take the star away" }) };

  async run(): Promise<{ runs: ListedRun[] }> {
    const { argv, flags } = await this.parse(RunsMark);
    const runs = await this.withStore(
      flags,
      (store) => {
        const ids = (argv as string[]).map((reference) => store.findRun(reference).id);
        return store.atomically(() => ids.map((id) => listed(store, store.updateRun(id, { starred: !flags.off }))));
      },
      "change",
    );
    for (const run of runs) this.log(`run ${run.id} (${run.name}) is ${run.starred ? "marked" : "not marked"}`);
    return { runs };
  }
}
