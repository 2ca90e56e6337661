/** @file `cool predict`: answers to unlabelled inputs. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { COVERAGE_FLAGS, coverageFrom } from "../../cli/coverage-flags.js";
import { replicasFlag } from "../../cli/replicas-flag.js";
import { linesOf, predictionsTable, predictionTable } from "../../cli/tables/prediction-table.js";
import { warningLines } from "../../cli/text.js";
import { openConsoleLogger } from "../../logging/console.js";
import { parseGiven } from "../../asking/given-answers.js";
import type { DescribedSet } from "../../analysis/conformal/sets.js";
import { setText } from "../../asking/sets/set-columns.js";
import { loadRun } from "../../asking/load-run.js";
import { type PredictResult, predictRun } from "../../asking/predict-run.js";

export default class Predict extends CoolCommand {
  static override summary = "Answer every question about unlabelled images or texts";
  static override description =
    "Takes images, folders of images and patterns, texts where the run reads texts alone, or one table with the run's input columns. Several inputs are answered in one table, a row each. With --out the answers become a table: one column per task, empty where its precondition does not hold.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> image.png other.png",
    "<%= config.bin %> <%= command.id %> new-images/ --wide",
    "<%= config.bin %> <%= command.id %> new.csv --out answers.parquet",
    "<%= config.bin %> <%= command.id %> new.csv --run long --out answers.csv --skip-bad-images",
  ];
  static override strict = false;
  static override args = {
    input: Args.string({ description: "a table, or images and folders of them, or texts", required: true }),
  };
  static override flags = {
    run: Flags.string({ summary: `the run to ask: ${RUN_HELP}`, default: "latest" }),
    out: Flags.string({ summary: "file to write: .parquet, .csv or .jsonl" }),
    force: Flags.boolean({ summary: "write over a file of --out that is no earlier table of answers" }),
    given: Flags.string({
      summary: "answer of a known task, for all inputs (may be repeated)",
      multiple: true,
      multipleNonGreedy: true,
      default: [],
      helpValue: "NAME=true|false",
    }),
    ...COVERAGE_FLAGS,
    replicas: replicasFlag("copies of the network that share the inputs"),
    "skip-bad-images": Flags.boolean({ summary: "leave out images that cannot be read" }),
  };

  async run(): Promise<PredictResult> {
    const { argv, flags } = await this.parse(Predict);
    const logger = await openConsoleLogger(process.stderr);
    const coverage = coverageFrom(flags);
    const run = await loadRun(this.storeDir(flags), flags.run, {
      project: flags.project,
      replicas: flags.replicas,
      onReplicas: (line) => this.note(line),
    });
    try {
      const result = await this.interruptible((signal) =>
        predictRun(run, argv as string[], {
          out: flags.out,
          force: flags.force,
          given: parseGiven(flags.given),
          coverage,
          onBadImage: flags["skip-bad-images"] ? "skip" : "error",
          signal,
          onProgress: (what, done, total) => logger.work?.({ what, done, total }),
        }),
      );
      await logger.close?.();
      for (const line of warningLines(result.warnings ?? [])) this.note(line);
      if (result.skipped > 0) this.note(`warning: ${result.skipped} inputs were left out because they cannot be read`);
      const { predictions = [] } = result;
      const [only] = predictions;
      const text = (set: DescribedSet): string => setText(set, ", ", linesOf);
      if (predictions.length > 1) this.log(predictionsTable(predictions, text));
      else if (only !== undefined) this.log(predictionTable(only, text));
      if (result.out !== null) this.log(`${result.rows} rows written to ${result.out}`);
      return result;
    } finally {
      run.close();
    }
  }
}
