/** @file All runs: search, order, choice, and what can be done with those that were chosen. */
import { useEffect, useState } from "preact/hooks";
import type { ListedRun } from "../../../records/list-runs.js";
import type { RunsPage as FirstPage } from "../../../ui/api/types.js";
import { edit, editAll, wordsOf } from "../shared/api.js";
import { EditDialog } from "../shared/edit-dialog.js";
import { about, takeFirst } from "../shared/first.js";
import { useKeys } from "../shared/keys.js";
import { compareAddress, go, type Place, runAddress } from "../shared/router.js";
import { BatchDialog, BatchNotice, type BatchOutcome } from "./batch-dialog.js";
import { ColumnChoice, useHidden } from "./column-choice.js";
import { fieldColumn, USUAL_COLUMNS } from "./columns.js";
import { useRunList } from "./list-state.js";
import { orderOf, questionOf, show, type Shown, useShown } from "./question.js";
import { RunRows } from "./run-rows.js";
import { SearchBox } from "./search-box.js";
import { type Selection, useSelection } from "./selection.js";
import { useChoice } from "./use-choice.js";

export function RunsPage({ place }: { readonly place: Place }) {
  const shown = useShown(place);
  const question = questionOf(shown);
  const [first] = useState(() => takeFirst<FirstPage>());
  const list = useRunList(question, first);
  const selection = useSelection();
  const [hidden, toggleHidden] = useHidden();
  const [active, setActive] = useState(-1);
  const [edited, setEdited] = useState<ListedRun | null>(null);
  const [isBatch, setBatch] = useState(false);
  const [outcome, setOutcome] = useState<BatchOutcome | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const { can_edit: canEdit } = about();
  useEffect(() => setActive(-1), [question]);
  useEffect(() => {
    document.title = `${shown.isTrash ? "Trash" : "Runs"} · dnn-cool`;
  }, [shown.isTrash]);

  const star = async (run: ListedRun): Promise<void> => {
    try {
      await edit(run.id, { starred: !run.starred });
      setProblem(null);
      list.again();
    } catch (error) {
      setProblem(wordsOf(error));
    }
  };
  const finishBatch = (done: BatchOutcome | null): void => {
    setBatch(false);
    if (done === null) return;
    setOutcome(done);
    // they are no longer in this list
    if (done.edit.trash !== undefined) selection.drop(done.ids);
    list.again();
  };
  const undo = async ({ ids, edit: { trash } }: BatchOutcome): Promise<void> => {
    try {
      await editAll({ runs: ids, trash: trash === false });
      setOutcome(null);
      setProblem(null);
      list.again();
    } catch (error) {
      setProblem(wordsOf(error));
    }
  };
  const choice = useChoice(list, selection, setProblem);
  useEffect(choice.forget, [question]);
  const move = (by: number): void => setActive(Math.max(0, Math.min((list.total ?? 1) - 1, active + by)));
  const withActive = (act: (run: ListedRun) => void) => (): void => {
    const run = list.runAt(active);
    if (run !== undefined) act(run);
  };
  const compare = (): void => {
    if (canCompare(selection.ids)) go(compareAddress(selection.ids));
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    "/": () => document.getElementById("where")?.focus(),
    Enter: withActive(({ id }) => go(runAddress(id))),
    x: () => active >= 0 && choice.choose(active, false),
    X: () => active >= 0 && choice.choose(active, true),
    a: choice.chooseAll,
    c: compare,
    ...(canEdit ? { s: withActive((run) => void star(run)), e: withActive(setEdited) } : {}),
    ...(canEdit && selection.ids.length > 0 ? { E: () => setBatch(true) } : {}),
  });
  const columns = [...USUAL_COLUMNS.filter(({ field }) => !hidden.has(field)), ...list.columns.map(fieldColumn)];
  return (
    <main id="main">
      <div class="bar">
        <SearchBox
          where={shown.where}
          problem={list.problem}
          onSearch={(where) => show({ ...shown, where: where.trim() })}
        />
        <div class="toolbar">
          <h1>{shown.isTrash ? "Trash" : "Runs"}</h1>
          <output class="muted">{list.isCounted || list.problem !== null ? countText(list.total) : "…"}</output>
          <ColumnChoice
            hidden={hidden}
            columns={shown.columns}
            onToggle={toggleHidden}
            onColumns={(columns) => show({ ...shown, columns })}
          />
          <label>
            <input
              type="checkbox"
              checked={shown.isTrash}
              onChange={() => show({ ...shown, isTrash: !shown.isTrash })}
            />{" "}
            trash
          </label>
          <Chosen selection={selection} onCompare={compare} onEdit={canEdit ? () => setBatch(true) : null} />
        </div>
        {problem === null ? null : (
          <p class="notice error" role="alert">
            {problem}
          </p>
        )}
        {outcome === null ? null : <BatchNotice outcome={outcome} onUndo={() => void undo(outcome)} />}
      </div>
      {list.total === 0 ? <p class="empty">{emptyText(shown)}</p> : null}
      <RunRows
        {...{ list, columns, selection, active, canEdit }}
        order={orderOf(shown)}
        share={choice.share}
        onChoose={choice.choose}
        onChooseAll={choice.chooseAll}
        onSort={(field) => show({ ...shown, sort: nextSort(shown, field) })}
        onStar={(run) => void star(run)}
        onEdit={setEdited}
      />
      {isBatch ? <BatchDialog ids={selection.ids} isTrash={shown.isTrash} onClose={finishBatch} /> : null}
      {edited === null ? null : (
        <EditDialog
          key={edited.id}
          run={edited}
          onClose={(hasChanged) => {
            setEdited(null);
            if (hasChanged) list.again();
          }}
        />
      )}
    </main>
  );
}

/** As many as the server compares at a time. */
const MOST_COMPARED = 50;

function canCompare(ids: readonly string[]): boolean {
  return ids.length > 1 && ids.length <= MOST_COMPARED;
}

interface ChosenProps {
  readonly selection: Selection;
  /** null: nothing may be changed. */
  readonly onEdit: (() => void) | null;
  onCompare(): void;
}

function Chosen({ selection, onCompare, onEdit }: ChosenProps) {
  const { ids, clear } = selection;
  if (ids.length === 0) return null;
  return (
    <span class="chosen-runs" role="status">
      {ids.length} chosen{ids.length > MOST_COMPARED ? ` (at most ${MOST_COMPARED} are compared)` : ""}{" "}
      <button type="button" disabled={!canCompare(ids)} onClick={onCompare}>
        Compare
      </button>{" "}
      {onEdit === null ? null : (
        <button type="button" onClick={onEdit}>
          Change…
        </button>
      )}{" "}
      <button type="button" class="quiet" onClick={clear}>
        Clear
      </button>
    </span>
  );
}

/** The largest of a number first, then the smallest, then the usual order. */
function nextSort(shown: Shown, field: string): string[] {
  const order = orderOf(shown);
  const text = new Set(["name", "project", "state", "tags"]);
  const [first, second] = text.has(field) ? [field, `${field}:desc`] : [`${field}:desc`, field];
  if (order?.field !== field) return [first];
  return order.descending === first.endsWith(":desc") ? [second] : [];
}

function countText(total: number | null): string {
  if (total === null) return "";
  return total === 1 ? "1 run" : `${total.toLocaleString("en")} runs`;
}

function emptyText({ where, isTrash }: Shown): string {
  if (where !== "") return "No run matches.";
  return isTrash ? "The trash is empty." : "No runs yet. Make one with: cool run";
}
