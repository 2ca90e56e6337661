/** @file oclif's manifest of the commands → docs/commands.md. */

interface Argument {
  readonly name: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly multiple?: boolean;
  readonly options?: readonly string[];
}

interface Flag {
  readonly name: string;
  readonly char?: string;
  readonly type: "boolean" | "option";
  readonly summary?: string;
  readonly description?: string;
  readonly helpValue?: string | readonly string[];
  readonly helpGroup?: string;
  readonly options?: readonly string[];
  readonly default?: unknown;
  readonly multiple?: boolean;
  readonly required?: boolean;
  readonly hidden?: boolean;
  readonly allowNo?: boolean;
}

interface Command {
  readonly id: string;
  readonly summary?: string;
  readonly description?: string;
  readonly hidden?: boolean;
  readonly strict?: boolean;
  readonly args: Readonly<Record<string, Argument>>;
  readonly flags: Readonly<Record<string, Flag>>;
  readonly examples?: readonly (string | { readonly description?: string; readonly command: string })[];
}

export interface Manifest {
  readonly commands: Readonly<Record<string, Command>>;
}

const HEADER = `# Commands

<!-- made of the commands' own help by \`npm run docs\` -->

\`cool COMMAND --help\` prints the same. A run is named by its id, the start of its id, its name, or \`latest\`. What
\`--json\` prints, and the exit codes, are in [Architecture](architecture.md#contracts).
`;

export function commandsPage({ commands }: Manifest): string {
  const shown = Object.values(commands)
    .filter(({ hidden }) => hidden !== true)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const common = Object.values(shown[0]?.flags ?? {}).filter(isGlobal);
  return [HEADER, `Every command takes:\n\n${flagTable(common)}`, ...shown.map((command) => section(command))].join(
    "\n",
  );
}

function section(command: Command): string {
  const { id, summary = "", description = "", args, flags, examples = [] } = command;
  const name = `cool ${id.replaceAll(":", " ")}`;
  const own = Object.values(flags).filter((flag) => flag.hidden !== true && !isGlobal(flag));
  const list = Object.values(args);
  const usage = [name, ...list.map((argument) => usageOf(argument, command))].join(" ");
  const parts = [
    `## ${name}`,
    `${summary}.`,
    `\`\`\`text\n${usage}${own.length > 0 ? " [flags]" : ""}\n\`\`\``,
    list.length === 0
      ? ""
      : table(
          ["argument", "meaning"],
          list.map((each) => [`\`${each.name.toUpperCase()}\``, argumentText(each)]),
        ),
    own.length === 0 ? "" : flagTable(own).trimEnd(),
    examples.length === 0 ? "" : `\`\`\`console\n${examples.map((each) => exampleText(each, id)).join("\n")}\n\`\`\``,
    description === "" ? "" : paragraphs(fill(description, id)),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** Lines of the help that a page shows as they are. */
function paragraphs(text: string): string {
  // what looks like markup in a terminal's text is none
  return text.replaceAll(/[<>*|]/g, "\\$&").replaceAll(/\n(?!\n)/g, "\n");
}

function isGlobal({ helpGroup }: Flag): boolean {
  return helpGroup === "GLOBAL";
}

function usageOf({ name, required, multiple }: Argument, { strict }: Command): string {
  const text = `${name.toUpperCase()}${multiple === true || strict === false ? "…" : ""}`;
  return required === true ? text : `[${text}]`;
}

function argumentText({ description = "", options }: Argument): string {
  return `${description}${options === undefined ? "" : ` (${options.join(", ")})`}`;
}

function flagTable(flags: readonly Flag[]): string {
  const rows = [...flags].sort((a, b) => (a.name < b.name ? -1 : 1)).map((flag) => [flagText(flag), flagMeaning(flag)]);
  return `${table(["flag", "meaning"], rows)}\n`;
}

function flagText({ name, char, type, helpValue, options, allowNo }: Flag): string {
  const named = typeof helpValue === "string" ? helpValue : helpValue?.[0];
  const value = named ?? options?.join("|") ?? name.toUpperCase();
  const shown = `--${allowNo === true ? "[no-]" : ""}${name}${type === "option" ? ` ${value}` : ""}`;
  return `\`${char === undefined ? "" : `-${char}, `}${shown}\``;
}

function flagMeaning({ summary, description, default: fallback, multiple, required, type }: Flag): string {
  const text = [summary, description].filter((part) => part !== undefined && part !== "").map(ended);
  if (multiple === true) text.push("May be given several times.");
  if (required === true) text.push("Required.");
  if (type === "option" && fallback !== undefined && typeof fallback !== "object") text.push(`Default: ${fallback}.`);
  return text.join(" ").replaceAll("\n", " ");
}

function ended(text = ""): string {
  // names such as tfjs-node keep their small letter
  const sentence = /^[a-z]+(?![-\w])/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

function exampleText(
  example: string | { readonly description?: string; readonly command: string },
  id: string,
): string {
  const { command, description } = typeof example === "string" ? { command: example, description: undefined } : example;
  return `$ ${fill(command, id)}${description === undefined ? "" : `      # ${description}`}`;
}

function fill(text: string, id: string): string {
  return text.replaceAll("<%= config.bin %>", "cool").replaceAll("<%= command.id %>", id.replaceAll(":", " ")).trim();
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const inCell = (cell: string) => cell.replaceAll("|", "\\|");
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.map(inCell).join(" | ")} |`).join("\n");
}
