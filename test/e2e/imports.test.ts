/** @file One forbidden import per room, each of which the check of imports refuses. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rooms } from "../../scripts/imports/rooms.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const names = Object.keys(rooms);
/** A module of each room that others could import. */
const moduleOf = (room: string): string => {
  const file = join(root, "src", `${room}.ts`);
  return existsSync(file) ? `src/${room}.ts` : `src/${room}/forbidden.ts`;
};

let copy = "";
let report = "";

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "cool-imports-"));
  cpSync(join(root, "src"), join(copy, "src"), { recursive: true });
  for (const file of ["package.json", "tsconfig.json"]) cpSync(join(root, file), join(copy, file));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  names.forEach((room, i) => {
    const from = `src/${room}/forbidden.ts`;
    if (moduleOf(room) !== from) return;
    const target = relative(dirname(join(copy, from)), join(copy, forbiddenTo(room))).replace(/\.ts$/, ".js");
    const specifier = target.startsWith(".") ? target : `./${target}`;
    // by turns a type, a value that is loaded when it is needed, and a plain one
    const forms = [
      `import type * as other from "${specifier}";\nexport type Other = typeof other;\n`,
      `export const other = () => import("${specifier}");\n`,
      `import * as other from "${specifier}";\nexport const value = other;\n`,
    ];
    writeFileSync(join(copy, from), forms[i % forms.length] ?? "");
  });
  writeFileSync(
    join(copy, "src", "flow", "node.ts"),
    'import { join } from "node:path";\nexport const value = join;\n',
  );
  writeFileSync(join(copy, "src", "data", "tfjs.ts"), 'import * as tf from "@tensorflow/tfjs-core";\nexport { tf };\n');
  writeFileSync(join(copy, "src", "tasks", "one.ts"), 'import type { Two } from "./two.js";\nexport type One = Two;\n');
  writeFileSync(join(copy, "src", "tasks", "two.ts"), 'import type { One } from "./one.js";\nexport type Two = One;\n');
  const check = spawnSync(process.execPath, [join(root, "scripts", "imports", "check.mjs"), copy], {
    encoding: "utf8",
  });
  report = check.stderr;
}, 300_000);
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** A room that this one may not import. */
function forbiddenTo(room: string): string {
  const { imports } = rooms[room as keyof typeof rooms] as { readonly imports: readonly string[] };
  // the highest room that there is: all but commands may not import it
  const target = [...names].reverse().find((name) => name !== room && !imports.includes(name)) ?? "";
  return moduleOf(target);
}

describe("an import that the table of rooms does not have", () => {
  test.each(names.filter((room) => moduleOf(room).endsWith("forbidden.ts")))("is refused in src/%s", (room) => {
    expect(report).toContain(`${room}: rooms: src/${room}/forbidden.ts → ${forbiddenTo(room)}`);
  });

  test("is refused where it is one of Node's modules, or of tfjs", () => {
    expect(report).toMatch(/flow: packages: src\/flow\/node\.ts → .*path/);
    expect(report).toMatch(/data: packages: src\/data\/tfjs\.ts → .*@tensorflow\/tfjs-core/);
  });

  test("is refused where it closes a circle of types", () => {
    expect(report).toMatch(/no circle: src\/tasks\/(one|two)\.ts → \s*src\/tasks\/(one|two)\.ts/);
  });
});
