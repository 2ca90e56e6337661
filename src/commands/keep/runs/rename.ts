/** @file `cool runs rename`: another name for a run; its id and folder stay. */
import * as Args from "@oclif/core/args";
import { CoolCommand, RUN_HELP } from "../../../cli/command.js";
import { type ListedRun, listed } from "../../../records/list-runs.js";

export default class RunsRename extends CoolCommand {
  static override summary = "Give a run another name";
  static override examples = ["<%= config.bin %> <%= command.id %> latest baseline"];
  static override args = {
    run: Args.string({ description: RUN_HELP, required: true }),
    name: Args.string({ description: "the new name", required: true }),
  };

  async run(): Promise<{ runs: ListedRun[] }> {
    const { args, flags } = await this.parse(RunsRename);
    const run = await this.withStore(
      flags,
      (store) => listed(store, store.updateRun(store.findRun(args.run).id, { name: args.name })),
      "change",
    );
    this.log(`run ${run.id} is named ${run.name}`);
    return { runs: [run] };
  }
}
