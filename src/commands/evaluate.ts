/** @file `cool evaluate`: the evaluation table of a finished run. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../cli/command.js";
import { bestSplit, evaluationTable, groupTable } from "../cli/tables/tables.js";
import { type EvaluateResult, evaluateRun } from "../asking/evaluate-run.js";
import { type GroupResult, groupResult } from "../asking/groups/group-runs.js";
import { EVALUATED_GATES, SPLITS } from "../tasks/evaluation.js";

export default class Evaluate extends CoolCommand {
  static override summary = "Show every metric of every task of a finished run";
  static override description =
    "With true gates: how good an answer is when its question was rightly asked. With predicted gates: how good it is where the network asks the question itself, over the rows whose gate it opened and that are labelled; a question that it asked wrongly mostly has no label and is not counted. End to end: what a user gets, over the rows that should be asked or are; a question asked wrongly, or not asked, has no right answer.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> long --split valid --gates predicted",
    "<%= config.bin %> <%= command.id %> --metric matthews_correlation --metric log_loss",
    "<%= config.bin %> <%= command.id %> --metric all --labels",
  ];
  static override args = { run: Args.string({ description: RUN_HELP, default: "latest" }) };
  static override flags = {
    split: Flags.option({ summary: "one split; default: all in JSON, the test split as a table", options: SPLITS })(),
    metric: Flags.string({
      summary: "this metric alone, also one that is computed on demand, or all (may be repeated)",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "NAME",
    }),
    labels: Flags.boolean({ summary: "also the metrics of single labels of multilabel tasks" }),
    gates: Flags.option({
      summary: "one kind of gates",
      description:
        "truth: open by the labels; predicted: opened by the network; both count labelled rows alone. end_to_end: what a user gets, over the rows that should be asked or are",
      options: EVALUATED_GATES,
    })(),
  };

  async run(): Promise<EvaluateResult | Omit<GroupResult, "thresholds">> {
    const { args, flags } = await this.parse(Evaluate);
    const group = await this.withStore(flags, (store) => {
      const found = store.findGroup(args.run);
      return found === null ? null : groupResult(store, found, { ...flags, metrics: flags.metric });
    });
    if (group !== null) {
      const shown = flags.split ?? bestSplit(group.evaluation);
      if (shown !== undefined) this.log(groupTable(group.evaluation, shown, flags));
      return group;
    }
    const result = await this.withStore(flags, (store) =>
      evaluateRun(store, args.run, {
        split: flags.split,
        gates: flags.gates,
        metrics: flags.metric,
        project: flags.project,
        onWarning: (text) => this.note(`warning: ${text}`),
      }),
    );
    const split = flags.split ?? bestSplit(result.evaluation);
    const labels = flags.labels || (flags.metric?.some((name) => name.includes("/")) ?? false);
    if (split !== undefined) this.log(evaluationTable(result.evaluation, split, { labels }));
    return result;
  }
}
