/** @file What a run is: its name and state, how far it has come, where it was made. */
import { epochsText } from "../../../records/epochs-text.js";
import type { ShownRun } from "../../../records/list-runs.js";
import type { RunStateName } from "../../../reporting/document.js";
import { StateBadge } from "../../components/state-badge.js";
import { duration, moment } from "../../text/figures.js";
import { runAddress, searchAddress } from "../shared/router.js";
import { lineOf, linesOf } from "../shared/text.js";

interface RunHeadProps {
  readonly run: ShownRun;
  readonly canEdit: boolean;
  onStar(): void;
  onEdit(): void;
}

export function RunHead({ run, canEdit, onStar, onEdit }: RunHeadProps) {
  const name = lineOf(run.name, 300);
  return (
    <header class="run-head">
      <div class="toolbar">
        <h1>{name}</h1>
        <StateBadge state={run.state as RunStateName} />
        {run.deleted_at === null ? null : <span class="badge warn">in the trash</span>}
        {canEdit ? (
          <button type="button" class="star" aria-pressed={run.starred} aria-label={`star ${name}`} onClick={onStar}>
            {run.starred ? "★" : "☆"}
          </button>
        ) : run.starred ? (
          <span class="badge warn">★ starred</span>
        ) : null}
        {run.tags.map((tag) => (
          <a key={tag} class="badge tag" href={searchAddress(`tag = ${quoted(tag)}`)}>
            {lineOf(tag, 60)}
          </a>
        ))}
        {canEdit ? (
          <button type="button" onClick={onEdit}>
            Edit tags and note
          </button>
        ) : null}
      </div>
      <p>
        <a href={`${runAddress(run.id)}/report`} download={`report-${run.id}.html`}>
          Save the report
        </a>
      </p>
      {run.state === "running" && run.epochs !== null ? (
        <p class="progress">
          <progress max={run.epochs} value={run.epochs_done} aria-label="epochs" /> {run.epochs_done} of {run.epochs}{" "}
          epochs
        </p>
      ) : null}
      {run.error === null ? null : <p class="notice error">{linesOf(run.error)}</p>}
      {run.note === null ? null : <p class="note-text">{linesOf(run.note)}</p>}
      <dl class="facts">
        {factsOf(run).map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{lineOf(value, 2000)}</dd>
          </div>
        ))}
      </dl>
    </header>
  );
}

/** A text in a condition. */
function quoted(text: string): string {
  return text.includes('"') ? `'${text}'` : `"${text}"`;
}

function factsOf(run: ShownRun): readonly (readonly [string, string])[] {
  const known = (key: string, value: string | number | null): [string, string][] =>
    value === null ? [] : [[key, String(value)]];
  const git = run.git_commit === null ? null : gitText(run.git_commit, run);
  return [
    ["id", run.id],
    ["project", run.project],
    ...known("group", run.group),
    ["started", moment(run.started_at)],
    ...(run.ended_at === null ? [] : [["ended", moment(run.ended_at)] as const]),
    ...(run.duration_s === null ? [] : [["took", duration(run.duration_s)] as const]),
    ["epochs", run.epochs === null ? epochsText(run.epochs_done, null) : `${run.epochs_done} of ${run.epochs}`],
    ...known("best epoch", run.best_epoch),
    ...known("seed", run.seed),
    ...known("backend", run.backend),
    ["host", run.host],
    ...known("git", git),
    ...known("command", run.command_line),
    ["folder", run.dir],
  ];
}

function gitText(commit: string, { git_branch, git_dirty }: ShownRun): string {
  const branch = git_branch === null ? "" : ` on ${git_branch}`;
  return `${commit.slice(0, 12)}${branch}${git_dirty === true ? ", with changes" : ""}`;
}
