/** @file Groups of runs, such as the folds of a cross-validation: all of them, and one with its runs. */
import { UnknownNameError } from "../../errors.js";
import { studyReport } from "../../reporting/study.js";
import type { RunStore } from "../../storage/run-store.js";
import { shown } from "./runs.js";
import type { GroupAnswer, GroupsAnswer, GroupSummary } from "./types.js";

const MOST_GROUPS = 200;

export function groupsOf(store: RunStore): GroupsAnswer {
  return {
    groups: store
      .listGroups()
      .slice(0, MOST_GROUPS)
      .map((group) => summary(store, group)),
  };
}

/**
 * @param id whole: an address must mean the same group tomorrow
 * @throws UnknownNameError
 */
export function groupPage(store: RunStore, id: string): GroupAnswer {
  const found = store.findGroup(id);
  if (found === null || found.id !== id) {
    throw new UnknownNameError("group", id.slice(0, 100), []);
  }
  const group = summary(store, found);
  return {
    group,
    study: studyReport(store, found),
    runs: store.runsOf(group.runs, ["monitor", "monitored"]).map((run) => shown(store, run)),
  };
}

function summary(store: RunStore, group: ReturnType<RunStore["listGroups"]>[number]): GroupSummary {
  const { id, name, kind, project, planned, createdAt, endedAt, runs } = group;
  return {
    ...{ id, name, kind, project, planned, created_at: createdAt, ended_at: endedAt },
    runs: runs.map((run) => run.id),
    evaluation: store.readGroupEvaluation(id),
  };
}
