/** @file `cool runs export`: a run, complete, as a folder or a .tar.gz. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../../cli/command.js";
import { type ExportedRun, exportRun } from "../../../records/transfer.js";

export default class RunsExport extends CoolCommand {
  static override summary = "Export a run with all its files, to be imported elsewhere with the same id";
  static override description =
    "The name of a group (cool run --folds) means all of its runs. The folder that is written is a run store of these alone: commands read it with --store DIR. For tables of metrics see cool runs export-metrics.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> latest",
    "<%= config.bin %> <%= command.id %> long --to long.tar.gz",
    "<%= config.bin %> <%= command.id %> long --to exported/long",
  ];
  static override args = { run: Args.string({ description: RUN_HELP, default: "latest" }) };
  static override flags = {
    to: Flags.string({
      summary: "new folder, or file that ends with .tar.gz; default: <run id>.tar.gz",
      helpValue: "PATH",
    }),
  };

  async run(): Promise<ExportedRun> {
    const { args, flags } = await this.parse(RunsExport);
    const exported = await this.withStore(flags, (store) => exportRun(store, args.run, flags.to));
    for (const run of exported.runs) this.log(`run ${run.id} (${run.name}) is exported to ${exported.path}`);
    return exported;
  }
}
