/** @file TensorBoard shows one kind of thing under a tag: where two kinds have one name, the later has its kind behind it. */

type Kind = "curve" | "image" | "histogram" | "text";

export class TagKinds {
  readonly #kinds = new Map<string, Kind>();

  /** @param folder of the event file; tags of another folder are others */
  tag(folder: string, tag: string, kind: Kind): string {
    const key = `${folder}\n${tag}`;
    const known = this.#kinds.get(key);
    if (known === undefined) this.#kinds.set(key, kind);
    return known === undefined || known === kind ? tag : this.tag(folder, `${tag}/${kind}`, kind);
  }
}
