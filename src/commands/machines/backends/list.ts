/** @file `cool backends list`: what can compute on this machine. */
import * as Flags from "@oclif/core/flags";
import { CoolCommand } from "../../../cli/command.js";
import { drawTable } from "../../../cli/tables/tables.js";
import { cellText } from "../../../cli/text.js";
import { UsageError } from "../../../errors.js";
import { type ListedBackend, listBackends } from "../../../machine/backends/list-backends.js";
import { runningProject } from "../../../project/project-dir.js";

export default class BackendsList extends CoolCommand {
  static override summary = "List the backends: whether they work, where they came from, and how fast they train";
  static override description =
    "Each one trains a small convolutional network (batches of 8 images of 32 × 32 × 3) for some seconds, so larger networks may rank them otherwise.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> --seconds 0.5 --json",
  ];
  static override flags = {
    seconds: Flags.string({ summary: "how long each one trains", default: "2", helpValue: "N" }),
  };

  async run(): Promise<{ backends: ListedBackend[] }> {
    const { flags } = await this.parse(BackendsList);
    const seconds = Number(flags.seconds);
    if (!(seconds > 0 && seconds <= 600)) {
      throw new UsageError(`--seconds ${flags.seconds} is no time. Give a number of seconds up to 600, such as 0.5.`, {
        seconds: flags.seconds,
      });
    }
    const backends = await listBackends(1000 * seconds, runningProject(flags.project)?.dir);
    const rows = backends.map(({ name, works, version, device, threads, images_per_second, source }) => [
      name,
      works ? "works" : "–",
      version ?? "",
      device ?? "",
      threads === null ? "" : String(threads),
      images_per_second === null ? "" : String(images_per_second),
      cellText(source),
    ]);
    this.log(drawTable(["backend", "", "version", "device", "threads", "images/s", "from"], rows));
    for (const { name, problem } of backends) if (problem !== null) this.log(`${name}: ${problem}`);
    return { backends };
  }
}
