/** What each room of src/ holds, and what it may import. */
export const rooms: Readonly<
  Record<string, { readonly holds: string; readonly imports: readonly string[]; readonly packages: readonly string[] }>
>;
