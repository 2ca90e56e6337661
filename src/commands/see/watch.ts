/** @file `cool watch`: runs while they train, on the whole terminal. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { tableColumns } from "../../cli/tables/table-layout.js";
import { useColour } from "../../cli/tables/tables.js";
import { type WatchSnapshot, watchSnapshot, watchText } from "../../cli/watch/snapshot.js";
import { WatchedStore } from "../../watching/watched-store.js";

/** Of a picture that goes to no terminal. */
const ROWS = 24;

export default class Watch extends CoolCommand {
  static override summary = "Watch runs while they train: curves, active rows, load, output";
  static override description =
    `From another terminal, also of runs that have ended. One run is opened at once; of several, or of a whole store, there is a list. Keys are those of less and htop; ? shows them.

Without a terminal, with TERM=dumb or with --once one picture is printed.`;
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> latest",
    "<%= config.bin %> <%= command.id %> base wide",
    "<%= config.bin %> <%= command.id %> latest --once --json",
  ];
  static override strict = false;
  static override args = { run: Args.string({ description: `runs, or groups of them: ${RUN_HELP}` }) };
  static override flags = {
    once: Flags.boolean({ summary: "print what there is to see now, and end" }),
  };

  async run(): Promise<WatchSnapshot | undefined> {
    const { argv, flags } = await this.parse(Watch);
    const watched = new WatchedStore(this.storeDir(flags));
    try {
      const { ids, open } = chosen(watched, argv as string[]);
      if (this.jsonEnabled()) return watchSnapshot(watched, ids);
      const { stdin, stdout } = process;
      if (flags.once || !stdin.isTTY || !stdout.isTTY || process.env.TERM === "dumb") {
        const columns = Math.min(tableColumns(), 500);
        this.log(
          watchText(
            watched,
            { ids, open },
            { columns, rows: stdout.isTTY && stdout.rows > 1 ? stdout.rows - 1 : ROWS },
          ),
        );
        return undefined;
      }
      const { watch } = await import("../../cli/watch/watch.js");
      const { interrupted } = await watch(watched, { ids, open, hasColour: useColour() });
      if (interrupted) process.exitCode = 130;
      return undefined;
    } finally {
      watched.close();
    }
  }
}

/** Runs and groups by their ids, and the run to open where one alone is named. */
function chosen(
  { store }: WatchedStore,
  references: readonly string[],
): { readonly ids: ReadonlySet<string> | null; readonly open: string | null } {
  if (store === null || references.length === 0) return { ids: null, open: null };
  const groups = references.map((reference) => store.findGroup(reference)?.id ?? null);
  // a group stays one: its next folds are not there yet
  const ids = new Set(references.map((reference, i) => groups[i] ?? store.findRun(reference).id));
  const [only = null] = ids;
  return { ids, open: ids.size === 1 && groups[0] === null ? only : null };
}
