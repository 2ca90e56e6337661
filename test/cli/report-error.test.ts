/** @file How failures are told on the command line. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { asError, reportError, toCoolError } from "../../src/cli/report-error.js";
import { DataError, InterruptedError, UnknownNameError, UsageError } from "../../src/errors.js";

const command = { name: "cool run", flags: ["epochs", "set", "json"] };

/** What oclif throws about arguments. */
function parseError(message: string, flags?: readonly string[]): Error {
  return Object.assign(new Error(`${message}\nSee more help with --help`), { oclif: { exit: 2 }, flags });
}

describe("toCoolError", () => {
  it("answers an unknown flag with the nearest one", () => {
    const error = toCoolError(parseError("Nonexistent flag: --epoch", ["--epoch"]), command);
    expect(error).toBeInstanceOf(UnknownNameError);
    expect(error).toMatchObject({
      exitCode: 2,
      message: 'No flag named "--epoch" in cool run. Did you mean "--epochs"?',
    });
  });

  it("puts any other problem of arguments into one line", () => {
    const error = toCoolError(parseError("Missing 1 required arg:\nimage  images"), command);
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toBe("Missing 1 required arg: image images. See cool run --help.");
  });

  it("says the same of flags that exclude each other, and of a folder that is not there", () => {
    const both = toCoolError(parseError("The following error occurred:\n  --a cannot also be provided"), command);
    expect(both.message).toBe("--a cannot also be provided. See cool run --help.");
    const missing = toCoolError(new Error("No directory found at /no where"), command);
    expect(missing).toMatchObject({ message: "There is no folder /no where.", exitCode: 2 });
  });

  it("takes off what oclif writes around an error that a flag throws of itself", () => {
    const own = new UsageError("--least 2 is no number from 0 to 1.", {});
    own.message = `Parsing --least \n\t${own.message}\nSee more help with --help`;
    expect(toCoolError(own, command)).toMatchObject({ message: "--least 2 is no number from 0 to 1.", exitCode: 2 });
  });

  it("takes what is thrown and is no error", () => {
    for (const [thrown, message] of [
      ["a text", "a text"],
      [undefined, "undefined"],
      [null, "null"],
    ] as const) {
      expect(toCoolError(asError(thrown), command).message).toBe(message);
    }
  });

  it("leaves everything else as it is", () => {
    for (const error of [new DataError("a"), new Error("b")]) expect(toCoolError(error, command)).toBe(error);
  });
});

describe("reportError", () => {
  const written = { stdout: "", stderr: "" };
  const listen = (): void => {
    for (const stream of ["stdout", "stderr"] as const) {
      written[stream] = "";
      vi.spyOn(process[stream], "write").mockImplementation((text) => {
        written[stream] += String(text);
        return true;
      });
    }
  };
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  it("prints one paragraph on stderr, or one document on stdout", () => {
    listen();
    expect(reportError(new DataError("labels.csv has no rows.", { file: "labels.csv" }), false)).toBe(1);
    expect(written).toEqual({ stdout: "", stderr: "Error: labels.csv has no rows.\n" });
    listen();
    reportError(new DataError("labels.csv has no rows.", { file: "labels.csv" }), true);
    expect(written.stderr).toBe("");
    expect(JSON.parse(written.stdout)).toEqual({
      error: "DataError",
      message: "labels.csv has no rows.",
      facts: { file: "labels.csv" },
    });
  });

  it("leaves out the middle of what nobody reads, on a terminal and in a document", () => {
    const long = new DataError(`There is no table ${"x".repeat(100_000)}. Correct the name.`);
    const tale = new DataError(`The query ${"select 1, ".repeat(10_000)} is wrong. Correct it.`);
    for (const error of [long, tale]) {
      for (const json of [false, true]) {
        listen();
        reportError(error, json);
        const said = json ? JSON.parse(written.stdout).message : written.stderr;
        expect(said.length).toBeLessThan(4100);
        expect(said).toMatch(/^(Error: )?The.*….*Correct (it|the name)\.\n?$/);
      }
    }
    const path = `/${"folder/".repeat(50)}labels.csv`;
    listen();
    reportError(new DataError(`There is no ${path}.`), false);
    expect(written.stderr).toContain(path);
  });

  it("returns the exit code of the error", () => {
    listen();
    const codes = [new UsageError("a"), new InterruptedError("b"), new Error("c")].map((e) => reportError(e, false));
    expect(codes).toEqual([2, 130, 1]);
  });

  it.each(["cool*", "cool:data", "*", "express,cool"])("prints the stack where DEBUG is %s", (value) => {
    vi.stubEnv("DEBUG", value);
    listen();
    reportError(new DataError("a"), false);
    expect(written.stderr).toMatch(/^DataError: a\n\s+at /);
  });

  it("prints no stack where DEBUG is for others", () => {
    vi.stubEnv("DEBUG", "express");
    listen();
    reportError(new DataError("a"), false);
    expect(written.stderr).toBe("Error: a\n");
  });
});
