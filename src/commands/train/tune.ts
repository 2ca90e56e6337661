/** @file `cool tune`: better decision thresholds for a finished run. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { type TuneChainResult, tuneChainRun } from "../../asking/chain-tuning/tune-chain-run.js";
import { type TuneResult, tuneRun } from "../../asking/tune-run.js";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { drawTable, formatMetric } from "../../cli/tables/tables.js";

export default class Tune extends CoolCommand {
  static override summary = "Find the thresholds that maximise a metric on the valid split";
  static override description =
    "The optimum is exact. The run's thresholds, predictions and evaluation are updated; its weights stay as they are. With --end-to-end the thresholds of all questions are chosen together, for what a user gets: the mean over the tasks of a metric end to end, or what wrong, missed and needless answers cost. They are never worse on valid than thresholds tuned one by one; costs without a floor are least exactly where all conditions are conjunctions.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> latest --metric accuracy",
    "<%= config.bin %> <%= command.id %> --end-to-end --at-least door_open/recall=0.95",
    "<%= config.bin %> <%= command.id %> --end-to-end --cost costs.json",
  ];
  static override args = { run: Args.string({ description: RUN_HELP, default: "latest" }) };
  static override flags = {
    metric: Flags.string({ summary: "metric to maximise; default: the run's tune.metric, f1_score unless set" }),
    "end-to-end": Flags.boolean({ summary: "choose all thresholds together, for what a user gets" }),
    cost: Flags.string({
      summary: "file of what answers cost, instead of a metric",
      description:
        'JSON: {"wrong": 1, "missed": 5, "needless": 1, "tasks": {"door_open": {"missed": 20}}}; what is not said costs 1',
      helpValue: "FILE",
      dependsOn: ["end-to-end"],
      exclusive: ["metric"],
    }),
    "at-least": Flags.string({
      summary: "what must be reached on valid: recall=0.95, or door_open/recall=0.95 (may be repeated)",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "FLOOR",
      dependsOn: ["end-to-end"],
    }),
  };

  async run(): Promise<TuneResult | TuneChainResult> {
    const { args, flags } = await this.parse(Tune);
    const { metric, project, cost } = flags;
    if (flags["end-to-end"]) {
      const options = { project, metric, cost, atLeast: flags["at-least"] };
      const result = await this.withStore(flags, (store) => tuneChainRun(store, args.run, options), "change");
      this.printChain(result);
      return result;
    }
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

  private printChain({ moved, values, method, objective }: TuneChainResult): void {
    const thresholds = moved.map(({ task_path, label, separate, together }) => [
      ...[task_path, label ?? "", formatMetric(separate), formatMetric(together)],
    ]);
    this.log(drawTable(["task", "label", "by itself", "together"], thresholds, [2, 3]));
    const rows = values.map(({ split, name, before, separate, after }) => [
      ...[split, name === "cost" ? "cost per row" : name],
      ...[before, separate, after].map(formatMetric),
    ]);
    this.log(drawTable(["split", "end to end", "before", "one by one", "together"], rows, [2, 3, 4]));
    const best = `no choice among the candidates has a ${objective === "cost" ? "lower cost" : `higher ${objective}`} on valid`;
    this.log(method === "exact" ? best : "found by ascent from several beginnings");
  }
}
