/** @file `cool calibrate`: probabilities that mean what they say, for a finished run. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { type CalibrateResult, calibrateRun } from "../../asking/calibration/calibrate-run.js";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { drawTable, formatMetric } from "../../cli/tables/tables.js";
import { CALIBRATION_METHODS } from "../../decoding/calibration.js";
import type { Split } from "../../tasks/evaluation.js";

const METRICS = ["ece", "ece_adaptive", "brier", "log_loss"] as const;

export default class Calibrate extends CoolCommand {
  static override summary = "Make the scores of a run probabilities that come true as often as they say";
  static override description =
    "Fitted on the active labelled rows of the valid split, of a group of folds on their out-of-fold answers, and kept with it: predict and explain show calibrated scores from then on. No decision changes: thresholds move along with the scores. The table shows the expected calibration error (ECE) in bins of equal width and of equal mass, the Brier score and the log loss, before and after; those of test are the honest ones.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> latest --method isotonic",
    "<%= config.bin %> <%= command.id %> latest --method none",
  ];
  static override args = { run: Args.string({ description: `a group of folds, or ${RUN_HELP}`, default: "latest" }) };
  static override flags = {
    method: Flags.option({
      summary: "one temperature per question, an isotonic map, or the network's own scores again",
      options: [...CALIBRATION_METHODS, "none"] as const,
      default: "temperature" as const,
    })(),
  };

  async run(): Promise<CalibrateResult> {
    const { args, flags } = await this.parse(Calibrate);
    const { method, project } = flags;
    const result = await this.withStore(flags, (store) => calibrateRun(store, args.run, method, { project }), "change");
    for (const warning of result.warnings) this.note(`warning: ${warning}`);
    if (method === "none") this.log(`The scores of ${nameOf(result)} are those of its network again.`);
    else for (const split of new Set(result.calibration.map((row) => row.split))) this.log(splitTable(result, split));
    return result;
  }
}

const nameOf = (result: CalibrateResult): string => ("run" in result ? result.run : result.group).name;

/** Two lines for each task: before, and after. */
function splitTable({ calibration }: CalibrateResult, split: Split): string {
  const ofSplit = calibration.filter((row) => row.split === split);
  const rows = [...new Set(ofSplit.map(({ task_path }) => task_path))].flatMap((path) => {
    const ofTask = ofSplit.filter(({ task_path }) => task_path === path);
    const line = (side: "raw" | "calibrated"): string[] =>
      METRICS.map((name) => formatMetric(ofTask.find(({ metric_name }) => metric_name === name)?.[side] ?? null));
    const title = `${path}, ${ofTask[0]?.num_samples ?? 0} answers`;
    return [
      [{ content: title, colSpan: METRICS.length + 1 }],
      ["  before", ...line("raw")],
      ["  after", ...line("calibrated")],
    ];
  });
  return drawTable([split, "ECE", "adaptive ECE", "Brier", "log loss"], rows, [1, 2, 3, 4]);
}
