/** @file `cool runs list`: the runs of a store. */
import { Flags } from "@oclif/core";
import { CoolCommand } from "../../cli/command.js";
import { drawTable } from "../../cli/tables.js";
import { type ListedRun, listRuns } from "../../runs/list-runs.js";

export default class RunsList extends CoolCommand {
  static override summary = "List the runs of a store, newest first";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> --limit 5 --json",
  ];
  static override flags = {
    limit: Flags.integer({ summary: "at most so many", min: 1 }),
    trash: Flags.boolean({ summary: "also those in the trash" }),
  };

  async run(): Promise<{ runs: ListedRun[] }> {
    const { flags } = await this.parse(RunsList);
    const runs = await this.withStore(flags, (store) => listRuns(store, { limit: flags.limit, trash: flags.trash }));
    if (this.jsonEnabled()) return { runs };
    if (runs.length === 0) this.log("No runs yet. Make one with: cool run");
    else {
      const rows = runs.map((run) => [
        run.id,
        run.name,
        run.state,
        `${run.epochs_done}/${run.epochs ?? "?"}`,
        run.started_at.slice(0, 19).replace("T", " "),
        run.tags.join(", "),
      ]);
      this.log(drawTable(["id", "name", "state", "epochs", "started (UTC)", "tags"], rows, [3]));
    }
    return { runs };
  }
}
