type Document = Readonly<Record<string, unknown>>;

/** The mark that the document has to carry beside its packages; without it the client does not expand them. */
export const minifiedMark = 'composer/2.0';

/**
 * Composer's shorter form of a list of version documents: the first is whole, each next one holds what differs from
 * the one before, and `"__unset"` for what it no longer has. Only whole top-level values are compared, in the order
 * of their keys, as PHP does. A null counts as absent. The order of the list is kept: it is part of the meaning.
 *
 * @see https://github.com/composer/metadata-minifier
 */
export function minify(versions: readonly Document[]): Document[] {
  let before: Map<string, string> | null = null;
  const minified: Document[] = [];
  for (const version of versions) {
    const present = Object.entries(version).filter(([, value]) => value !== null && value !== undefined);
    const now = new Map(present.map(([key, value]) => [key, JSON.stringify(value)]));
    const was = before ?? new Map<string, string>();
    const changed = present.filter(([key]) => was.get(key) !== now.get(key));
    const gone = [...was.keys()].filter((key) => !now.has(key)).map((key): [string, unknown] => [key, '__unset']);
    minified.push(Object.fromEntries([...changed, ...gone]));
    before = now;
  }
  return minified;
}
