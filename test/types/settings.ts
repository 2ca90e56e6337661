/** @file The types that are written for editors are those of the schema; checked by the compiler alone. */
import type { z } from "zod";
import type { SettingsInput } from "../../src/project/settings-input.js";
import type { settingsSchema } from "../../src/project/settings-schema.js";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

// an interface and what zod infers are compared key by key, down to the values
type Plain<T> = T extends (...parts: never[]) => unknown ? T : { [Key in keyof T]: Plain<T[Key]> };

export const same: Same<Plain<SettingsInput>, Plain<z.input<typeof settingsSchema>>> = true;
