/** @file `cool runs gc`: deletes for good what has been in the trash for long. */
import * as Flags from "@oclif/core/flags";
import { CoolCommand } from "../../../cli/command.js";
import { formatBytes } from "../../../cli/text.js";
import { type CollectedGarbage, collectGarbage } from "../../../records/trash.js";

export default class RunsGc extends CoolCommand {
  static override summary = "Delete runs for good that have been in the trash for some time";
  static override description =
    "Their rows and folders are gone after this. Runs outside of the trash are never touched.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> --dry-run",
    "<%= config.bin %> <%= command.id %> --older-than 7d",
    "<%= config.bin %> <%= command.id %> --older-than 0d",
  ];
  static override flags = {
    "older-than": Flags.string({ summary: "time in the trash", default: "30d", helpValue: "AGE" }),
    // without a default it would be missing in --json
    "dry-run": Flags.boolean({ summary: "only show what would be deleted", default: false }),
  };

  async run(): Promise<CollectedGarbage & { readonly dry_run: boolean }> {
    const { flags } = await this.parse(RunsGc);
    const dryRun = flags["dry-run"];
    const collected = await this.withStore(
      flags,
      (store) => collectGarbage(store, flags["older-than"], { dryRun }),
      "change",
    );
    for (const run of collected.runs) this.log(`${run.id} (${run.name}), removed ${run.deleted_at}`);
    const { length } = collected.runs;
    const deed = dryRun ? "would be deleted" : "deleted";
    this.log(`${length} run${length === 1 ? "" : "s"} ${deed}, ${formatBytes(collected.bytes)}`);
    return { ...collected, dry_run: dryRun };
  }
}
