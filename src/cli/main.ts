/** @file The command line, which bin/run.js starts. */

// a stack trace names lines of the sources, not of the bundle; reading the maps takes time that others need not spend
if (process.env.DEBUG !== undefined) process.setSourceMapsEnabled(true);

const [first, ...others] = process.argv.slice(2);
if (first === "__complete") {
  const [{ completeWord }, { guardStreams }] = await Promise.all([import("./complete.js"), import("./streams.js")]);
  guardStreams();
  process.stdout.write(completeWord(others));
} else {
  const { startCommand } = await import("./start.js");
  await startCommand();
}
