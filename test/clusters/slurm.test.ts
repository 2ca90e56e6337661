/** @file Batch scripts as a real shell runs them: hostile words, signals and exit codes; templates that users have edited. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkedNeed, type Job, parseJobTime, plainName } from "../../src/clusters/job.js";
import { slurmScript, writeTemplate } from "../../src/clusters/slurm/script.js";
import { submitToSlurm } from "../../src/clusters/slurm/submit.js";
import { fillTemplate, TEMPLATE } from "../../src/clusters/slurm/template.js";
import { CoolError } from "../../src/errors.js";

let dir = "";
/** A folder whose name a careless script would run. */
let hostile = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "slurm-script-"));
  hostile = join(dir, `it's a "b" $(touch ran) \`touch ran\` ; 100% #1 & {{command}}`);
  mkdirSync(hostile);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const WORDS = ["--note=a b", "it's", '"', "$(touch ran)", "`touch ran`", "; touch ran", "a\\", "*", "~", "", "{{log}}"];
const JOB: Job = { name: "rates", words: ["sweep", ...WORDS], tasks: 1, needs: {} };

function scriptOf(program: readonly string[], job: Partial<Job> = {}): string {
  const place = { projectDir: dir, folder: hostile, logDir: join(hostile, "jobs"), program };
  return slurmScript({ ...JOB, ...job }, place);
}

/** Runs a script as Slurm would, with a `scontrol` that writes down what it is told. */
async function batch(script: string, whenReady: (pid: number) => void = () => {}) {
  const bin = mkdtempSync(join(dir, "bin-"));
  writeFileSync(join(bin, "scontrol"), `#!/bin/sh\necho "$@" >> '${join(bin, "told")}'\n`);
  chmodSync(join(bin, "scontrol"), 0o755);
  const env = { ...process.env, SLURM_JOB_ID: "17", PATH: `${bin}${delimiter}${process.env.PATH}` };
  const child = spawn("bash", ["-s"], { cwd: bin, env, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(script);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (/ready\n$/.test(output)) whenReady(child.pid ?? 0);
  });
  const [code] = (await once(child, "close")) as [number];
  const told = existsSync(join(bin, "told")) ? readFileSync(join(bin, "told"), "utf8") : "";
  return { code, output, told, bin };
}

/** A program that waits for a signal and ends with a code for each. */
const waiting = (codes: Readonly<Record<string, number>>): string[] => [
  process.execPath,
  "-e",
  `${Object.entries(codes)
    .map(([signal, code]) => `process.on("${signal}", () => setTimeout(() => process.exit(${code}), 300));`)
    .join("")} process.stdout.write("ready\\n"); setInterval(() => {}, 1000);`,
];

describe("a script", () => {
  test("passes every word on as it is, in the folder where the command was given", async () => {
    const print = [process.execPath, "-e", "console.log(JSON.stringify([process.cwd(), process.argv.slice(1)]))", "--"];
    const { code, output, bin } = await batch(scriptOf(print));
    expect(JSON.parse(output)).toEqual([hostile, ["sweep", ...WORDS]]);
    expect(code).toBe(0);
    for (const folder of [bin, hostile, dir]) expect(existsSync(join(folder, "ran"))).toBe(false);
  });

  test("has its options, and its output file with Slurm's percent signs alone", () => {
    const needs = { partition: "gpu", timeS: 5400, cpus: 4, gpus: "a100:2", memory: "16G" };
    const lines = scriptOf(["cool"], { tasks: 8, needs }).split("\n");
    expect(lines.filter((line) => line.startsWith("#SBATCH"))).toEqual([
      "#SBATCH --job-name=rates",
      `#SBATCH --output="${dir}/it's a \\"b\\" $(touch ran) \`touch ran\` ; 100%% #1 & {{command}}/jobs/%x-%A_%a.out"`,
      "#SBATCH --open-mode=append",
      "#SBATCH --requeue",
      "#SBATCH --signal=B:USR1@120",
      "#SBATCH --array=0-7",
      "#SBATCH --partition=gpu",
      "#SBATCH --time=0-01:30:00",
      "#SBATCH --cpus-per-task=4",
      "#SBATCH --gpus=a100:2",
      "#SBATCH --mem=16G",
    ]);
  });

  test("near the time limit passes USR1 on, and is requeued where the program asks for it", async () => {
    const warned = await batch(scriptOf(waiting({ SIGUSR1: 75 })), (pid) => process.kill(pid, "SIGUSR1"));
    expect([warned.code, warned.told]).toEqual([75, "requeue 17\n"]);
    const finished = await batch(scriptOf(waiting({ SIGUSR1: 0 })), (pid) => process.kill(pid, "SIGUSR1"));
    expect([finished.code, finished.told]).toEqual([0, ""]);
  });

  test("that is cancelled passes SIGTERM on, and is not requeued", async () => {
    const { code, told } = await batch(scriptOf(waiting({ SIGTERM: 75 })), (pid) => process.kill(pid, "SIGTERM"));
    expect([code, told]).toEqual([75, ""]);
  });

  test("ends with the code of a program that a signal ended", async () => {
    const { code } = await batch(scriptOf([process.execPath, "-e", "process.kill(process.pid, 'SIGKILL')"]));
    expect(code).toBe(128 + 9);
  });

  test("has no words of several lines", () => {
    expect(() => scriptOf(["cool"], { words: ["--note=a\n#SBATCH --wrap=x"] })).toThrow(
      /control character or line break/,
    );
  });
});

describe("a template", () => {
  const values = { job_name: "n", log: "l", warning_seconds: "9", options: "#SBATCH -a", folder: "f", command: "c" };
  const rest = "{{options}}\ncd {{folder}}\n{{command}}\n";
  const problem = (template: string): string => {
    try {
      fillTemplate(template, values, "slurm.sbatch");
      return "none";
    } catch (error) {
      if (error instanceof CoolError) return error.message;
      throw error;
    }
  };

  test.each([
    ["{{comand}}\n", 'No placeholder named "comand" in slurm.sbatch, line 1. Did you mean "command"?'],
    ["echo\n{{options}}\ncd {{folder}}\n", "slurm.sbatch has no {{command}}: the job would run nothing."],
    ["cd {{folder}}\n{{command}}\n", "slurm.sbatch has no {{options}}: --time, --cpus and the array would be lost."],
    [`${rest}echo "{{folder}}"\n`, "slurm.sbatch, line 4: {{folder}} is quoted already."],
    [`${rest}echo "in {{folder}} now"\n`, "slurm.sbatch, line 4: {{folder}} is quoted already."],
    [`${rest}echo {{log}}\n`, "slurm.sbatch, line 4: {{log}} stands on a line that begins with #SBATCH."],
    [`${rest}# {{command}}\n`, "slurm.sbatch, line 4: {{command}} stands in the script, not in a comment."],
    [`${rest}#SBATCH {{options}}\n`, "slurm.sbatch, line 4: {{options}} stands on a line of its own."],
  ])("%j is refused", (template, message) => {
    expect(problem(template)).toContain(message);
  });

  test("that an editor has saved with other line ends is filled in all the same", () => {
    expect(fillTemplate(rest.replaceAll("\n", "\r\n"), values, "x")).toBe("#SBATCH -a\ncd f\nc\n");
  });

  test("is written once, and an edited one is what later jobs run", () => {
    const project = mkdtempSync(join(dir, "project-"));
    const file = join(project, "slurm.sbatch");
    expect([writeTemplate(project), writeTemplate(project)]).toEqual([true, false]);
    expect(readFileSync(file, "utf8")).toBe(TEMPLATE);
    writeFileSync(file, TEMPLATE.replace("#SBATCH --requeue\n", "#SBATCH --requeue\n#SBATCH --account=trees\n"));
    const place = { projectDir: project, folder: project, logDir: project, program: ["cool"] };
    expect(slurmScript(JOB, place)).toContain("#SBATCH --account=trees\n");
  });
});

describe("sbatch", () => {
  /** With a program of that name and nothing else on the path. */
  function withProgram<T>(script: string | null, use: () => T): T {
    const bin = mkdtempSync(join(dir, "bin-"));
    if (script !== null) {
      writeFileSync(join(bin, "sbatch"), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, "sbatch"), 0o755);
    }
    const before = process.env.PATH;
    process.env.PATH = bin;
    try {
      return use();
    } finally {
      process.env.PATH = before;
    }
  }

  test("says the number of the job, alone or with the cluster's name", () => {
    expect(withProgram("echo 31", () => submitToSlurm("", dir))).toBe("31");
    expect(withProgram("echo '31;north'", () => submitToSlurm("", dir))).toBe("31");
  });

  test("that is missing, or refuses the job, is one clear error", () => {
    expect(() => withProgram(null, () => submitToSlurm("", dir))).toThrow(
      "There is no sbatch on this machine, which hands jobs to Slurm. Do it on a login node of the cluster, or see the script with --print.",
    );
    const refusal = "echo 'sbatch: error: invalid partition specified: gpu' >&2; exit 1";
    expect(() => withProgram(refusal, () => submitToSlurm("", dir))).toThrow(
      "Slurm has not taken the job: invalid partition specified: gpu",
    );
  });
});

test("times and resources have their forms, and nothing else becomes an option", () => {
  expect(["90m", "2h", "08:00:00", "1-12:00:00", "90s", "1:30"].map(parseJobTime)).toEqual([
    ...[5400, 7200, 28_800, 129_600, 90, 5400],
  ]);
  for (const text of ["", "soon", "-1h", "0s"]) expect(() => parseJobTime(text)).toThrow(/is no length of time/);
  expect(checkedNeed("gpus", "a100:2")).toBe("a100:2");
  for (const [flag, text] of [
    ["partition", "gpu --wrap=x"],
    ["gpus", "1\n#SBATCH --wrap=x"],
    ["memory", "lots"],
  ] as const) {
    expect(() => checkedNeed(flag, text)).toThrow(/is not of the form that it has/);
  }
  expect([plainName("Häuser & Bäume_1"), plainName("!!"), plainName("a".repeat(80)).length]).toEqual([
    ...["h-user-b-ume-1", "cool", 52],
  ]);
});
