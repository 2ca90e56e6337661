/** @file The list itself: a grid of which only the visible rows are drawn. */
import { useEffect, useRef } from "preact/hooks";
import type { ListedRun } from "../../../records/list-runs.js";
import { lineOf } from "../shared/text.js";
import { runAddress } from "../shared/router.js";
import type { ListColumn } from "./columns.js";
import type { RunList } from "./list-state.js";
import type { Selection } from "./selection.js";
import { useMedia, useVisibleRows } from "./virtual-rows.js";

export interface RunRowsProps {
  readonly list: RunList;
  readonly columns: readonly ListColumn[];
  readonly order: { readonly field: string; readonly descending: boolean } | null;
  readonly selection: Selection;
  /** Row that the keyboard is on. */
  readonly active: number;
  readonly canEdit: boolean;
  /** How many of the list are chosen. */
  readonly share: "none" | "some" | "all";
  /** @param isRange whether all from the one that was chosen before are meant */
  onChoose(index: number, isRange: boolean): void;
  /** All of them, or none. */
  onChooseAll(): void;
  onSort(field: string): void;
  onStar(run: ListedRun): void;
  onEdit(run: ListedRun): void;
}

const ROW = 38;
const NARROW_ROW = 60;

export function RunRows(props: RunRowsProps) {
  const { list, columns, active } = props;
  const place = useRef<HTMLTableSectionElement>(null);
  const isNarrow = useMedia("(max-width: 700px)");
  const height = isNarrow ? NARROW_ROW : ROW;
  const count = list.total ?? 0;
  const { from, to } = useVisibleRows(place, count, height);
  useEffect(() => list.look(from, to));
  useEffect(() => keepInView(place.current, active, height), [active, height]);
  const template = `2rem minmax(10rem, 1.4fr) ${columns.map(({ width }) => width).join(" ")}${props.canEdit ? " 4.5rem" : ""}`;
  const rows = Array.from({ length: Math.max(0, Math.min(to, count) - from) }, (_, i) => from + i);
  return (
    <table
      class={`runs${isNarrow ? " narrow" : ""}`}
      aria-label="runs"
      aria-rowcount={count + 1}
      aria-busy={list.total === null}
      style={{ "--columns": template, "--row": `${height}px` }}
    >
      <Heads {...props} />
      <tbody class="rows" ref={place} style={{ height: `${count * height}px` }}>
        {rows.map((index) => (
          <Row key={index} {...props} index={index} top={index * height} run={list.runAt(index)} isNarrow={isNarrow} />
        ))}
      </tbody>
    </table>
  );
}

function Heads({ columns, order, onSort, canEdit, share, onChooseAll }: RunRowsProps) {
  return (
    <thead>
      <tr class="row heads" aria-rowindex={1}>
        <th scope="col" class="cell pick">
          <label>
            <input
              type="checkbox"
              checked={share === "all"}
              ref={(box) => {
                if (box !== null) box.indeterminate = share === "some";
              }}
              onClick={onChooseAll}
            />
            <span class="hidden-visually">choose all</span>
          </label>
        </th>
        {[{ field: "name", label: "name", isNumeric: false }, ...columns].map(({ field, label, isNumeric }) => {
          const own = order?.field === field ? order : null;
          return (
            <th
              key={field}
              scope="col"
              class={`cell${isNumeric ? " number" : ""}`}
              aria-sort={own === null ? "none" : own.descending ? "descending" : "ascending"}
            >
              <button type="button" class="sort" title={`sort by ${label}`} onClick={() => onSort(field)}>
                {label}
                <span aria-hidden="true">{own === null ? "" : own.descending ? " ↓" : " ↑"}</span>
              </button>
            </th>
          );
        })}
        {canEdit ? (
          <th scope="col" class="cell">
            <span class="hidden-visually">change</span>
          </th>
        ) : null}
      </tr>
    </thead>
  );
}

interface RowProps extends RunRowsProps {
  readonly index: number;
  readonly top: number;
  readonly run: ListedRun | undefined;
  readonly isNarrow: boolean;
}

function Row({ index, top, run, columns, selection, active, canEdit, onChoose, onStar, onEdit }: RowProps) {
  const isChosen = run !== undefined && selection.ids.includes(run.id);
  const place = { transform: `translateY(${top}px)` };
  if (run === undefined) {
    return (
      <tr class="row waiting" aria-rowindex={index + 2} style={place}>
        <td class="cell" />
        <td class="cell muted">…</td>
      </tr>
    );
  }
  const name = lineOf(run.name, 200);
  return (
    <tr
      class={`row${index === active ? " active" : ""}${isChosen ? " chosen" : ""}`}
      aria-rowindex={index + 2}
      data-run={run.id}
      style={place}
    >
      <td class="cell pick">
        <input
          type="checkbox"
          aria-label={`choose ${name}`}
          checked={isChosen}
          onClick={({ shiftKey }) => onChoose(index, shiftKey)}
        />
      </td>
      <th scope="row" class="cell name">
        {canEdit ? (
          <button
            type="button"
            class="star"
            aria-pressed={run.starred}
            aria-label={`star ${name}`}
            onClick={() => onStar(run)}
          >
            {run.starred ? "★" : "☆"}
          </button>
        ) : run.starred ? (
          <span class="star" role="img" aria-label="starred">
            ★
          </span>
        ) : null}
        <a href={runAddress(run.id)} title={run.note === null ? undefined : lineOf(run.note)}>
          {name}
        </a>
        {run.note === null ? null : <span class="muted note">{lineOf(run.note, 100)}</span>}
      </th>
      {columns.map((column) => (
        <td
          key={column.field}
          class={`cell${column.isNumeric === true ? " number" : ""} of-${column.field.replace(/\W/g, "-")}`}
        >
          {column.show(run)}
        </td>
      ))}
      {canEdit ? (
        <td class="cell">
          <button type="button" class="quiet" aria-label={`change ${name}`} onClick={() => onEdit(run)}>
            Edit
          </button>
        </td>
      ) : null}
    </tr>
  );
}

/** Room for what stays at the top. */
const TOP = 130;

function keepInView(list: HTMLElement | null, active: number, height: number): void {
  if (list === null || active < 0) return;
  const top = list.getBoundingClientRect().top + active * height;
  if (top < TOP) scrollBy(0, top - TOP);
  else if (top + height > innerHeight - 60) scrollBy(0, top + height - innerHeight + 60);
}
