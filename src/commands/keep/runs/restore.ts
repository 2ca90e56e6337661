/** @file `cool runs restore`: runs ← trash. */
import * as Args from "@oclif/core/args";
import { CoolCommand, RUN_HELP } from "../../../cli/command.js";
import type { ListedRun } from "../../../records/list-runs.js";
import { restoreRuns } from "../../../records/trash.js";

export default class RunsRestore extends CoolCommand {
  static override summary = "Bring runs back from the trash";
  static override examples = ["<%= config.bin %> <%= command.id %> home-security-3"];
  static override strict = false;
  static override args = { run: Args.string({ description: `one run or more: ${RUN_HELP}`, required: true }) };

  async run(): Promise<{ runs: ListedRun[] }> {
    const { argv, flags } = await this.parse(RunsRestore);
    const runs = await this.withStore(flags, (store) => restoreRuns(store, argv as string[]), "change");
    for (const run of runs) this.log(`run ${run.id} (${run.name}) is back`);
    return { runs };
  }
}
