import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (file: string) => fileURLToPath(new URL(`./src/${file}`, import.meta.url));
const resolve = {
  alias: [
    { find: /^dnn-cool$/, replacement: source("index.ts") },
    { find: /^dnn-cool\/track$/, replacement: source("tracking/index.ts") },
    { find: /^dnn-cool\/tensorboard$/, replacement: source("logging/tensorboard/index.ts") },
  ],
};

// what a user has installed for all projects is only for the tests that are about it
const env = { DNN_COOL_CACHE: fileURLToPath(new URL("node_modules/.cache/dnn-cool-tests", import.meta.url)) };

// a test that stands beside what it tests, and takes too long for `npm test`
const SLOW = "test/**/*.slow.test.ts";
// a test that puts another module in the place of a real one
const MOCKED = "test/**/*.mocked.test.ts";
// folders whose tests are projects of their own
const APART = ["test/e2e/**", "test/slow/**", "test/webgpu/**", "test/native/**", "test/slurm/**", SLOW];

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/skipped-reporter.ts"],
    // one a core: vitest by itself would leave a core of two to its own process, which waits nearly all the time
    maxWorkers: "100%",
    projects: [
      {
        resolve,
        // seconds: pure functions, real files, small networks. Files of a worker share its modules, whose loading takes as
        // long as the tests otherwise; a test leaves what it has set as it was
        test: {
          name: "unit",
          env,
          include: ["test/**/*.test.ts"],
          exclude: [...APART, MOCKED],
          isolate: false,
          globalSetup: "test/support/compiled.mjs",
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve,
        // the same, with modules of their own
        test: {
          name: "mocked",
          env,
          include: [MOCKED],
          globalSetup: "test/support/compiled.mjs",
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve,
        // minutes: the built CLI and whole runs
        test: {
          name: "e2e",
          env,
          include: ["test/e2e/**/*.test.ts"],
          exclude: [SLOW],
          globalSetup: "test/e2e/build.mjs",
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        resolve,
        // minutes: what only many processes, replicas or moments can show
        test: {
          name: "slow",
          env,
          include: ["test/slow/**/*.test.ts", SLOW],
          exclude: ["test/slow/**/*-browser.test.ts"],
          globalSetup: "test/e2e/build.mjs",
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        resolve,
        // minutes: what TensorFlow's library computes; skipped where it is not installed
        test: {
          name: "native",
          include: ["test/native/**/*.test.ts"],
          globalSetup: "test/e2e/build.mjs",
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve,
        // minutes: what the webgpu backend computes, be it in software; skipped where it has no driver
        test: {
          name: "webgpu",
          env,
          include: ["test/webgpu/**/*.test.ts"],
          globalSetup: "test/e2e/build.mjs",
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve,
        // minutes: jobs on a Slurm of two nodes, which is set up for them; skipped where that cannot be
        test: {
          name: "slurm",
          env,
          include: ["test/slurm/**/*.test.ts"],
          globalSetup: "test/e2e/build.mjs",
          testTimeout: 240_000,
          hookTimeout: 300_000,
        },
      },
      {
        resolve,
        // minutes: TensorBoard's pages in a real browser; skipped where there is none
        test: {
          name: "browser",
          env,
          include: ["test/slow/**/*-browser.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
