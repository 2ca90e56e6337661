/** @file `cool doctor`: what works on this machine and in this store. */
import * as Flags from "@oclif/core/flags";
import { CoolCommand } from "../../cli/command.js";
import { cellText } from "../../cli/text.js";
import { ConfigError } from "../../errors.js";
import { type CheckStatus, type Diagnosis, diagnose } from "../../machine/doctor.js";
import { runningProject } from "../../project/project-dir.js";

const MARKS: Readonly<Record<CheckStatus, string>> = { ok: "ok", absent: "–", warning: "warning", broken: "BROKEN" };

export default class Doctor extends CoolCommand {
  static override summary = "Check this machine and the run store, and say what to do about what does not work";
  static override description =
    "Backends are loaded and train for a moment; the store's database is checked as a whole. --repair stores runs again whose folder the database does not know, moves other folders to lost/, tags runs whose folder is gone, and deletes what killed processes left half written. The exit code is 1 where something is broken.";
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> --store .cool --repair",
    "<%= config.bin %> <%= command.id %> --json",
  ];
  static override flags = {
    repair: Flags.boolean({ summary: "repair what does not fit between folders and database" }),
  };

  async run(): Promise<Diagnosis> {
    const { flags } = await this.parse(Doctor);
    const diagnosis = await diagnose(this.storeOrNone(flags), {
      repair: flags.repair,
      projectDir: runningProject(flags.project)?.dir,
    });
    for (const { what, deed } of diagnosis.repairs) this.note(`${cellText(what)}: ${cellText(deed)}`);
    const width = Math.max(...diagnosis.checks.map(({ name }) => name.length));
    for (const { name, status, detail } of diagnosis.checks) {
      this.log(`${MARKS[status].padEnd(8)} ${name.padEnd(width)}  ${cellText(detail)}`);
    }
    for (const { name, advice, status } of diagnosis.checks) {
      if (advice !== null && status !== "ok") this.log(`${name}: ${advice}`);
    }
    if (!diagnosis.healthy) process.exitCode = 1;
    return diagnosis;
  }

  /** The machine can be checked without a project. */
  private storeOrNone(flags: { readonly project?: string | undefined; readonly store?: string | undefined }) {
    try {
      return this.storeDir(flags);
    } catch (error) {
      if (error instanceof ConfigError && flags.project === undefined) return null;
      throw error;
    }
  }
}
