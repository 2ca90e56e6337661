/** @file `cool --help`: the commands by what people do with them, in the order in which they come to it. */
import { Help } from "@oclif/core/help";

/** Commands and topics by what they are for. A test holds that every command has its place. */
export const GROUPS: readonly { readonly title: string; readonly names: readonly string[] }[] = [
  { title: "begin", names: ["init", "check"] },
  { title: "train", names: ["run", "sweep", "track", "tune"] },
  { title: "ask", names: ["predict", "explain"] },
  { title: "trust", names: ["evaluate", "blame", "interpret", "calibrate", "audit", "ask", "drift"] },
  { title: "compare", names: ["compare runs", "runs diff"] },
  { title: "see", names: ["watch", "ui", "report", "plot", "tensorboard"] },
  { title: "ship", names: ["export", "serve"] },
  { title: "keep", names: ["runs", "sql"] },
  { title: "machines", names: ["doctor", "backends", "completion", "help"] },
];

const FIRST_STEPS = `FIRST STEPS
  $ cool init labels.csv
  $ cool check
  $ cool run
  $ cool explain images/1.png`;

export default class GroupedHelp extends Help {
  protected override async showRootHelp(): Promise<void> {
    this.log(this.formatRoot());
    this.log(`\n${FIRST_STEPS}\n`);
    for (const { title, names } of GROUPS) {
      const rows = names.map((name): [string, string | undefined] => [name, this.#summaryOf(name)]);
      this.log(this.section(title.toUpperCase(), this.renderList(rows, { indentation: 2, spacer: "\n" })));
      this.log("");
    }
    this.log("More of each: cool help COMMAND, e.g. cool help run, cool help runs.");
  }

  /** Of a command, else of the topic whose commands begin with the name. */
  #summaryOf(name: string): string | undefined {
    const command = this.config.commands.find(({ id }) => id.replaceAll(":", " ") === name);
    if (command !== undefined) return this.summary(command);
    return this.config.topics.find((topic) => topic.name === name)?.description;
  }
}
