/** @file `cool blame`: which gate costs which task how much. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { type BlameResult, blameRun } from "../../asking/blame/blame-run.js";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { blamedRows, blameTable, blameTree } from "../../cli/tables/blame-tables.js";
import { fill } from "../../cli/text.js";
import { SPLITS } from "../../tasks/evaluation.js";

export default class Blame extends CoolCommand {
  static override summary = "Tell which gate costs which task how much";
  static override description =
    "The gap between a task's score with true gates and end to end is shared out over the errors of the gates above it: misses, where a gate does not say what is true, and false alarms. Shares are Shapley values and sum to the gap; alone is what the score gains where this gate alone becomes perfect.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> latest --split valid --task door_locked --rows",
    "<%= config.bin %> <%= command.id %> long --out blame.png",
  ];
  static override args = { run: Args.string({ description: RUN_HELP, default: "latest" }) };
  static override flags = {
    split: Flags.option({ summary: "default: test", options: SPLITS })(),
    task: Flags.string({ summary: "path of one task; default: all", helpValue: "PATH" }),
    rows: Flags.boolean({ summary: "list the rows behind each number" }),
    out: Flags.string({ summary: "picture to write, .png or .svg", helpValue: "FILE" }),
    force: Flags.boolean({ summary: "write the picture over a file that is something else", dependsOn: ["out"] }),
  };

  async run(): Promise<BlameResult> {
    const { args, flags } = await this.parse(Blame);
    const { result, nodes } = await this.withStore(flags, (store) => blameRun(store, args.run, flags));
    this.log(fill(result.headline));
    this.log(blameTable(result));
    this.log("");
    this.log(blameTree(result, nodes));
    if (result.rows !== null) this.log(`\n${blamedRows(result.rows)}`);
    if (result.out !== null) this.log(`Written to ${result.out}`);
    return result;
  }
}
