/** @file `cool init`: a project from a table, from a folder of pictures, or from a template. */
import { relative, resolve } from "node:path";
import * as Args from "@oclif/core/args";
import * as Flags from "@oclif/core/flags";
import { askLine } from "../../cli/ask.js";
import { CoolCommand } from "../../cli/command.js";
import { cellText } from "../../cli/text.js";
import { readBackbone } from "../../init/backbone/read-backbone.js";
import { askPlan, askSource, type Person } from "../../init/dialogue.js";
import { clearRoles, planProject, type ProjectPlan, proposalJson, writeProject } from "../../init/init-project.js";
import { adviceOn, assertWritable, filesInWords, type WrittenFile } from "../../init/project-files.js";
import { type OpenedSource, openSource } from "../../init/source.js";
import { summaryLines } from "../../init/summary.js";
import { TASK_KINDS } from "../../init/task-role.js";
import { TEMPLATES } from "../../init/templates.js";
import { wishesOf } from "../../init/wishes.js";
import { shellWord } from "../../platform/shell-word.js";

/** What `--json` prints. */
type Initialized = { readonly project: string; readonly files: readonly WrittenFile[] } & ReturnType<
  typeof proposalJson
>;

const COLUMNS = "COLUMNS";

export default class Init extends CoolCommand {
  static override summary = "Make a project from a table of labels, a folder of pictures by class, or a template";
  static override description =
    "Reads what the columns are, and from the empty cells when each question is asked; the evidence stands in the configuration as comments. At a terminal it asks; otherwise, and with --yes, columns that may be several things are an error that says which flags decide. Files that are there are kept; where a configuration or a table would be replaced, nothing is written without --force.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> labels.csv",
    "<%= config.bin %> <%= command.id %> photos --yes",
    "<%= config.bin %> <%= command.id %> labels.csv --pretrained mobilenet",
    "<%= config.bin %> <%= command.id %> patients.parquet --task relapse=binary --ignore comment --yes",
    "<%= config.bin %> <%= command.id %> --template images --project shapes",
  ];
  static override args = {
    source: Args.string({
      description:
        "a table (.csv, .tsv, .parquet, .jsonl), or a folder with one, or with a folder of pictures per class",
    }),
  };
  static override flags = {
    pretrained: Flags.string({
      summary: "begin with a trained model of pictures: the folder or address of a tfjs model.json",
      helpValue: "MODEL",
    }),
    template: Flags.option({ options: TEMPLATES, summary: "begin with small data that is made up" })(),
    project: Flags.string({
      summary: "folder to write to; it is made where it is not there",
      description: "Default: the current one",
    }),
    yes: Flags.boolean({ char: "y", summary: "ask nothing" }),
    force: Flags.boolean({ summary: "replace the files that are there" }),
    image: Flags.string({ summary: "the column that names the pictures", helpGroup: COLUMNS, helpValue: "COLUMN" }),
    input: Flags.string({
      summary: "a column that answers are seen from: a number, a category or a text",
      ...{ helpGroup: COLUMNS, helpValue: "COLUMN", multiple: true, multipleNonGreedy: true },
    }),
    task: Flags.string({
      summary: `a column that is asked, and how: ${TASK_KINDS.join(", ")}`,
      ...{ helpGroup: COLUMNS, helpValue: "COLUMN=KIND", multiple: true, multipleNonGreedy: true },
    }),
    ignore: Flags.string({
      summary: "a column that is neither",
      ...{ helpGroup: COLUMNS, helpValue: "COLUMN", multiple: true, multipleNonGreedy: true },
    }),
  };

  async run(): Promise<Initialized> {
    const { args, flags } = await this.parse(Init);
    const projectDir = resolve(flags.project ?? ".");
    const options = { path: args.source, template: flags.template, projectDir };
    const wishes = wishesOf(flags);
    const { force } = flags;
    // before anybody is asked anything
    await assertWritable(projectDir, [{ path: "cool.config.ts", content: "", where: "refuse" }], { force });
    const asks = !flags.yes && !this.jsonEnabled() && process.stdin.isTTY === true && process.stdout.isTTY === true;
    const person = asks ? this.#person() : null;
    // what is typed is checked before anybody is asked anything
    const backbone = flags.pretrained === undefined ? undefined : await readBackbone(flags.pretrained, projectDir);
    const opened = person === null ? await openSource(options) : await askSource(options, person);
    const source = { ...opened, backbone };
    const plan = person === null ? await this.#plan(source, wishes) : await askPlan(source, wishes, person);
    const files = await writeProject(projectDir, plan, { force });
    await this.#logFiles(projectDir, plan, files);
    return { project: projectDir, files, ...proposalJson(plan.proposal) };
  }

  async #plan(source: OpenedSource, wishes: ReturnType<typeof wishesOf>): Promise<ProjectPlan> {
    const plan = await planProject(source, clearRoles(source, wishes));
    for (const line of summaryLines(source.table.file, plan.proposal, widthOfTerminal())) this.log(line);
    this.log("");
    return plan;
  }

  #person(): Person {
    return { ask: askLine, say: (line) => this.log(line), width: widthOfTerminal() };
  }

  async #logFiles(projectDir: string, { proposal }: ProjectPlan, files: readonly WrittenFile[]): Promise<void> {
    const place = relative(".", projectDir) || ".";
    this.log(`In ${cellText(place)}: ${cellText(filesInWords(files))}`);
    for (const line of await adviceOn(projectDir, files)) this.log(cellText(line));
    const { badPictures } = proposal;
    if (badPictures !== null) {
      const { count, looked, first } = badPictures;
      this.log(`${count} of ${looked} pictures cannot be used and are left out: ${cellText(first)}`);
    }
    const steps = [
      ...(place === "." ? [] : [`cd ${shellWord(place)}`]),
      "npm install",
      "npx cool check",
      "npx cool run",
    ];
    this.log(`Read cool.config.ts, then: ${steps.map(cellText).join("; ")}`);
  }
}

function widthOfTerminal(): number {
  return process.stdout.columns ?? 80;
}
