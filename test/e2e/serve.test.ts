/** @file `cool serve` and `cool export` as a user meets them: the built commands, from their first line to the exit code. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Prediction } from "../../src/asking/load-run.js";
import type { ExportResult } from "../../src/shipping/export-run.js";
import { cool, coolJson, startCool } from "../support/cli.js";
import { snippetsOf } from "../support/pages.js";
import { type TinyProject, tinyProject } from "../support/projects.js";
import { parsePrometheus } from "../support/prometheus.js";

const run = promisify(execFile);

let project: TinyProject;
beforeAll(async () => {
  project = await tinyProject();
  await coolJson(["run", project.dir, "--epochs", "2"]);
});
afterAll(() => project.remove());

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Serves until it is ended. */
async function serve(...args: readonly string[]) {
  const { child, ended } = startCool(["serve", ...args, "--port", "0"], { cwd: project.dir, timeoutMs: 200_000 });
  const url = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (data: string) => {
      text += data;
      const [, found] = / is served on (http:\/\/\S+) by /.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    });
    void ended.then(({ stderr }) => reject(new Error(stderr)));
  });
  return { url, child, ended };
}

async function residentBytes(url: string): Promise<number> {
  const { samples } = parsePrometheus(await (await fetch(`${url}/metrics`)).text());
  return samples.find(({ name }) => name === "process_resident_memory_bytes")?.value ?? Number.NaN;
}

/** Sends the head of a request, and nothing of its body. @returns what came until the server closed the socket */
function slowly(url: string): Promise<string> {
  const { port, hostname, host } = new URL(url);
  return new Promise((resolve) => {
    let got = "";
    const socket = connect(Number(port), hostname, () => {
      socket.write(`POST /predict HTTP/1.1\r\nHost: ${host}\r\nContent-Type: image/png\r\nContent-Length: 500\r\n\r\n`);
    });
    socket.on("data", (data) => {
      got += data;
    });
    socket.on("close", () => resolve(got));
  });
}

it("exports a run as onnx and as layers, each with its sums, and never over what is there", async () => {
  for (const format of ["onnx", "layers"]) {
    const to = join(project.dir, `as-${format}`);
    const args = ["export", "latest", "--format", format, "--to", to, "--licence", "CC0-1.0"];
    const { out, files } = await coolJson<ExportResult>(args, { cwd: project.dir });
    expect(out).toBe(to);
    expect(readdirSync(to).sort()).toEqual(files.map(({ path }) => path).sort());
    for (const { path, bytes, sha256 } of files) {
      const written = readFileSync(join(to, path));
      expect([path, written.length, digestOf(written)]).toEqual([path, bytes, sha256]);
      const sum = path === "SHA256SUMS" ? "" : `${sha256}  ${path}\n`;
      expect(readFileSync(join(to, "SHA256SUMS"), "utf8")).toContain(sum);
    }
    expect(readFileSync(join(to, "MODEL_CARD.md"), "utf8")).toMatch(/## Licence\n\nCC0-1\.0\n$/);
    const again = await cool(args, { cwd: project.dir });
    expect(again.code).toBe(2);
    expect(again.stderr).toContain(`${to} is there already. Name another target with --to, or move it away.`);
  }
});

it("answers on loopback as cool predict does, refuses what is too large or too slow, and ends with 0", async () => {
  const { url, child, ended } = await serve("latest", "--timeout", "2s", "--workers", "2");
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const image = project.image(3);
  const { predictions } = await coolJson<{ predictions: Prediction[] }>(["predict", image], { cwd: project.dir });
  const body = new Uint8Array(readFileSync(image));
  const answer = await fetch(`${url}/predict`, { method: "POST", body, headers: { "content-type": "image/png" } });
  expect(await answer.json()).toMatchObject({ rows: 1, predictions: [{ answers: predictions[0]?.answers }] });

  const before = await residentBytes(url);
  const sent = run("curl", [
    "-s",
    "-m",
    "20",
    "-o",
    "-",
    "-H",
    "content-type: image/png",
    "-T",
    "-",
    `${url}/predict`,
    "-X",
    "POST",
  ]);
  // 100 MB whose length nobody says
  for (let piece = 0; piece < 100; piece++) {
    if (sent.child.stdin?.writable !== true) break;
    sent.child.stdin.write(Buffer.alloc(1e6));
  }
  sent.child.stdin?.on("error", () => {}).end();
  await sent.catch(() => {});
  const said = await fetch(`${url}/predict`, {
    method: "POST",
    body: new Uint8Array(1e8),
    headers: { "content-type": "image/png" },
  }).then(
    ({ status }) => status,
    // the server has hung up before all was sent
    () => 413,
  );
  expect(said).toBe(413);
  expect((await residentBytes(url)) - before).toBeLessThan(6e7);

  expect(await slowly(url)).toMatch(/^HTTP\/1\.1 408 [\s\S]*"error":"too_slow"/);
  child.kill("SIGTERM");
  const { code, stderr } = await ended;
  expect(code).toBe(0);
  const log = stderr.split("\n").filter((line) => line.startsWith("{"));
  expect(log.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({ method: "POST", path: "/predict", status: 200, rows: 1, remote: "127.0.0.1" }),
  );
});

it("the guide's requests to an export are answered", async () => {
  await coolJson(["export", "latest", "--format", "layers", "--to", "shipped"], { cwd: project.dir });
  const { url, child, ended } = await serve("shipped", "--quiet");
  const [snippet] = snippetsOf("docs/ship.md").filter(({ title }) => title === "requests");
  const text = (snippet?.text ?? "").replaceAll("localhost:8000", new URL(url).host);
  const commands = text
    .replaceAll("images/00001.png", "images/003.png")
    .replaceAll("images/00002.png", "images/004.png");
  expect(commands).toContain("curl");
  const { stdout } = await run("bash", ["-euc", commands], { cwd: project.dir });
  expect(stdout.match(/"predictions":\[\{"input"/g)).toHaveLength(2);
  expect(stdout).toContain("├── 003.png");
  child.kill("SIGINT");
  expect(await ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining("{") });
});

it("what cannot be served is told in one line", async () => {
  const wrong = async (...args: readonly string[]) => {
    const { code, stderr } = await cool(["serve", ...args], { cwd: project.dir });
    return [code, stderr.trim()];
  };
  expect(await wrong("nothing")).toEqual([2, expect.stringMatching(/^Error: No run named "nothing"/)]);
  expect(await wrong("images")).toEqual([2, expect.stringMatching(/^Error: images is no export: .* or a run/)]);
  expect(await wrong("images/")).toEqual([2, expect.stringMatching(/^Error: images\/ is no export/)]);
  expect(await wrong("latest", "--host", "0.0.0.0")).toEqual([
    2,
    "Error: On 0.0.0.0 whoever reaches this machine could ask. Give a token that they must bring, in COOL_SERVE_TOKEN or with --token-file, or serve on 127.0.0.1.",
  ]);
  expect(await wrong("latest", "--max-body", "lots")).toEqual([
    2,
    expect.stringMatching(/^Error: --max-body lots is no quantity/),
  ]);
  expect(await wrong("nowhere.onnx")).toEqual([2, expect.stringMatching(/^Error: There is no export nowhere\.onnx/)]);
});
