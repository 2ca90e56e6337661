/** @file `cool calibrate`: probabilities that mean what they say, for a finished run. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { type CalibrateResult, calibrateRun } from "../asking/calibration/calibrate-run.js";
import { CoolCommand, RUN_HELP } from "../cli/command.js";
import { drawTable, formatMetric } from "../cli/tables/tables.js";
import { CALIBRATION_METHODS } from "../decoding/calibration.js";

const HEAD = ["task", "split", "answers", "", "ECE", "adaptive", "Brier", "log loss"];
const METRICS = ["ece", "ece_adaptive", "brier", "log_loss"] as const;

export default class Calibrate extends CoolCommand {
  static override summary = "Make the scores of a run probabilities that come true as often as they say";
  static override description =
    "Fitted on the active labelled rows of the valid split and kept with the run: predict and explain show calibrated scores from then on. No decision changes: thresholds move along with the scores. The table shows the expected calibration error (ECE) in bins of equal width and of equal mass, the Brier score and the log loss, before and after; those of test are the honest ones.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> latest --method isotonic",
    "<%= config.bin %> <%= command.id %> latest --method none",
  ];
  static override args = { run: Args.string({ description: RUN_HELP, default: "latest" }) };
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
    if (method === "none") this.log(`The scores of ${result.run.name} are those of its network again.`);
    else this.log(drawTable(HEAD, tableRows(result), [2, 4, 5, 6, 7]));
    return result;
  }
}

/** Two lines for each task and split: before, and after. */
function tableRows({ calibration }: CalibrateResult): string[][] {
  const keys = [...new Set(calibration.map(({ split, task_path }) => `${split} ${task_path}`))];
  return keys.flatMap((key) => {
    const rows = calibration.filter(({ split, task_path }) => `${split} ${task_path}` === key);
    const [first] = rows;
    if (first === undefined) return [];
    const line = (side: "raw" | "calibrated"): string[] =>
      METRICS.map((name) => formatMetric(rows.find(({ metric_name }) => metric_name === name)?.[side] ?? null));
    return [
      [first.task_path, first.split, String(first.num_samples), "before", ...line("raw")],
      ["", "", "", "after", ...line("calibrated")],
    ];
  });
}
