/** @file Tags, the note, and the trash of a run. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ListedRun } from "../../../records/list-runs.js";
import { edit, wordsOf } from "./api.js";
import { lineOf } from "./text.js";

export type Editable = Pick<ListedRun, "id" | "name" | "tags" | "note" | "deleted_at">;

interface EditDialogProps {
  readonly run: Editable;
  onClose(hasChanged: boolean): void;
}

export function EditDialog({ run, onClose }: EditDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [tags, setTags] = useState(run.tags.join(", "));
  const [note, setNote] = useState(run.note ?? "");
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  const send = async (change: Parameters<typeof edit>[1]): Promise<void> => {
    try {
      await edit(run.id, change);
      onClose(true);
    } catch (error) {
      setProblem(wordsOf(error));
    }
  };
  return (
    <dialog ref={dialog} class="card" aria-labelledby="edit-title" onClose={() => onClose(false)}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          // what was left as it was may have become another in another tab meanwhile
          void send({ ...tagChange(run.tags, tags), ...(note === (run.note ?? "") ? {} : { note }) });
        }}
      >
        <h2 id="edit-title">{lineOf(run.name, 100)}</h2>
        <label>
          Tags, separated by commas
          <input name="tags" value={tags} onInput={({ currentTarget }) => setTags(currentTarget.value)} />
        </label>
        <label>
          Note
          <textarea name="note" rows={4} value={note} onInput={({ currentTarget }) => setNote(currentTarget.value)} />
        </label>
        {problem === null ? null : (
          <p class="notice error" role="alert">
            {problem}
          </p>
        )}
        <p class="toolbar">
          <button type="submit">Save</button>
          <button type="button" onClick={() => onClose(false)}>
            Cancel
          </button>
          <button type="button" class="end" onClick={() => void send({ trash: run.deleted_at === null })}>
            {run.deleted_at === null ? "Move to the trash" : "Bring back"}
          </button>
        </p>
      </form>
    </dialog>
  );
}

function tagChange(before: readonly string[], text: string): { add_tags: string[]; remove_tags: string[] } {
  const after = tagsOf(text);
  // a tag with a comma in it stays: it cannot be written here
  const kept = before.filter((tag) => tag.includes(","));
  return {
    add_tags: after.filter((tag) => !before.includes(tag) && !kept.some((one) => one.includes(tag))),
    remove_tags: before.filter((tag) => !after.includes(tag) && !kept.includes(tag)),
  };
}

/** @param text tags, separated by commas */
export function tagsOf(text: string): string[] {
  return text
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}
