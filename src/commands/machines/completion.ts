/** @file `cool completion`: a script that lets a shell complete what is typed. */
import * as Args from "@oclif/core/args";
import { CoolCommand } from "../../cli/command.js";
import {
  type CompletedCommand,
  completedCommand,
  completionScript,
  INSTALLATION,
  SHELLS,
  type Shell,
} from "../../cli/completion.js";

export default class Completion extends CoolCommand {
  static override summary = "Print a script that completes commands, flags and names of runs in a shell";
  static override description =
    `Let the shell read it at its start:\n\n${SHELLS.map((shell) => `${shell}: ${INSTALLATION[shell]}`).join("\n\n")}`;
  static override examples = SHELLS.map((shell) => `<%= config.bin %> <%= command.id %> ${shell}`);
  static override args = { shell: Args.string({ description: "the shell", options: [...SHELLS], required: true }) };

  async run(): Promise<{ shell: string; script: string }> {
    const { args } = await this.parse(Completion);
    const script = completionScript(args.shell as Shell, this.config.bin, this.completedCommands());
    if (!this.jsonEnabled()) process.stdout.write(script);
    return { shell: args.shell, script };
  }

  private completedCommands(): CompletedCommand[] {
    return this.config.commands
      .filter(({ hidden }) => hidden !== true)
      .map(completedCommand)
      .sort((a, b) => (a.words.join(" ") < b.words.join(" ") ? -1 : 1));
  }
}
