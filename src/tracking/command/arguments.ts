/** @file A command's arguments as settings, as argparse, Hydra and the like read them: docs/track.md#arguments. */
import { basename } from "node:path";

export type ArgumentValue = string | number | boolean | readonly (string | number | boolean)[];

/** Programs whose first arguments say what is run, and not how. */
const LAUNCHERS =
  /^(python|pypy|node|deno|bun|ruby|perl|rscript|julia|bash|sh|zsh|dash|torchrun|accelerate|deepspeed|uv|uvx|poetry|pdm|conda|mamba|npx|tsx|env|nohup|nice|time|mpirun|srun)[\d.]*(\.exe)?$/i;
const SCRIPT = /\.(py|ts|mts|js|mjs|cjs|rb|pl|r|jl|sh|bash|zsh|ipynb)$/i;
const OPTION = /^--?[A-Za-z_][\w.-]*/;
const ASSIGNMENT = /^\+{0,2}([A-Za-z_][\w.@/-]*)=(.*)$/s;
const POSITIONAL = "args";

/**
 * `--lr 0.1`, `--lr=0.1`, `-b 32`, `key=value` and flags, by name; what is none of them under `args`. The launcher, the
 * script and what stands before it are left out.
 */
export function argumentsAsConfig(command: readonly string[]): Record<string, ArgumentValue> {
  const found = new Map<string, (string | number | boolean)[]>();
  const add = (name: string, ...values: (string | number | boolean)[]): void => {
    found.set(name, [...(found.get(name) ?? []), ...values]);
  };
  let option: string | null = null;
  let taken = 0;
  const closeOption = (): void => {
    if (option !== null && taken === 0) add(option, true);
    option = null;
    taken = 0;
  };
  for (const word of ownArguments(command)) {
    const [, key, value] = ASSIGNMENT.exec(word) ?? [];
    // a negative number is a value
    if (OPTION.test(word)) {
      closeOption();
      const [name, ...rest] = word.split("=");
      if (rest.length > 0) add(nameOf(name), typedValue(rest.join("=")));
      else option = nameOf(name);
    } else if (key !== undefined && value !== undefined) {
      closeOption();
      add(key, typedValue(value));
    } else if (word === "--") closeOption();
    else {
      add(option ?? POSITIONAL, typedValue(word));
      taken += 1;
    }
  }
  closeOption();
  return Object.fromEntries([...found].map(([name, values]) => [name, simplest(name, values)]));
}

function simplest(name: string, values: readonly (string | number | boolean)[]): ArgumentValue {
  const [first] = values;
  return values.length === 1 && first !== undefined && name !== POSITIONAL ? first : values;
}

/** As argparse names what it parses: `--batch-size` is batch_size. */
function nameOf(option = ""): string {
  return option.replace(/^--?/, "").replaceAll("-", "_");
}

/** What stands behind the script, the module (`-m pkg.train`), or the program itself. */
function ownArguments(command: readonly string[]): readonly string[] {
  const [program = "", ...words] = command;
  if (!LAUNCHERS.test(basename(program))) return words;
  const script = words.findIndex((word, i) => SCRIPT.test(word) || words[i - 1] === "-m" || words[i - 1] === "-c");
  return script === -1 ? words : words.slice(script + 1);
}

/** Numbers and truths as such: `0.1`, `1e-3`, `True`. */
function typedValue(text: string): string | number | boolean {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const value = Number(text);
    // an id of twenty digits would lose some
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value;
  }
  if (/^true$/i.test(text)) return true;
  return /^false$/i.test(text) ? false : text;
}
