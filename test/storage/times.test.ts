/** @file Times as people write them. */
import { expect, test } from "vitest";
import { parseAge, parseTime } from "../../src/storage/query/time.js";

const NOW = new Date("2026-11-23T12:00:00.000Z");

test.each([
  ["30d", 30 * 86_400_000],
  ["2 days", 2 * 86_400_000],
  ["1.5 hours", 5_400_000],
  ["90m", 5_400_000],
  ["1 week", 7 * 86_400_000],
  ["0s", 0],
  ["5", null],
  ["five days", null],
  ["5 fortnights", null],
  ["-5 days", null],
])("the age %s", (text, milliseconds) => {
  expect(parseAge(text)).toBe(milliseconds);
});

test.each([
  ["2 days ago", "2026-11-21T12:00:00.000Z"],
  ["2026-11-20", "2026-11-20T00:00:00.000Z"],
  ["2026-11-20 07:30", "2026-11-20T07:30:00.000Z"],
  ["2026-11-20T07:30:15+02:00", "2026-11-20T05:30:15.000Z"],
  ["2026-13-40", undefined],
  ["November 20", undefined],
  ["999999999999 weeks", undefined],
])("the time %s", (text, iso) => {
  expect(parseTime(text, NOW)?.toISOString()).toBe(iso);
});
