/** @file Changes of runs: only where they are allowed, and by the rules of the commands. */
import { expect, it } from "vitest";
import type { EditAnswer, ProblemAnswer } from "../../src/ui/api/types.js";
import { addRun, HOST, openUi, TOKEN } from "./ui-app.js";

const JSON_TYPE = { "content-type": "application/json", origin: `http://${HOST}` };

function post(edit: unknown, headers: Record<string, string> = JSON_TYPE) {
  return { method: "POST", body: typeof edit === "string" ? edit : JSON.stringify(edit), headers };
}

it("without --edit every change is refused, and nothing is changed", async () => {
  let id = "";
  const { ask, store } = openUi((filled) => {
    id = addRun(filled, "base", 0.5);
  });
  const before = store.getRun(id);
  expect((await ask("/api/edits", post({ runs: [id], starred: true }))).status).toBe(403);
  for (const edit of [{ starred: true }, { note: "x" }, { add_tags: ["a"] }, { trash: true }]) {
    const response = await ask(`/api/edit/${id}`, post(edit));
    expect(response.status).toBe(403);
    expect(((await response.json()) as ProblemAnswer).error).toBe("read_only");
  }
  expect(store.getRun(id)).toEqual(before);
});

it("with --edit tags, notes, stars and the trash are what the commands make of them", async () => {
  let id = "";
  const { ask, store } = openUi(
    (filled) => {
      id = addRun(filled, "base", 0.5, ["old"]);
    },
    { canEdit: true },
  );
  const edit = { add_tags: ["good", " paper "], remove_tags: ["old"], note: "wider\ntrunk", starred: true };
  const answer = (await (await ask(`/api/edit/${id}`, post(edit))).json()) as EditAnswer;
  expect(answer.runs).toMatchObject([{ id, tags: ["good", "paper"], note: "wider\ntrunk", starred: true }]);
  expect(store.getRun(id)).toMatchObject({ tags: ["good", "paper"], note: "wider\ntrunk", starred: true });
  await ask(`/api/edit/${id}`, post({ note: "" }));
  expect(store.getRun(id).note).toBeNull();
  await ask(`/api/edit/${id}`, post({ trash: true }));
  expect(store.listRuns()).toEqual([]);
  await ask(`/api/edit/${id}`, post({ trash: false }));
  expect(store.listRuns().map((run) => run.id)).toEqual([id]);
});

it("what the commands refuse is refused with their words", async () => {
  let [id, running] = ["", ""];
  const { ask, store } = openUi(
    (filled) => {
      id = addRun(filled, "base", 0.5);
      running = filled.createRun({ project: "security", name: "live" }).id;
    },
    { canEdit: true },
  );
  const message = async (path: string, edit: unknown) => {
    const response = await ask(path, post(edit));
    return [response.status, ((await response.json()) as ProblemAnswer).message];
  };
  const long = "x".repeat(201);
  expect(await message(`/api/edit/${id}`, { add_tags: [long] })).toEqual([
    400,
    expect.stringMatching(/shorten it to 200/),
  ]);
  expect(await message(`/api/edit/${id}`, { add_tags: ["a\u0007"] })).toEqual([400, expect.stringMatching(/control/)]);
  expect(await message(`/api/edit/${running}`, { trash: true })).toEqual([
    503,
    expect.stringMatching(/still training/),
  ]);
  expect(await message("/api/edit/nothing", { starred: true })).toEqual([404, expect.stringMatching(/^No run named/)]);
  expect(await message(`/api/edit/${id}`, { name: "x" })).toEqual([400, expect.stringMatching(/has no "name"/)]);
  expect(await message(`/api/edit/${id}`, { starred: 1 })).toEqual([400, expect.stringMatching(/another type/)]);
  expect(await message(`/api/edit/${id}`, [])).toEqual([400, "A change is an object."]);
  expect(await message(`/api/edit/${id}`, "{")).toEqual([400, "A change is a JSON document."]);
  expect(store.getRun(id)).toMatchObject({ tags: [], starred: false });
});

it("several runs are changed together, and brought back as the commands do", async () => {
  let ids: string[] = [];
  const { ask, store } = openUi(
    (filled) => {
      ids = ["a", "b", "c"].map((name) => addRun(filled, name, 0.5, ["old"]));
    },
    { canEdit: true },
  );
  const two = ids.slice(0, 2);
  const change = { runs: [...two, ...two], add_tags: ["paper"], remove_tags: ["old"], starred: true };
  const answer = (await (await ask("/api/edits", post(change))).json()) as EditAnswer;
  expect(answer.runs.map(({ id, tags, starred }) => [id, tags, starred])).toEqual(
    two.map((id) => [id, ["paper"], true]),
  );
  expect(store.getRun(ids[2] ?? "")).toMatchObject({ tags: ["old"], starred: false });
  await ask("/api/edits", post({ runs: two, trash: true }));
  expect(store.listRuns().map(({ name }) => name)).toEqual(["c"]);
  await ask("/api/edits", post({ runs: two, trash: false }));
  expect(store.listRuns()).toHaveLength(3);
});

it("where one of several runs cannot be changed none is, and each reason is told", async () => {
  let [id, running] = ["", ""];
  const { ask, store } = openUi(
    (filled) => {
      id = addRun(filled, "base", 0.5);
      running = filled.createRun({ project: "security", name: "live" }).id;
    },
    { canEdit: true },
  );
  const runs = [id, running, "nothing"];
  const response = await ask("/api/edits", post({ runs, add_tags: ["x"], trash: true }));
  const { message, facts } = (await response.json()) as ProblemAnswer;
  expect([response.status, message]).toEqual([400, expect.stringMatching(/^No run was changed: 2 of 3 cannot be\./)]);
  expect(message).toMatch(/\nRun .*live.* is still training[\s\S]*\nNo run named/);
  expect(Object.keys(facts.problems as object)).toEqual([running, "nothing"]);
  for (const one of [id, running]) expect(store.getRun(one)).toMatchObject({ tags: [], deletedAt: null });
  for (const wrong of [{}, { runs: [] }, { runs: [1] }, { runs: id }, { runs, name: "x" }]) {
    expect((await ask("/api/edits", post(wrong))).status).toBe(400);
  }
  const many = Array.from({ length: 1001 }, () => id);
  expect((await ask("/api/edits", post({ runs: many, starred: true }))).status).toBe(400);
});

it("a change of one run is made whole or not at all", async () => {
  let running = "";
  const { ask, store } = openUi(
    (filled) => {
      running = filled.createRun({ project: "security", name: "live" }).id;
    },
    { canEdit: true },
  );
  expect((await ask(`/api/edit/${running}`, post({ starred: true, trash: true }))).status).toBe(503);
  expect(store.getRun(running)).toMatchObject({ starred: false, deletedAt: null });
});

it("a change must be JSON, come from a page of this server, or bring the token", async () => {
  let id = "";
  const { ask, app, store } = openUi(
    (filled) => {
      id = addRun(filled, "base", 0.5);
    },
    { canEdit: true },
  );
  const status = async (headers: Record<string, string>) =>
    (await ask(`/api/edit/${id}`, post({ starred: true }, headers))).status;
  expect(await status({ "content-type": "text/plain", origin: `http://${HOST}` })).toBe(415);
  expect(await status({ "content-type": "application/json" })).toBe(403);
  expect(await status({ "content-type": "application/json", origin: "https://evil.example" })).toBe(403);
  expect(await status({ "content-type": "application/json", origin: "null" })).toBe(403);
  expect(await status({ "content-type": "application/json", origin: "http://127.0.0.1:7101" })).toBe(403);
  expect((await ask(`/api/edit/${id}`)).status).toBe(405);
  expect(store.getRun(id).starred).toBe(false);
  const bearer = { host: HOST, authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  expect((await app.request(`/api/edit/${id}`, post({ starred: true }, bearer))).status).toBe(200);
  expect(store.getRun(id).starred).toBe(true);
});
