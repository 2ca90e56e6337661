/** @file An event file that another process writes, read as it grows. */
import { type Event, wholeEvents } from "./event-reader.js";

/** Keeps a record that is not whole yet until its rest comes. */
export class EventTail {
  readonly #name: string;
  #rest: Uint8Array = new Uint8Array(0);

  /** @param name of the file, for messages */
  constructor(name: string) {
    this.#name = name;
  }

  /** Whether the bytes so far end within a record. */
  get isTorn(): boolean {
    return this.#rest.length > 0;
  }

  /**
   * The events that are whole with these bytes, which follow those of the last call.
   * @throws DataError for a record that contradicts its checksum or is no event; what comes after it cannot be read
   */
  *add(bytes: Uint8Array): Generator<Event> {
    const known = new Uint8Array(this.#rest.length + bytes.length);
    known.set(this.#rest);
    known.set(bytes, this.#rest.length);
    const used = yield* wholeEvents(known, this.#name);
    this.#rest = known.slice(used);
  }
}
