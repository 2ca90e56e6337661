import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        // seconds: pure functions, real files, small networks
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/slow/**"],
          testTimeout: 30_000,
        },
      },
      {
        // minutes: the built CLI and whole runs
        test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], testTimeout: 300_000, hookTimeout: 300_000 },
      },
    ],
  },
});
