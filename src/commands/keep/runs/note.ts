/** @file `cool runs note`: a text kept with a run. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../../cli/command.js";
import { UsageError } from "../../../errors.js";
import { type ListedRun, listed } from "../../../records/list-runs.js";

export default class RunsNote extends CoolCommand {
  static override summary = "Write a note on a run, in the place of an earlier one";
  static override examples = [
    "<%= config.bin %> <%= command.id %> latest 'wider trunk; compare with base'",
    "<%= config.bin %> <%= command.id %> latest --append 'better on shirts'",
    "<%= config.bin %> <%= command.id %> latest --clear",
  ];
  static override args = {
    run: Args.string({ description: RUN_HELP, required: true }),
    text: Args.string({ description: "the note" }),
  };
  static override flags = {
    append: Flags.boolean({ summary: "as a new line after the note that there is" }),
    clear: Flags.boolean({ summary: "take the note away", exclusive: ["append"] }),
  };

  async run(): Promise<{ runs: ListedRun[] }> {
    const { args, flags } = await this.parse(RunsNote);
    const clear = flags.clear === true;
    if ((args.text === undefined) !== clear) {
      throw new UsageError(clear ? "--clear takes no text." : "The text of the note is missing.");
    }
    const run = await this.withStore(
      flags,
      (store) => {
        const { id, note } = store.findRun(args.run);
        const text = flags.append && note !== null ? `${note}\n${args.text}` : (args.text ?? null);
        return listed(store, store.updateRun(id, { note: text }));
      },
      "change",
    );
    this.log(`run ${run.id} (${run.name}) ${run.note === null ? "has no note" : "has its note"}`);
    return { runs: [run] };
  }
}
