/** @file `cool runs remove`: runs → trash. */
import * as Args from "@oclif/core/args";
import { CoolCommand, RUN_HELP } from "../../../cli/command.js";
import type { ListedRun } from "../../../records/list-runs.js";
import { removeRuns } from "../../../records/trash.js";

export default class RunsRemove extends CoolCommand {
  static override summary = "Move runs to the trash";
  static override description =
    "The name of a group (cool run --folds) means all of its runs. They are listed no more, and nothing is deleted: cool runs restore brings them back, cool runs gc deletes them for good.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> latest",
    "<%= config.bin %> <%= command.id %> home-security-3 home-security-4",
  ];
  static override strict = false;
  static override args = { run: Args.string({ description: `one run or more: ${RUN_HELP}`, required: true }) };

  async run(): Promise<{ runs: ListedRun[] }> {
    const { argv, flags } = await this.parse(RunsRemove);
    const runs = await this.withStore(flags, (store) => removeRuns(store, argv as string[]), "change");
    for (const run of runs)
      this.log(`run ${run.id} (${run.name}) is in the trash; back with: cool runs restore ${run.id}`);
    return { runs };
  }
}
