// the licences of packages whose code is in a bundle
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Licences of the packages of files, each text after the names that it is of. @param inputs files, from the root */
export function licenses(root, inputs) {
  // what a package leaves out for browsers begins otherwise
  const folders = new Set(
    inputs.flatMap((file) => /^(?:[^():]*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []),
  );
  const named = new Map();
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? `License: ${license}` : readFileSync(join(root, folder, file), "utf8").trim();
    named.set(text, [...(named.get(text) ?? []), `${name} ${version}`]);
  }
  return [...named].map(([text, names]) => `${names.join("\n")}\n\n${text}\n`).join(`\n${"-".repeat(80)}\n\n`);
}
