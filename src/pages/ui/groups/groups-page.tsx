/** @file All groups of runs, such as cross-validations. */
import { useEffect } from "preact/hooks";
import type { GroupsAnswer } from "../../../ui/api/types.js";
import { Table } from "../../components/table.js";
import { moment } from "../../text/figures.js";
import { useAnswer } from "../shared/answer.js";
import { groupAddress } from "../shared/router.js";
import { lineOf } from "../shared/text.js";

export function GroupsPage() {
  const { value, problem } = useAnswer<GroupsAnswer>("/api/groups", { restMs: 3000 });
  useEffect(() => {
    document.title = "Groups · dnn-cool";
  }, []);
  const groups = value?.groups ?? [];
  return (
    <main id="main">
      <h1>Groups</h1>
      {problem === null ? null : <p class="notice error">{problem}</p>}
      {value === null ? <p class="muted">…</p> : null}
      {value !== null && groups.length === 0 ? (
        <p class="empty">No groups yet. Make one with: cool run --folds 5, or cool sweep</p>
      ) : null}
      {groups.length === 0 ? null : (
        <Table
          caption="Groups"
          captionHidden
          rows={groups}
          keyOf={({ id }) => id}
          columns={[
            {
              ...{ key: "name", label: "name", value: ({ name }) => name },
              show: ({ id, name }) => <a href={groupAddress(id)}>{lineOf(name, 100)}</a>,
            },
            { key: "kind", label: "kind", value: ({ kind }) => kind },
            { key: "project", label: "project", value: ({ project }) => lineOf(project, 100) },
            {
              ...{ key: "runs", label: "runs", numeric: true, value: ({ runs }) => runs.length },
              show: ({ runs, planned }) => `${runs.length} of ${planned}`,
            },
            {
              ...{ key: "made", label: "made", value: ({ created_at }) => created_at },
              show: ({ created_at }) => moment(created_at),
            },
          ]}
        />
      )}
    </main>
  );
}
