/** @file The YAML of MLflow's meta.yaml: one level of keys with plain or quoted texts, which may be folded. */

/** null and empty values are not there. */
export type FlatYaml = ReadonlyMap<string, string>;

export function readFlatYaml(text: string): FlatYaml {
  const found = new Map<string, string>();
  let key: string | null = null;
  for (const line of text.split(/\r?\n/)) {
    const [, name, value = ""] = /^([\w.-]+):(?:\s+(.*))?$/.exec(line) ?? [];
    if (name !== undefined) {
      key = name;
      found.set(key, value);
    } else if (key !== null && /^\s+\S/.test(line)) found.set(key, `${found.get(key) ?? ""} ${line.trim()}`);
  }
  return new Map(
    [...found].flatMap(([name, value]): [string, string][] => {
      const plain = unquoted(value.trim());
      return plain === null ? [] : [[name, plain]];
    }),
  );
}

function unquoted(value: string): string | null {
  if (value.startsWith("'") && value.endsWith("'") && value.length > 1) return value.slice(1, -1).replaceAll("''", "'");
  if (value.startsWith('"') && value.endsWith('"') && value.length > 1) {
    // a fold that was escaped
    const joined = value.replaceAll(/\\ /g, " ").replaceAll(/\\x([0-9a-f]{2})/gi, "\\u00$1");
    try {
      return String(JSON.parse(joined));
    } catch {
      return value.slice(1, -1);
    }
  }
  return value === "" || value === "null" || value === "~" ? null : value;
}
