/** @file `cool drift`: new data beside what a run was trained on, for people and for cron. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { type DriftResult, driftRun } from "../../asking/drift/drift-run.js";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { numberFlag } from "../../cli/number-flag.js";
import { driftTable, driftVerdict, furthestTable } from "../../cli/tables/drift-tables.js";

export default class Drift extends CoolCommand {
  static override summary = "Compare new, unlabelled data with what a run was trained on";
  static override description =
    "Inputs, features of the trunk, how often each question is asked, and answers where it is. A drift is a change that chance hardly makes (--alpha, over all tests) and that is large (--effect). Exit code 0: no drift, 1: drift, 2: nothing could be said.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> new-images",
    "<%= config.bin %> <%= command.id %> new.csv --run long --alpha 0.001 --json",
    "<%= config.bin %> <%= command.id %> new-images --sheet furthest.png",
  ];
  static override args = {
    data: Args.string({ description: "a table, a SQL query, or a folder of pictures", required: true }),
  };
  static override flags = {
    run: Flags.string({ summary: RUN_HELP, default: "latest", helpValue: "RUN" }),
    alpha: numberFlag("alpha", { summary: "chance of any false alarm; default 0.01", min: 0, max: 1 })(),
    effect: numberFlag("effect", {
      summary: "population stability index from which on a change counts; default 0.2",
      min: 0,
      max: Number.POSITIVE_INFINITY,
    })(),
    top: Flags.integer({ summary: "furthest rows that are named", default: 20, min: 0, helpValue: "N" }),
    sheet: Flags.string({ summary: "also draw the furthest pictures into this .png file", helpValue: "FILE" }),
    "on-bad-image": Flags.option({
      summary: "stop, or leave out pictures that cannot be read",
      options: ["error", "skip"] as const,
      default: "error",
    })(),
  };

  async run(): Promise<DriftResult> {
    const { args, flags } = await this.parse(Drift);
    const { run, project, alpha, effect, top, sheet } = flags;
    const result = await this.interruptible((signal) =>
      driftRun(this.storeDir(flags), run, args.data, {
        ...{ project, alpha, effect, top, sheet, signal },
        onBadImage: flags["on-bad-image"],
        onProgress: (what, done, total) => {
          if (done === total) this.note(`${what} (${total})`);
        },
      }),
    );
    this.log(driftTable(result.tests));
    if (result.furthest.length > 0) this.log(furthestTable(result.furthest));
    for (const note of result.notes) this.note(`warning: ${note}`);
    if (result.sheet !== null) this.log(`the furthest rows are drawn in ${result.sheet}`);
    this.log(driftVerdict(result.tests, result));
    if (result.drift) process.exitCode = 1;
    else if (!result.enough) process.exitCode = 2;
    return result;
  }

  /** 1 says that there is a drift. */
  protected override async catch(anything: unknown): Promise<void> {
    await super.catch(anything);
    if (process.exitCode === 1) process.exitCode = 2;
  }
}
