/** @file `cool runs tag`: adds and takes away tags. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../../cli/command.js";
import { UsageError } from "../../../errors.js";
import { type ListedRun, listed } from "../../../records/list-runs.js";

export default class RunsTag extends CoolCommand {
  static override summary = "Add tags to a run, and take tags away";
  static override examples = [
    "<%= config.bin %> <%= command.id %> latest +good +paper",
    "<%= config.bin %> <%= command.id %> latest +good -bad",
    "<%= config.bin %> <%= command.id %> latest --add good --remove 'to do'",
  ];
  static override strict = false;
  static override args = { run: Args.string({ description: RUN_HELP, required: true }) };
  static override flags = {
    add: Flags.string({ summary: "tag to add; the same as +TAG", multiple: true, multipleNonGreedy: true }),
    remove: Flags.string({ summary: "tag to take away; the same as -TAG", multiple: true, multipleNonGreedy: true }),
  };

  async run(): Promise<{ runs: ListedRun[] }> {
    // -bad would be read as single-letter flags
    const argv = this.argv.map((word) => (/^-[^-]/.test(word) ? `--remove=${word.slice(1)}` : word));
    const { args, argv: words, flags } = await this.parse(RunsTag, argv);
    const plus = (words as string[]).slice(1);
    const wrong = plus.find((word) => !word.startsWith("+"));
    if (wrong !== undefined) throw new UsageError(`"${wrong}" is neither +TAG nor -TAG. Write +${wrong} to add it.`);
    const [add, remove] = [[...plus.map((word) => word.slice(1)), ...(flags.add ?? [])], flags.remove ?? []];
    if (add.length + remove.length === 0)
      throw new UsageError("No tag was given. Write +TAG to add one, -TAG to remove.");
    const run = await this.withStore(
      flags,
      (store) => {
        const { id } = store.findRun(args.run);
        store.removeTags(id, remove);
        return listed(store, store.addTags(id, add));
      },
      "change",
    );
    this.log(`run ${run.id} (${run.name}) has ${run.tags.length === 0 ? "no tags" : `tags ${run.tags.join(", ")}`}`);
    return { runs: [run] };
  }
}
