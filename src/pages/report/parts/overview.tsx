/** @file What a report's run is: its state, its times, where it came from. */
import type { RunOverview } from "../../../reporting/document.js";
import { StateBadge } from "../../components/state-badge.js";
import { counted, duration, moment } from "../../text/figures.js";

export function Overview({ run }: { readonly run: RunOverview }) {
  return (
    <div class="card">
      <p class="overview-head">
        <strong>{run.name}</strong> <StateBadge state={run.state} />
        {run.starred ? <span class="badge warn">★ starred</span> : null}
        {run.tags.map((tag) => (
          <span key={tag} class="badge">
            {tag}
          </span>
        ))}
      </p>
      {run.error === null ? null : <p class="notice error">{run.error}</p>}
      {run.note === null || run.note === "" ? null : <p>{run.note}</p>}
      <dl class="facts">
        {factsOf(run).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function factsOf(run: RunOverview): readonly (readonly [string, string])[] {
  const known = (name: string, value: string | number | null): [string, string][] =>
    value === null ? [] : [[name, String(value)]];
  return [
    ["id", run.id],
    ["project", run.project],
    ...known("group", run.group),
    ["started", moment(run.started_at)],
    ...(run.ended_at === null ? [] : [["ended", moment(run.ended_at)] as const]),
    ...(run.duration_s === null ? [] : [["took", duration(run.duration_s)] as const]),
    ["epochs", epochsOf(run)],
    ...known("best epoch", run.best_epoch),
    ...known("seed", run.seed),
    ...known("backend", run.backend),
    ["host", run.host],
    ...known("git", gitOf(run)),
    ...known("command", run.command_line),
    ...(run.tracked ? [["made by", "another program (tracked)"] as const] : []),
  ];
}

function epochsOf({ epochs, epochs_done }: RunOverview): string {
  return epochs === null || epochs === epochs_done ? counted(epochs_done, "epoch") : `${epochs_done} of ${epochs}`;
}

function gitOf({ git_commit, git_branch, git_dirty }: RunOverview): string | null {
  if (git_commit === null) return null;
  const branch = git_branch === null ? "" : ` on ${git_branch}`;
  return `${git_commit.slice(0, 12)}${branch}${git_dirty === true ? ", with changes" : ""}`;
}
