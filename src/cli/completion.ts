/** @file Scripts that let a shell complete commands, flags and names that the store knows. */
import type { CandidateKind } from "../storage/query/candidates.js";
import { DECISION_METRICS } from "../tasks/metrics/decisions.js";

/** A flag as a shell completes it. */
interface CompletedFlag {
  readonly name: string;
  readonly summary: string;
  /** Values it can have; empty where any. */
  readonly options: readonly string[];
  readonly takesValue: boolean;
  /** What its value names. */
  readonly kind?: CandidateKind | undefined;
}

/** A command as a shell completes it: its words (`runs list`), what it does, its flags. */
export interface CompletedCommand {
  readonly words: readonly string[];
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** What its arguments name. */
  readonly argument?: CandidateKind | undefined;
}

/** What the values of flags name: a flag means the same in every command. */
const KIND_OF_FLAG: Readonly<Record<string, CandidateKind>> = {
  run: "runs",
  from: "runs",
  resume: "runs",
  again: "runs",
  task: "tasks",
  "receptive-field": "tasks",
  tag: "tags",
  add: "tags",
  remove: "tags",
  where: "fields",
  sort: "fields",
  columns: "fields",
  set: "settings",
};

const KIND_OF_ARGUMENT: Readonly<Record<string, CandidateKind>> = { run: "runs", first: "runs", second: "runs" };
const KIND_OF_COMMAND: Readonly<Record<string, CandidateKind>> = { "runs restore": "trash", "runs tag": "tagged" };
/** `--metric` of these names a curve, not a metric to compute. */
const CURVES_OF_COMMAND = new Set(["plot"]);
const WORDS_OF_FLAG: Readonly<Record<string, readonly string[]>> = {
  metric: DECISION_METRICS.map(({ name }) => name),
};

/** A command of oclif, as far as completion needs it. */
interface KnownCommand {
  readonly id: string;
  readonly summary?: string | undefined;
  readonly args: Readonly<Record<string, { readonly options?: readonly string[] | undefined }>>;
  readonly flags: Readonly<
    Record<
      string,
      {
        readonly type: "boolean" | "option";
        readonly summary?: string | undefined;
        readonly description?: string | undefined;
        readonly options?: readonly string[] | undefined;
      }
    >
  >;
}

export function completedCommand({ id, summary, args, flags }: KnownCommand): CompletedCommand {
  const words = id.split(":");
  const [argument] = Object.keys(args);
  const namesCurve = (flag: string): boolean => flag === "metric" && CURVES_OF_COMMAND.has(id);
  return {
    words,
    summary: summary ?? "",
    argument: KIND_OF_COMMAND[words.join(" ")] ?? (argument === undefined ? undefined : KIND_OF_ARGUMENT[argument]),
    flags: Object.entries(flags).map(([name, flag]) => ({
      name,
      summary: flag.summary ?? flag.description ?? "",
      options: flag.options ?? (namesCurve(name) ? [] : (WORDS_OF_FLAG[name] ?? [])),
      takesValue: flag.type === "option",
      kind: flag.type === "option" ? (namesCurve(name) ? "fields" : KIND_OF_FLAG[name]) : undefined,
    })),
  };
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
  const byCommand = (variable: string, caseOf: (command: CompletedCommand) => string | undefined): string[] =>
    commands.flatMap((command) => {
      const value = caseOf(command);
      return value === undefined ? [] : [`${quoted(command.words.join(" "))}) ${variable}=${quoted(value)} ;;`];
    });
  const topics = [...nextWords(commands)].map(
    ([before, words]) => `${quoted(before)}) words=${quoted(words.join(" "))} ;;`,
  );
  const flags = byCommand("flags", (command) => command.flags.map((flag) => `--${flag.name}`).join(" "));
  const values = commands.flatMap((command) =>
    command.flags
      .filter(({ takesValue }) => takesValue)
      .map((flag) => `${quoted(`${command.words.join(" ")} --${flag.name}`)}) ${bashValue(flag)} ;;`),
  );
  return `# a name as it must stand where it is typed: within quotes that are open, or without any
${name}_quoted() {
  local open="$1" line="$2" char i
  quoted=""
  for ((i = 0; i < \${#line}; i++)); do
    char="\${line:$i:1}"
    case "$open$char" in
      '"\\' | '""' | '"$' | '"\`') quoted+="\\\\$char" ;;
      # a backslash before it would stay there
      '"!') quoted+="\\"'!'\\"" ;;
      "''") quoted+="'\\\\''" ;;
      [\\"\\']?) quoted+="$char" ;;
      ' ' | '!' | '"' | '#' | '$' | '&' | "'" | '(' | ')' | '*' | ';' | '<' | '>' | '?' | '[' | '\\' | ']' | '^' | '\`' | '{' | '|' | '}' | '~')
        quoted+="\\\\$char" ;;
      # at its start it means a command to zsh
      =) [[ $i == 0 ]] && quoted+="\\\\=" || quoted+="=" ;;
      *) quoted+="$char" ;;
    esac
  done
}
${name}_names() {
  local open="" plain="$current" line quoted
  case "$current" in
    [\\"\\']*) open="\${current:0:1}" plain="\${current:1}" ;;
  esac
  # quotes in the middle of a word: what is open at its end cannot be told
  [[ "\${plain//\\\\?/}" == *[\\"\\']* ]] && return 0
  [[ "$open" == "'" ]] || plain="\${plain//\\\\/}"
  while IFS=$'\\t' read -r line _; do
    # within quotes zsh does it itself
    if [[ -n "\${ZSH_VERSION-}" && -n "$open" ]]; then quoted="$line"; else ${name}_quoted "$open" "$line"; fi
    COMPREPLY+=("$quoted")
  done < <(${bin} __complete "$1" "$plain" -- "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}" 2>/dev/null)
  [[ "\${COMPREPLY[0]-}" == *= ]] && compopt -o nospace 2>/dev/null
  return 0
}
${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="" word words="" flags="" values="" kind="" any="" argument="" i
  COMPREPLY=()
  # bash takes --flag=value apart
  if [[ "$current" == "=" ]]; then
    current=""
  elif [[ "$previous" == "=" ]]; then
    previous="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ "$word" == -* ]] && break
    case "\${command:+$command }$word" in
${indented(knownPrefixes(commands).map((prefix) => `  ${quoted(prefix)}) command=${quoted(prefix)} ;;`))}
    esac
  done
  case "$command" in
${indented(topics)}
  esac
  case "$command" in
${indented(flags)}
  esac
  case "$command" in
${indented(byCommand("argument", (command) => command.argument))}
  esac
  case "$command $previous" in
${indented(values)}
  esac
  if [[ -n "$values" ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [[ -n "$kind" ]]; then
    ${name}_names "$kind"
  elif [[ -n "$any" ]]; then
    return 0
  elif [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ -n "$words" ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  elif [[ -n "$argument" ]]; then
    ${name}_names "$argument"
  fi
}
complete -o default -F ${name} ${bin}
`;
}

function bashValue({ options, kind }: CompletedFlag): string {
  if (options.length > 0) return `values=${quoted(options.join(" "))}`;
  return kind === undefined ? "any=1" : `kind=${quoted(kind)}`;
}

function knownPrefixes(commands: readonly CompletedCommand[]): string[] {
  const all = commands.flatMap(({ words }) => words.map((_, i) => words.slice(0, i + 1).join(" ")));
  return [...new Set(all)].sort();
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `    ${line}`).join("\n");
}

function fishScript(bin: string, commands: readonly CompletedCommand[]): string {
  const names = (kind: CandidateKind): string =>
    `(${bin} __complete ${kind} (commandline -ct) -- (commandline -opc) 2>/dev/null)`;
  const topics = [...nextWords(commands).keys()].filter((before) => before !== "");
  const lines = commands.flatMap(({ words, summary, flags, argument }) => {
    const before = words.slice(0, -1).join(" ");
    const within = `__${bin}_in ${words.join(" ")}`;
    return [
      `complete -c ${bin} -f -n ${quoted(`__${bin}_at ${before}`)} -a ${quoted(words.at(-1) ?? "")} -d ${quoted(summary)}`,
      ...(argument === undefined
        ? []
        : [`complete -c ${bin} -f -k -n ${quoted(within)} -a ${quoted(names(argument))}`]),
      ...flags.map((flag) => {
        const known = flag.options.length > 0 ? flag.options.join(" ") : flag.kind && names(flag.kind);
        const values = known !== undefined ? ` -x -a ${quoted(known)}` : flag.takesValue ? " -r" : "";
        return `complete -c ${bin} -n ${quoted(within)} -l ${flag.name}${values} -d ${quoted(flag.summary)}`;
      }),
    ];
  });
  return `# whether the words before the cursor are these, or begin with these
function __${bin}_at
  set -l words (commandline -opc)
  set -e words[1]
  test "$words" = "$argv"
end
function __${bin}_in
  set -l words (commandline -opc)
  set -e words[1]
  set -l n (count $argv)
  test (count $words) -ge $n; and test "$words[1..$n]" = "$argv"
end
${topics.map((topic) => `complete -c ${bin} -f -n '__${bin}_at' -a ${quoted(topic)}`).join("\n")}
${lines.join("\n")}
`;
}

/** Text in single quotes, in which nothing means anything. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
