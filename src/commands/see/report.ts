/** @file `cool report`: runs as one file that opens anywhere. */
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { CoolCommand, RUN_HELP } from "../../cli/command.js";
import { formatBytes } from "../../cli/text.js";
import { openConsoleLogger } from "../../logging/console.js";
import { type WrittenReport, writeReport } from "../../reporting/write-report.js";

export default class Report extends CoolCommand {
  static override summary =
    "Write a run, several beside each other, or a group of folds or a sweep as one page to send";
  static override description =
    "One HTML file that needs no network and opens from disk: curves, evaluation with baselines and intervals, the flow as a drawing, confusion matrices and reliability diagrams, thresholds to try, best and worst samples, settings, environment and the end of the output. It is made of what is stored alone; none of the project's code is run. A report that is there already is written anew, any other file only with --force.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> long --out long.html",
    "<%= config.bin %> <%= command.id %> door-1 long --title 'More epochs'",
    "<%= config.bin %> <%= command.id %> cv --no-pictures",
  ];
  static override strict = false;
  static override args = {
    run: Args.string({ description: `runs, or a group; default: the latest run. ${RUN_HELP}` }),
  };
  static override flags = {
    out: Flags.string({ summary: "file to write; default: <name>.report.html here", helpValue: "FILE" }),
    title: Flags.string({ summary: "heading of the page; default: the names of the runs", helpValue: "TEXT" }),
    pictures: Flags.boolean({ summary: "take small pictures of samples in", default: true, allowNo: true }),
    force: Flags.boolean({ summary: "write over a file that is no report" }),
  };

  async run(): Promise<WrittenReport> {
    const { argv, flags } = await this.parse(Report);
    const logger = await openConsoleLogger(process.stderr);
    try {
      const written = await this.interruptible((signal) =>
        this.withStore(flags, (store) =>
          writeReport(store, argv as string[], {
            ...flags,
            signal,
            onProgress: (_, done, total) => logger.work?.({ what: "reading runs", done, total }),
          }),
        ),
      );
      for (const sentence of written.left_out) this.note(`left out: ${sentence}`);
      this.log(`${written.path} (${formatBytes(written.bytes)})`);
      return written;
    } finally {
      await logger.close?.();
    }
  }
}
