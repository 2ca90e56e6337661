/**
 * @file Reads Prometheus' text format as its specification says, and nothing else
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details).
 */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"`;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)?\\})? (\\S+)$`);
const COMMENT = new RegExp(`^# (?:HELP (${NAME}) (?:[^\\\\]|\\\\[\\\\n])*|TYPE (${NAME}) (counter|gauge|histogram))$`);

/** @throws Error for a line that is no such text, a sample before its type, or a series twice */
export function parsePrometheus(text: string): {
  readonly types: Readonly<Record<string, string>>;
  readonly samples: readonly Sample[];
} {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const types: Record<string, string> = {};
  const samples: Sample[] = [];
  const seen = new Set<string>();
  for (const line of text.slice(0, -1).split("\n")) {
    if (line.startsWith("#")) {
      const [whole, , named, type] = COMMENT.exec(line) ?? [];
      if (whole === undefined) throw new Error(`no comment of the format: ${line}`);
      if (named !== undefined && type !== undefined) types[named] = type;
      continue;
    }
    const [, name, labels = "", value] = SAMPLE.exec(line) ?? [];
    if (name === undefined || Number.isNaN(Number(value))) throw new Error(`no sample: ${line}`);
    if (!(name in types) && !(name.replace(/_(bucket|sum|count)$/, "") in types)) throw new Error(`no type of ${name}`);
    const series = `${name}{${labels}}`;
    if (seen.has(series)) throw new Error(`twice: ${series}`);
    seen.add(series);
    samples.push({ name, labels: labelsIn(labels), value: Number(value) });
  }
  return { types, samples };
}

function labelsIn(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)];
  return Object.fromEntries(
    pairs.map(([, name = "", value = ""]) => [
      name,
      value.replaceAll(/\\(.)/g, (_, one) => (one === "n" ? "\n" : one)),
    ]),
  );
}
