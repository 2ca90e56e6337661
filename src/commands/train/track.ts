/** @file `cool track`: any command as a run. */
import { relative } from "node:path";
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, ON_FINISH } from "../../cli/command.js";
import { UsageError } from "../../errors.js";
import { storeDirFor } from "../../project/project-dir.js";
import { trackCommand, type TrackResult } from "../../tracking/command/track-command.js";

export default class Track extends CoolCommand {
  static override summary = "Run a command of any language as a run: output, git, system, arguments, scalars";
  static override description =
    "The command stands after --. Its exit code is passed on, and so are signals; a run that ends otherwise than with 0 has failed. Arguments such as --lr 0.1, --lr=0.1 and key=value are its settings. Scalars come from lines (--scalar), from event files (--watch), and from JSON lines that the command appends to the file that COOL_TRACK_FILE names (see docs/track.md).";
  static override examples = [
    "<%= config.bin %> <%= command.id %> -- python train.py --lr 0.1",
    String.raw`<%= config.bin %> <%= command.id %> --name first --scalar 'loss: (?<loss>\S+)' -- python train.py`,
    "<%= config.bin %> <%= command.id %> --watch runs -- python train.py",
  ];
  static override strict = false;
  static override args = { command: Args.string({ description: "the command and its arguments, after --" }) };
  static override flags = {
    name: Flags.string({ summary: "name of the run; default: the working folder's name and a number" }),
    tag: Flags.string({ summary: "a tag of the run", multiple: true, multipleNonGreedy: true }),
    note: Flags.string({ summary: "a note of the run" }),
    "on-finish": ON_FINISH,
    scalar: Flags.string({
      summary: "scalars of each line that matches: a regular expression with named groups",
      description:
        "The groups step, epoch and split say where the others belong; two underscores in a name stand for a slash.",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "PATTERN",
    }),
    watch: Flags.string({
      summary: "a folder below which the command writes TensorBoard event files, read while they grow",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "FOLDER",
    }),
    names: Flags.string({
      summary: "how names are read: a regular expression with the groups metric and, where told, task and split",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "PATTERN",
    }),
    "kill-after": Flags.integer({
      summary: "seconds from SIGTERM until the command is killed",
      default: 10,
      min: 0,
      max: 86_400,
    }),
  };

  async run(): Promise<TrackResult> {
    const [own, command] = this.#split();
    const { flags, argv } = await this.parse(Track, own);
    if (argv.length > 0)
      throw new UsageError(`The command stands after --: ${JSON.stringify(argv[0])} stands before it.`);
    const result = await trackCommand({
      command,
      store: flags.store ?? storeDirFor(flags.project ?? "."),
      ...{ name: flags.name, tags: flags.tag, note: flags.note, names: flags.names },
      ...{ scalars: flags.scalar, watch: flags.watch, killAfterS: flags["kill-after"] },
      // stdout is the document's
      stdout: this.jsonEnabled() ? process.stderr : process.stdout,
      onBegun: ({ id, name }) => this.note(`run ${id} (${name})`),
    });
    const { run, error, exit_code } = result;
    if (error !== null) this.note(`Error: ${error}`);
    this.note(`run ${run.id} (${run.name}) is ${run.state}; it is kept in ${relative(process.cwd(), run.dir) || "."}`);
    process.exitCode = exit_code;
    await this.onFinish(flags["on-finish"], run);
    return result;
  }

  /** What stands before -- is ours, whatever the command's own arguments look like. */
  #split(): readonly [own: string[], command: string[]] {
    const at = this.argv.indexOf("--");
    const command = at === -1 ? [] : this.argv.slice(at + 1);
    if ((command[0] ?? "") !== "") return [this.argv.slice(0, at), command];
    throw new UsageError("There is no command to run. Write it after --, e.g. cool track -- python train.py");
  }
}
