/** @file `cool runs list`: the runs of a store, by condition, order and columns of choice. */
import * as Flags from "@oclif/core/flags";
import { CoolCommand } from "../../../cli/command.js";
import { drawTable, formatMetric } from "../../../cli/tables/tables.js";
import { cellText } from "../../../cli/text.js";
import { epochsText } from "../../../records/epochs-text.js";
import { formatSeconds } from "../../../logging/console.js";
import { type ListedRun, listRuns } from "../../../records/list-runs.js";
import { askedFields, type RunsQuery } from "../../../storage/query/query-runs.js";

const STATES = ["running", "finished", "failed", "interrupted", "pruned", "crashed"] as const;

export default class RunsList extends CoolCommand {
  static override summary = "List the runs of a store, newest first";
  static override description =
    `--where takes a condition on fields: columns (name, state, tag, seed, epochs, started, duration, starred, git_branch, …), settings (train.batchSize), the environment (env.cpu.model) and metrics (split/task/metric, of the evaluation with true gates, or of the curve's last point where there is none; @predicted for predicted gates, @end_to_end for what a user gets).

Operators: = != < <= > >=, in (…), not in (…), ~ "glob*", like "sql%", is null, and, or, not, parentheses. A name with other characters than letters, digits, _ . / and - stands in backquotes. A run without a value matches no comparison with it; ask for that with "is null".`;
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    "<%= config.bin %> <%= command.id %> --where 'valid/person_present/f1_score > 0.9 and train.batchSize in (16, 32)'",
    "<%= config.bin %> <%= command.id %> --since '2 days' --state finished --sort test/_total/loss --limit 5",
    "<%= config.bin %> <%= command.id %> --tag good --columns name,train.optimizer.learningRate,test/door_open/f1_score",
  ];
  static override flags = {
    where: Flags.string({ summary: "a condition", helpValue: "CONDITION" }),
    since: Flags.string({ summary: "started since then: an age (2 days, 90m) or a date", helpValue: "TIME" }),
    tag: Flags.string({ summary: "with this tag; several: with all of them", multiple: true, multipleNonGreedy: true }),
    state: Flags.option({
      summary: "in this state; several: in any of them",
      options: STATES,
      multiple: true,
      multipleNonGreedy: true,
    })(),
    starred: Flags.boolean({ summary: "only those that are marked with a star" }),
    sort: Flags.string({
      summary: "order by a field; :desc for the largest first",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "FIELD[:desc]",
    }),
    columns: Flags.string({ summary: "fields to show, separated by commas", helpValue: "a,b,c" }),
    limit: Flags.integer({ summary: "at most so many", description: "Default: 100, with --json all", min: 1 }),
    trash: Flags.boolean({ summary: "also those in the trash" }),
  };

  async run(): Promise<{ runs: ListedRun[] }> {
    const { flags } = await this.parse(RunsList);
    const columns = (flags.columns ?? "").split(",").map((name) => name.trim());
    const shown = columns.filter((name) => name !== "");
    const where = [flags.where, flags.starred ? "starred" : undefined].filter((part) => part !== undefined);
    const query: RunsQuery = {
      where: where.length === 2 ? `(${where[0]}) and starred` : where[0],
      since: flags.since,
      tags: flags.tag,
      states: flags.state,
      sort: flags.sort,
      // one more tells that there are more
      limit: flags.limit ?? (this.jsonEnabled() ? undefined : MOST_ROWS + 1),
      trash: flags.trash ? "all" : "live",
    };
    const isUsual = shown.length === 0 && !this.jsonEnabled();
    const asked = isUsual ? askedFields(query).filter((name) => !USUAL.has(name)) : [];
    const fields = isUsual ? ["monitor", "monitored", ...asked] : shown;
    const found = await this.withStore(flags, (store) => listRuns(store, { ...query, columns: fields }));
    if (this.jsonEnabled()) return { runs: found };
    const runs = found.slice(0, flags.limit ?? MOST_ROWS);
    const isFiltered = where.length > 0 || [flags.since, flags.tag, flags.state].some((flag) => flag !== undefined);
    if (runs.length === 0) this.log(isFiltered ? "No run matches." : "No runs yet. Make one with: cool run");
    else this.log(shown.length === 0 ? usualTable(runs, asked, new Date()) : chosenTable(runs, shown));
    if (runs.length < found.length) this.log(`… and more runs (--limit, --where)`);
    return { runs };
  }
}

/** Rows of a table that nobody has asked to be longer. */
const MOST_ROWS = 100;

/** Fields that the usual table shows anyway. */
const USUAL = new Set([
  "id",
  "name",
  "state",
  "epochs",
  "epochs_done",
  "started",
  "started_at",
  "starred",
  "tag",
  "tags",
  "monitored",
]);

/** What names a run, the value that it was chosen by, whatever it was asked or ordered by, then how it went. */
function usualTable(runs: readonly ListedRun[], fields: readonly string[], now: Date): string {
  const monitors = new Set(runs.map(({ values }) => String(values?.monitor ?? "")));
  const [monitor = ""] = monitors;
  const asked = fields.filter((name) => monitors.size > 1 || name !== `valid/${monitor}`);
  const hasTags = runs.some(({ tags }) => tags.length > 0);
  const value = (run: ListedRun): string => {
    const own = fieldText(run.values?.monitored, "monitored/");
    return monitors.size === 1 || own === cellText(null) ? own : `${own} ${cellText(run.values?.monitor)}`;
  };
  const rows = runs.map((run) => [
    run.id,
    `${run.starred ? "★ " : ""}${cellText(run.name)}`,
    value(run),
    ...asked.map((name) => fieldText(run.values?.[name], name)),
    run.deleted_at === null ? run.state : `${run.state}, removed`,
    epochsText(run.epochs_done, run.epochs),
    briefTime(run.started_at, now),
    ...(hasTags ? [run.tags.map(cellText).join(", ")] : []),
  ]);
  const head = [
    ...["id", "name", monitors.size === 1 ? monitor.replace("/", "\n") : "monitored"],
    ...asked.map((name) => name.replaceAll("/", "\n")),
    ...["state", "epochs", "started\n(UTC)", ...(hasTags ? ["tags"] : [])],
  ];
  const numeric = asked.flatMap((name, i) => (isNumeric(runs, name) ? [i + 3] : []));
  return drawTable(head, rows, [2, ...numeric, asked.length + 4], { labels: 2 });
}

/** Month, day and time of this year, else the day, as `ls -l` does. */
function briefTime(time: string, now: Date): string {
  const isThisYear = time.slice(0, 4) === now.toISOString().slice(0, 4);
  return isThisYear ? time.slice(5, 16).replace("T", " ") : time.slice(0, 10);
}

/** As the store writes it. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function chosenTable(runs: readonly ListedRun[], columns: readonly string[]): string {
  const rows = runs.map((run) => columns.map((name) => fieldText(run.values?.[name], name)));
  return drawTable(
    columns,
    rows,
    columns.flatMap((name, i) => (isNumeric(runs, name) ? [i] : [])),
  );
}

function isNumeric(runs: readonly ListedRun[], name: string): boolean {
  return runs.some((run) => typeof run.values?.[name] === "number");
}

function fieldText(value: unknown, name: string): string {
  if (typeof value === "number" && name.includes("/")) return formatMetric(value);
  if (typeof value === "number" && name === "duration") return formatSeconds(value);
  return typeof value === "string" && TIME.test(value) ? value.slice(0, 19).replace("T", " ") : cellText(value);
}
