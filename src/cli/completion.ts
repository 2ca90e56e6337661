/** @file Scripts that let a shell complete commands and flags. */

/** A flag as a shell completes it. */
interface CompletedFlag {
  readonly name: string;
  readonly summary: string;
  /** Values it can have; empty where any. */
  readonly options: readonly string[];
  readonly takesValue: boolean;
}

/** A command as a shell completes it: its words (`runs list`), what it does, its flags. */
export interface CompletedCommand {
  readonly words: readonly string[];
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
}

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** How a shell is made to read the script at its start. */
export const INSTALLATION: Readonly<Record<Shell, string>> = {
  bash: "echo 'eval \"$(cool completion bash)\"' >> ~/.bashrc",
  zsh: "echo 'eval \"$(cool completion zsh)\"' >> ~/.zshrc   # after compinit",
  fish: "cool completion fish > ~/.config/fish/completions/cool.fish",
};

export function completionScript(shell: Shell, bin: string, commands: readonly CompletedCommand[]): string {
  return scripts[shell](bin, commands);
}

const scripts: { readonly [S in Shell]: (bin: string, commands: readonly CompletedCommand[]) => string } = {
  bash: bashScript,
  // zsh's own bash compatibility keeps one script for both
  zsh: (bin, commands) => `autoload -U +X bashcompinit && bashcompinit\n${bashScript(bin, commands)}`,
  fish: fishScript,
};

/** The words that can follow some words, by those words joined with spaces. */
function nextWords(commands: readonly CompletedCommand[]): ReadonlyMap<string, readonly string[]> {
  const next = new Map<string, Set<string>>();
  for (const { words } of commands) {
    words.forEach((word, i) => {
      const before = words.slice(0, i).join(" ");
      next.set(before, (next.get(before) ?? new Set()).add(word));
    });
  }
  return new Map([...next].map(([before, after]) => [before, [...after].sort()]));
}

function bashScript(bin: string, commands: readonly CompletedCommand[]): string {
  const name = `_${bin}_complete`;
  const topics = [...nextWords(commands)].map(
    ([before, words]) => `    ${quoted(before)}) words=${quoted(words.join(" "))} ;;`,
  );
  const flags = commands.map(
    (command) =>
      `    ${quoted(command.words.join(" "))}) flags=${quoted(command.flags.map((flag) => `--${flag.name}`).join(" "))} ;;`,
  );
  const values = commands.flatMap((command) =>
    command.flags
      .filter(({ options }) => options.length > 0)
      .map(
        (flag) =>
          `    ${quoted(`${command.words.join(" ")} --${flag.name}`)}) values=${quoted(flag.options.join(" "))} ;;`,
      ),
  );
  return `${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="" word words="" flags="" values="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ "$word" == -* ]] && break
    case "\${command:+$command }$word" in
${indented(knownPrefixes(commands).map((prefix) => `${quoted(prefix)}) command=${quoted(prefix)} ;;`))}
    esac
  done
  case "$command" in
${topics.join("\n")}
  esac
  case "$command" in
${flags.join("\n")}
  esac
  case "$command $previous" in
${values.join("\n")}
  esac
  if [[ -n "$values" ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o default -F ${name} ${bin}
`;
}

function knownPrefixes(commands: readonly CompletedCommand[]): string[] {
  const all = commands.flatMap(({ words }) => words.map((_, i) => words.slice(0, i + 1).join(" ")));
  return [...new Set(all)].sort();
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `      ${line}`).join("\n");
}

function fishScript(bin: string, commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ words, summary, flags }) => {
    const [before, word] = [words.slice(0, -1), words.at(-1) ?? ""];
    const seen = before.map((part) => `__fish_seen_subcommand_from ${part}`);
    const here = before.length === 0 ? "__fish_use_subcommand" : seen.join("; and ");
    const within = words.map((part) => `__fish_seen_subcommand_from ${part}`).join("; and ");
    return [
      `complete -c ${bin} -f -n ${quoted(here)} -a ${quoted(word)} -d ${quoted(summary)}`,
      ...flags.map((flag) => {
        const values =
          flag.options.length > 0 ? ` -x -a ${quoted(flag.options.join(" "))}` : flag.takesValue ? " -r" : "";
        return `complete -c ${bin} -n ${quoted(within)} -l ${flag.name}${values} -d ${quoted(flag.summary)}`;
      }),
    ];
  });
  return `${lines.join("\n")}\n`;
}

/** Text in single quotes, in which nothing means anything. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
