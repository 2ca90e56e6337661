/** @file `cool help`: the same as `--help`, where people look for it first. */
import * as Args from "@oclif/core/args";
import { loadHelpClass } from "@oclif/core/help";
import { CoolCommand } from "../../cli/command.js";
import { explained } from "../../cli/command-not-found.js";
import { GROUPS } from "../../cli/help.js";

interface HelpResult {
  readonly groups: readonly {
    readonly title: string;
    readonly commands: readonly { readonly name: string; readonly summary: string }[];
  }[];
}

export default class HelpCommand extends CoolCommand {
  static override summary = "Say what the commands do, or all of one";
  static override examples = ["<%= config.bin %> <%= command.id %>", "<%= config.bin %> <%= command.id %> runs list"];
  static override strict = false;
  static override args = { command: Args.string({ description: "a command or topic, e.g. run or runs list" }) };

  async run(): Promise<HelpResult> {
    const { argv } = await this.parse(HelpCommand);
    const commands = this.config.commands.filter(({ hidden }) => !hidden);
    const names = commands.map(({ id }) => id.replaceAll(":", " "));
    const wanted = argv.join(" ");
    const isKnown = wanted === "" || names.some((name) => name === wanted || name.startsWith(`${wanted} `));
    if (!isKnown) throw explained(wanted, names);
    if (!this.jsonEnabled()) {
      const Help = await loadHelpClass(this.config);
      await new Help(this.config, this.config.pjson.oclif.helpOptions).showHelp(argv as string[]);
    }
    const groups = GROUPS.map(({ title, names: own }) => ({
      title,
      commands: commands.flatMap(({ id, summary = "" }) => {
        const name = id.replaceAll(":", " ");
        // a command with a place of its own is not said again with its topic
        const isOwn = own.includes(name) || (own.includes(name.split(" ")[0] ?? "") && !hasOwnPlace(name));
        return isOwn && (wanted === "" || name === wanted || name.startsWith(`${wanted} `)) ? [{ name, summary }] : [];
      }),
    }));
    return { groups: groups.filter((group) => group.commands.length > 0) };
  }
}

const hasOwnPlace = (name: string): boolean => GROUPS.some(({ names }) => names.includes(name));
