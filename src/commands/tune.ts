/** @file `cool tune`: better decision thresholds for a finished run. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../cli/command.js";
import { drawTable, formatMetric } from "../cli/tables/tables.js";
import { type TuneResult, tuneRun } from "../asking/tune-run.js";

export default class Tune extends CoolCommand {
  static override summary = "Find the thresholds that maximise a metric on the valid split";
  static override description =
    "The optimum is exact. The run's thresholds, predictions and evaluation are updated; its weights stay as they are.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> latest --metric accuracy",
  ];
  static override args = { run: Args.string({ description: RUN_HELP, default: "latest" }) };
  static override flags = {
    metric: Flags.string({ summary: "metric to maximise; default: the run's tune.metric, f1_score unless set" }),
  };

  async run(): Promise<TuneResult> {
    const { args, flags } = await this.parse(Tune);
    const { metric, project } = flags;
    const result = await this.withStore(flags, (store) => tuneRun(store, args.run, metric, { project }), "change");
    const rows = result.reports.map(({ task_path, label, metric, threshold, before, after }) => [
      task_path,
      label ?? "",
      metric,
      formatMetric(threshold),
      formatMetric(before),
      formatMetric(after),
    ]);
    this.log(drawTable(["task", "label", "metric on valid", "threshold", "before", "after"], rows, [3, 4, 5]));
    for (const { task_path, label, warning } of result.reports) {
      if (warning !== undefined) this.note(`warning: ${task_path}${label === null ? "" : ` (${label})`}: ${warning}`);
    }
    return result;
  }
}
