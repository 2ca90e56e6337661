/** @file What `npm run docs` makes of the code is up to date, and carries every description. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { root, settingsFiles } from "../../scripts/docs/generated.js";
import { boundsOf, choicesOf, described, settingsOf, typeText } from "../../scripts/docs/schema.js";
import { settingsPage } from "../../scripts/docs/settings-page.js";
import { settingsTypes } from "../../scripts/docs/settings-types.js";
import { settingsSchema } from "../../src/project/settings-schema.js";

/** Paths of all settings under one, with their descriptions. */
function descriptions(path: string, schema: z.core.$ZodType): [path: string, description: string][] {
  return settingsOf(schema).flatMap(([name, setting]) => {
    const { schema: inner, description } = described(setting);
    const element = inner instanceof z.ZodArray ? inner.element : inner;
    const here = `${path}${name}`;
    return [[here, description], ...choicesOf(element).flatMap((choice) => descriptions(`${here}.`, choice))];
  });
}

describe("settings", () => {
  it.each(settingsFiles())("$file is what `npm run docs` writes", ({ file, text }) => {
    expect(readFileSync(join(root, file), "utf8")).toBe(text);
  });

  it("all say what they are", () => {
    const all = descriptions("", settingsSchema);
    expect(all.length).toBeGreaterThan(40);
    expect(all.filter(([, description]) => description === "")).toEqual([]);
  });
});

describe("a page of settings", () => {
  const schema = z.strictObject({
    part: z
      .strictObject({
        count: z.number().int().positive().default(3).describe("How many"),
        ratio: z.number().min(0).max(1).nullable().default(null).describe("How much"),
        mode: z.enum(["a", "b"]).optional().describe("Which"),
        pair: z.tuple([z.number(), z.number()]).describe("Both"),
      })
      .prefault({ pair: [1, 2] })
      .describe("A part"),
  });

  it("has a row per setting, with type, bounds and default", () => {
    const page = settingsPage(schema);
    expect(page).toContain("| `part.count` | `number`, whole, > 0 | `3` | How many |");
    expect(page).toContain("| `part.ratio` | `number \\| null`, ≥ 0, ≤ 1 | `null` | How much |");
    expect(page).toContain('| `part.mode` | `"a" \\| "b"` |  | Which |');
    expect(page).toContain("| `part.pair` | `[number, number]` | required | Both |");
  });

  it("has types whose comments an editor shows", () => {
    const types = settingsTypes(schema);
    expect(types).toContain("/** How many. Default: 3. */\ncount?: number | undefined;");
    expect(types).toContain("/** Both. */\npair: [number, number];");
  });

  it("refuses a custom setting that does not say its type", () => {
    expect(() => typeText(z.custom<string>(), () => "")).toThrow(".meta({ type })");
    expect(typeText(z.custom<string>().meta({ type: "Special" }), () => "")).toBe("Special");
  });

  it("shows no bound that every whole number has", () => {
    expect(boundsOf(z.number().int())).toBe("whole");
  });
});
