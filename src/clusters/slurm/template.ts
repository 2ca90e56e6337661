/** @file The batch script of Slurm jobs: a template that a project may edit, whose placeholders are filled in, quoted. */
import { ConfigError, UnknownNameError } from "../../errors.js";

/** In the folder of the project. */
export const TEMPLATE_FILE = "slurm.sbatch";

export const TEMPLATE = `#!/bin/bash
# The batch script of \`cool run --on slurm\` and \`cool sweep --on slurm\`: edit it, add #SBATCH lines, load modules.
# What stands in double braces is filled in and quoted by cool: no quotes around it.
#SBATCH --job-name={{job_name}}
#SBATCH --output={{log}}
#SBATCH --open-mode=append
#SBATCH --requeue
# told so long before the time limit, a run ends with a checkpoint
#SBATCH --signal=B:USR1@{{warning_seconds}}
{{options}}

cd {{folder}} || exit 1

near_limit=
trap 'near_limit=1; kill -USR1 "$child" 2>/dev/null' USR1
trap 'kill -TERM "$child" 2>/dev/null' TERM
{{command}} &
child=$!
# a signal ends the wait, not the child
while wait "$child"; status=$?; [ "$status" -gt 128 ] && kill -0 "$child" 2>/dev/null; do :; done
[ "$status" -le 128 ] || { wait "$child"; status=$?; }

# 75: interrupted, and the same command goes on. Of its own accord Slurm starts a job again that was preempted, or whose
# node failed, but not one whose time is over
if [ "$status" -eq 75 ] && [ -n "$near_limit" ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$status"
`;

/** Where a placeholder may stand, which is how its value is quoted. */
type Place = "#SBATCH" | "shell" | "line";

const PLACES = {
  job_name: "#SBATCH",
  log: "#SBATCH",
  warning_seconds: "#SBATCH",
  options: "line",
  folder: "shell",
  command: "shell",
} as const satisfies Record<string, Place>;

/** What is filled in, quoted for its place. */
export type TemplateValues = Readonly<Record<keyof typeof PLACES, string>>;

const PLACEHOLDER = /\{\{\s*(.*?)\s*\}\}/g;

/**
 * @param file the template's, for messages
 * @throws ConfigError, UnknownNameError that name the line
 */
export function fillTemplate(template: string, values: TemplateValues, file: string): string {
  // an editor of another system; sbatch refuses such scripts
  const lines = template.replaceAll("\r\n", "\n").split("\n");
  for (const [i, line] of lines.entries()) checkLine(line, `${file}, line ${i + 1}`);
  const used = new Set(lines.flatMap((line) => namesOf(line)));
  for (const name of REQUIRED) {
    if (used.has(name)) continue;
    throw new ConfigError(
      `${file} has no {{${name}}}: ${REASONS[name]}. Add it, or delete the file and have it written anew.`,
      { file, placeholder: name },
    );
  }
  return lines.map((line) => filled(line, values)).join("\n");
}

const REASONS = {
  command: "the job would run nothing",
  options: "--time, --cpus and the array would be lost",
  folder: "the command's paths hold in the folder where it was given",
} as const;
const REQUIRED = ["command", "options", "folder"] as const satisfies readonly (keyof typeof REASONS)[];

function namesOf(line: string): string[] {
  return [...line.matchAll(PLACEHOLDER)].map(([, name = ""]) => name);
}

function filled(line: string, values: TemplateValues): string {
  // one pass: what is filled in may hold braces of its own
  return line.replaceAll(PLACEHOLDER, (_, name: keyof TemplateValues) => values[name]);
}

function checkLine(line: string, where: string): void {
  for (const { 0: text, 1: name = "", index } of line.matchAll(PLACEHOLDER)) {
    if (!isKnown(name)) throw new UnknownNameError("placeholder", name, Object.keys(PLACES), where);
    const place = PLACES[name];
    const fits =
      place === "line"
        ? line.trim() === text
        : place === "#SBATCH"
          ? isDirective(line)
          : !line.trimStart().startsWith("#");
    if (!fits) throw new ConfigError(`${where}: {{${name}}} stands ${EXPECTED[place]}.`, { where, placeholder: name });
    const [before, after] = [line[index - 1] ?? "", line[index + text.length] ?? ""];
    if (/["'`\\]/.test(before + after) || isQuoted(line.slice(0, index))) {
      throw new ConfigError(`${where}: {{${name}}} is quoted already. Leave the quotes around it out.`, {
        ...{ where, placeholder: name },
      });
    }
  }
}

const EXPECTED: Readonly<Record<Place, string>> = {
  "#SBATCH": "on a line that begins with #SBATCH",
  shell: "in the script, not in a comment",
  line: "on a line of its own",
};

const isKnown = (name: string): name is keyof typeof PLACES => Object.hasOwn(PLACES, name);

const isDirective = (line: string): boolean => /^#SBATCH\s/.test(line);

/** Whether a quote is open at the end of the text. */
function isQuoted(before: string): boolean {
  const open = before.replaceAll(/\\./g, "").replaceAll(/'[^']*'|"[^"]*"/g, "");
  return /["']/.test(open);
}
