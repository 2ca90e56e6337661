/** @file `cool runs artifact`: the files of a run, listed, or one of them taken out. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../../cli/command.js";
import { drawTable } from "../../../cli/tables/tables.js";
import { cellText, formatBytes } from "../../../cli/text.js";
import {
  type CopiedArtifact,
  copyArtifact,
  type ListedArtifact,
  listArtifacts,
} from "../../../records/run-artifacts.js";

export default class RunsArtifact extends CoolCommand {
  static override summary = "List a run's files, or take one of them out of the store";
  static override description =
    "Checkpoints, predictions, sample sheets, calibration, what another program has logged. A file that was final when the run ended is compared with its SHA-256 before it is handed out.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> long",
    "<%= config.bin %> <%= command.id %> long predictions/test.parquet",
    "<%= config.bin %> <%= command.id %> long checkpoints/best/weights.bin --to best.bin",
  ];
  static override args = {
    run: Args.string({ description: RUN_HELP, default: "latest" }),
    path: Args.string({ description: "one of its files; without it they are listed" }),
  };
  static override flags = {
    to: Flags.string({
      summary: "where it is copied to, not over a file; default: its name, here",
      helpValue: "FILE",
    }),
  };

  async run(): Promise<{ artifacts: ListedArtifact[] } | { artifact: CopiedArtifact }> {
    const { args, flags } = await this.parse(RunsArtifact);
    const { path } = args;
    if (path !== undefined) {
      const artifact = await this.withStore(flags, (store) => copyArtifact(store, args.run, path, flags.to));
      this.log(`${artifact.path} (${formatBytes(artifact.bytes)}) is copied to ${artifact.to}`);
      return { artifact };
    }
    const artifacts = await this.withStore(flags, (store) => listArtifacts(store, args.run));
    const rows = artifacts.map(({ path: name, bytes, sha256 }) => [
      cellText(name),
      formatBytes(bytes),
      sha256 === null ? "grows" : sha256.slice(0, 12),
    ]);
    this.log(drawTable(["file", "size", "SHA-256"], rows, [1]));
    return { artifacts };
  }
}
