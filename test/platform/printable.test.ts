/** @file Text of unknown origin on a terminal. */
import { describe, expect, test } from "vitest";
import { printable, printableJson, printableLine } from "../../src/platform/printable.js";

describe("one line", () => {
  test("shows C0, DEL, C1 and bidi marks as escapes, and leaves every other text as it is", () => {
    expect(printableLine("a\x1b[2Jb\r\n\t\x7f")).toBe("a\\u001b[2Jb\\r\\n\\t\\u007f");
    // CSI as one character, an override of the direction, an isolate and its end
    expect(printableLine("\x9b31m \u202eevil\u2066x\u2069\u200f")).toBe("\\u009b31m \\u202eevil\\u2066x\\u2069\\u200f");
    expect(printableLine("größe 尺寸 👩‍🔬 a\\nb")).toBe("größe 尺寸 👩‍🔬 a\\nb");
  });
});

describe("several lines", () => {
  test("keep their breaks and tabs, and no colour", () => {
    expect(printable("a\n\tb\x1b[31mc")).toBe("a\n\tb\\u001b[31mc");
  });

  test("keep colours where those are ours, and nothing that hides, moves or blinks", () => {
    const colours = { colours: true };
    expect(printable("\x1b[1mhead\x1b[22m\n\x1b[90m|\x1b[39m", colours)).toBe("\x1b[1mhead\x1b[22m\n\x1b[90m|\x1b[39m");
    expect(printable("\x1b[31mred\x1b[0m\x1b[8mhidden\x1b[2J\x07", colours)).toBe(
      "\x1b[31mred\x1b[0m\\u001b[8mhidden\\u001b[2J\\u0007",
    );
  });
});

test("a JSON document has the same value, and nothing in it is obeyed", () => {
  const value = { name: "a\x9b31m\u202eb\x1b", list: [1, null] };
  const text = printableJson(value);
  expect(JSON.parse(text)).toEqual(value);
  expect(text).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
});
