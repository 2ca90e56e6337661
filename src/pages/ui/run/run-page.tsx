/** @file One run, live while it runs. */
import { useEffect, useState } from "preact/hooks";
import type { ListedRun, ShownRun } from "../../../records/list-runs.js";
import type { GroupsAnswer } from "../../../ui/api/types.js";
import { Section } from "../../components/section.js";
import { Table } from "../../components/table.js";
import { useAnswer } from "../shared/answer.js";
import { edit, wordsOf } from "../shared/api.js";
import { EditDialog } from "../shared/edit-dialog.js";
import { about } from "../shared/first.js";
import { useKeys } from "../shared/keys.js";
import { groupAddress } from "../shared/router.js";
import { lineOf, valueText } from "../shared/text.js";
import { CurvesSection } from "./curves-section.js";
import { EvaluationSection } from "./evaluation-section.js";
import { LogSection } from "./log-section.js";
import { ReportSections } from "./report-sections.js";
import { RunHead } from "./run-head.js";

export function RunPage({ id }: { readonly id: string }) {
  const address = `/api/runs/${encodeURIComponent(id)}`;
  const { value, problem, again } = useAnswer<{ readonly run: ShownRun }>(address);
  const [isEdited, setEdited] = useState(false);
  const [editProblem, setEditProblem] = useState<string | null>(null);
  const run = value?.run ?? null;
  const canEdit = about().can_edit;
  useEffect(() => {
    document.title = `${run === null ? "Run" : lineOf(run.name, 100)} · dnn-cool`;
  }, [run?.name]);
  const star = async ({ starred }: ListedRun): Promise<void> => {
    try {
      await edit(id, { starred: !starred });
      setEditProblem(null);
      again();
    } catch (error) {
      setEditProblem(wordsOf(error));
    }
  };
  useKeys(canEdit && run !== null ? { s: () => void star(run), e: () => setEdited(true) } : {});
  if (run === null) {
    return <main id="main">{problem === null ? <p class="muted">…</p> : <p class="notice error">{problem}</p>}</main>;
  }
  return (
    <main id="main">
      <RunHead run={run} canEdit={canEdit} onStar={() => void star(run)} onEdit={() => setEdited(true)} />
      {[problem, editProblem].map((text) =>
        text === null ? null : (
          <p key={text} class="notice error" role="alert">
            {text}
          </p>
        ),
      )}
      <CurvesSection runs={[run]} isLive={run.state === "running"} />
      <EvaluationSection rows={run.evaluation} />
      <ReportSections run={run} />
      <Siblings run={run} />
      <Facts id="settings" title="Configuration" facts={run.config} changed={run.config_changes} />
      <Facts id="environment" title="Environment" facts={run.environment} changed={{}} />
      <LogSection id={id} isLive={run.state === "running"} />
      {isEdited ? (
        <EditDialog
          run={run}
          onClose={(hasChanged) => {
            setEdited(false);
            if (hasChanged) again();
          }}
        />
      ) : null}
    </main>
  );
}

interface FactsProps {
  readonly id: string;
  readonly title: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly changed: Readonly<Record<string, string>>;
}

function Facts({ id, title, facts, changed }: FactsProps) {
  const rows = Object.entries(facts);
  if (rows.length === 0) return null;
  return (
    <Section id={id} title={title}>
      <details open={rows.length <= 40}>
        <summary class="muted">{rows.length} values</summary>
        <Table
          caption={title}
          captionHidden
          rows={rows}
          keyOf={([key]) => key}
          columns={[
            { key: "key", label: "name", value: ([key]) => lineOf(key) },
            {
              ...{ key: "value", label: "value", value: ([, value]) => valueText(value) },
              show: ([key, value]) => (
                <>
                  <code>{valueText(value)}</code> {key in changed ? <span class="badge">{changed[key]}</span> : null}
                </>
              ),
            },
          ]}
        />
      </details>
    </Section>
  );
}

/** The runs of its group, such as the other folds. */
function Siblings({ run }: { readonly run: ShownRun }) {
  const { value } = useAnswer<GroupsAnswer>(run.group === null ? null : "/api/groups", { isLive: false });
  const group = value?.groups.find(({ runs }) => runs.includes(run.id));
  if (group === undefined) return null;
  return (
    <Section id="group" title={`Group ${lineOf(group.name, 100)}`}>
      <p>
        One of {group.runs.length} {group.kind === "folds" ? "folds" : "runs"}.{" "}
        <a href={groupAddress(group.id)}>All of them together</a>
      </p>
    </Section>
  );
}
