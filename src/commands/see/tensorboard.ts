/** @file `cool tensorboard`: curves, pictures and tables of runs in the browser. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import {
  planTensorBoard,
  serveTensorBoard,
  type TensorBoardAddress,
  type TensorBoardPlan,
} from "../../machine/tensorboard.js";
import { findTensorBoard, installTensorBoard } from "../../machine/tensorboard-program.js";

export default class TensorBoard extends CoolCommand {
  static override summary = "Start TensorBoard on the runs of the store";
  static override description =
    "Shows every run under its name, also those that begin later, on this machine's loopback address. Ctrl-C ends it. With --json the address is printed once TensorBoard answers.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> long latest --port 6010",
    "<%= config.bin %> <%= command.id %> --install",
  ];
  static override strict = false;
  static override args = { run: Args.string({ description: `runs to show; default: all. ${RUN_HELP}` }) };
  static override flags = {
    port: Flags.integer({ summary: "default: the first free one from 6006", min: 0, max: 65_535 }),
    install: Flags.boolean({ summary: "install TensorBoard in a Python environment of its own where it is missing" }),
    "dry-run": Flags.boolean({ summary: "link the runs and print the command, without starting it" }),
  };

  async run(): Promise<TensorBoardPlan | undefined> {
    const { argv, flags } = await this.parse(TensorBoard);
    return this.withStore(flags, async (store) => {
      const program = await (flags.install ? installTensorBoard((line) => this.note(line)) : findTensorBoard());
      const options = { program, references: argv as string[], port: flags.port };
      const plan = planTensorBoard(store, options);
      if (flags["dry-run"]) {
        this.log(plan.command.map(quoted).join(" "));
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

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
