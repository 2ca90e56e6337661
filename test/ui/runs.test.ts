/** @file Lists of runs, page by page: what cool runs list gives. */
import { expect, it } from "vitest";
import { listRuns } from "../../src/records/list-runs.js";
import type { RunStore } from "../../src/storage/run-store.js";
import type { ProblemAnswer, RunsPage } from "../../src/ui/api/types.js";
import { addRun, openUi } from "./ui-app.js";

const COUNT = 57;

function fill(store: RunStore): void {
  for (let i = 0; i < COUNT; i++) addRun(store, `run-${i % 7}`, ((i * 37) % 50) / 100, i % 3 === 0 ? ["third"] : []);
}

it.each([
  ["", {}],
  [
    "where=valid%2Fdoor%2Ff1_score+%3E+0.2&sort=name&sort=valid%2Fdoor%2Ff1_score%3Adesc",
    {
      where: "valid/door/f1_score > 0.2",
      sort: ["name", "valid/door/f1_score:desc"],
    },
  ],
  ["where=tag+%3D+%22third%22", { where: 'tag = "third"' }],
  ["sort=monitored%3Adesc", { sort: ["monitored:desc"] }],
  ["where=name+%3D+%22nobody%22", { where: 'name = "nobody"' }],
])("all pages of %j together are the command's answer", async (question, query) => {
  const { read, store } = openUi(fill);
  const found: RunsPage["runs"][number][] = [];
  let view = "";
  for (let from = 0; ; from += 10) {
    const page = await read<RunsPage>(`/api/runs?${question}&from=${from}&limit=10${view && `&view=${view}`}`);
    view = page.view ?? "";
    found.push(...page.runs);
    if (found.length >= (page.total ?? 0)) break;
  }
  const expected = listRuns(store, query);
  const plain = ({ values: _, ...run }: RunsPage["runs"][number]) => run;
  expect(found.map(plain)).toEqual(expected.map(plain));
});

it("a list stays as it was ordered while runs come and go", async () => {
  const { read, store } = openUi(fill);
  const first = await read<RunsPage>("/api/runs?limit=10");
  addRun(store, "new", 0.9);
  const gone = first.runs[9]?.id ?? "";
  store.trashRun(gone);
  const second = await read<RunsPage>(`/api/runs?from=10&limit=10&view=${first.view}`);
  expect(second.total).toBe(COUNT);
  const expected = listRuns(store).map(({ id }) => id);
  expect(second.runs.map(({ id }) => id)).toEqual(expected.slice(10, 20));
  const trash = await read<RunsPage>("/api/runs?trash=only");
  expect(trash.runs.map(({ id }) => id)).toEqual([gone]);
});

it("whatever is asked about is shown, beside the monitored metric", async () => {
  const { read } = openUi(fill);
  const page = await read<RunsPage>(
    "/api/runs?where=train.batchSize+%3E+20&sort=valid/door/f1_score:desc&column=train.monitor&column=seed&limit=1",
  );
  expect(page.columns).toEqual(["train.monitor", "valid/door/f1_score", "train.batchSize"]);
  expect(page.runs[0]?.values).toEqual({
    ...{ monitor: "door/f1_score", monitored: 0.52, group: null },
    ...{ "valid/door/f1_score": 0.49, "train.batchSize": 49, "train.monitor": "door/f1_score" },
  });
});

it("a condition that cannot be understood is told with its place and the nearest name", async () => {
  const { ask, failures } = openUi(fill);
  const problem = async (query: string) => {
    const response = await ask(`/api/runs?${query}`);
    return [response.status, ((await response.json()) as ProblemAnswer).message];
  };
  expect(await problem("where=train.batchSiz+%3D+3")).toEqual([
    400,
    'No run has a field named "train.batchSiz". Did you mean "train.batchSize"?\n  train.batchSiz = 3\n  ^',
  ]);
  expect(await problem("where=name+%3D")).toEqual([400, expect.stringMatching(/\n {2}name =\n {8}\^$/)]);
  expect(await problem("sort=nothing")).toEqual([400, expect.stringMatching(/^No run has a field named "nothing"/)]);
  for (const wrong of ["from=-1", "limit=0", "limit=501", "limit=1e2", "from=x", "trash=all"]) {
    expect((await problem(wrong))[0], wrong).toBe(400);
  }
  expect((await problem(`where=${"(".repeat(5000)}`))[0]).toBe(400);
  expect((await problem(`where=${"x".repeat(15_000)}`))[0]).toBe(400);
  expect(failures).toEqual([]);
});

it("the first page has the runs as a table, with links through all of them", async () => {
  const { ask } = openUi((store) => {
    for (let i = 0; i < 205; i++) addRun(store, `run-${i}`, 0.5);
  });
  const seen = new Set<string>();
  let path: string | undefined = "/";
  for (let pages = 0; path !== undefined && pages < 5; pages++) {
    const page: string = await (await ask(path)).text();
    for (const [, name = ""] of page.matchAll(/<a href="\/runs\/[^"]+">([^<]+)<\/a>/g)) seen.add(name);
    path = /<a href="([^"]+)">Next<\/a>/.exec(page)?.[1];
  }
  expect(seen.size).toBe(205);
});

it("names are text, whatever stands in them", async () => {
  const name = `<script>alert(1)</script>"'&\u202e`;
  const { ask, store } = openUi((filled) => void addRun(filled, "base", 0.5));
  const [{ id = "" } = {}] = store.listRuns();
  store.updateRun(id, { name, note: `</script><img src=x onerror=alert(1)>\u0007${"n".repeat(10_000)}` });
  store.addConfig(id, { "</td><b>": "<svg onload=alert(1)>" });
  for (const path of ["/", `/runs/${id}`, "/?where=%3Cscript%3E", "/?where=name%20%3D%20%22%3C/script%3E%22"]) {
    const page = await (await ask(path)).text();
    // our own two elements are all that there is
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page).not.toMatch(/<(img|svg|b)[ >]/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(page).not.toMatch(/[\u0007\u202e]/);
  }
});
