/** @file `cool tensorboard`: curves, pictures and tables of runs in the browser. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { UsageError } from "../../errors.js";
import {
  planTensorBoard,
  serveTensorBoard,
  type TensorBoardAddress,
  type TensorBoardPlan,
} from "../../machine/tensorboard.js";
import { MOST_RUNS } from "../../machine/tensorboard-links.js";
import { findTensorBoard, installTensorBoard } from "../../machine/tensorboard-program.js";
import { shellWord } from "../../platform/shell-word.js";

export default class TensorBoard extends CoolCommand {
  static override summary = "Start TensorBoard on the runs of the store";
  static override description =
    "Shows the newest runs under their names, also those that begin later, on this machine's loopback address. TensorBoard checks no run by itself where there are more than 500 entries, so that many runs are shown without the load of the machine, then without train, then with valid alone. Its HPARAMS page has the settings that differ between the runs shown, and each task's metric. Ctrl-C ends it. With --json the address is printed once TensorBoard answers.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> long latest --port 6010",
    "<%= config.bin %> <%= command.id %> --where 'train.batchSize = 32 and tag = \"good\"' --limit 50",
    "<%= config.bin %> <%= command.id %> --install",
  ];
  static override strict = false;
  static override args = { run: Args.string({ description: `runs to show; default: the newest. ${RUN_HELP}` }) };
  static override flags = {
    where: Flags.string({ summary: "runs by a condition, as in runs list", helpValue: "CONDITION" }),
    limit: Flags.integer({ summary: "the newest so many", min: 1, default: MOST_RUNS }),
    port: Flags.integer({ summary: "default: the first free one from 6006", min: 0, max: 65_535 }),
    install: Flags.boolean({ summary: "install TensorBoard in a Python environment of its own where it is missing" }),
    "dry-run": Flags.boolean({ summary: "link the runs and print the command, without starting it" }),
  };

  async run(): Promise<TensorBoardPlan | undefined> {
    const { argv, flags } = await this.parse(TensorBoard);
    return this.withStore(flags, async (store) => {
      const program = await (flags.install ? installTensorBoard((line) => this.note(line)) : findTensorBoard());
      const { where, limit, port } = flags;
      const references = argv as string[];
      if (references.length > 0 && where !== undefined) {
        throw new UsageError("Either name runs one by one, or choose them with --where.", { where });
      }
      const options = { program, references, where, limit, port };
      const plan = planTensorBoard(store, options);
      if (references.length === 0 && plan.runs.length === limit) {
        this.note(`the newest ${limit} runs; more with --limit, others with --where`);
      }
      if (flags["dry-run"]) {
        this.log(plan.command.map(shellWord).join(" "));
        return plan;
      }
      await serveTensorBoard(
        store,
        plan,
        options,
        (address) => this.announce(address),
        (text) => process.stderr.write(text),
      );
      return undefined;
    });
  }

  private announce(address: TensorBoardAddress): void {
    if (this.jsonEnabled()) super.logJson(address);
    else this.log(`${address.runs.length} runs at ${address.url} (Ctrl-C ends it)`);
  }

  /** The address has been printed when TensorBoard was ready; the end prints nothing. */
  protected override logJson(json: unknown): void {
    if (json !== undefined) super.logJson(json);
  }
}
