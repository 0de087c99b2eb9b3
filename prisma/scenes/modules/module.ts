/** A module of the demo vendor, with the history of its releases, oldest first. */
export interface DemoModule {
  name: string;
  /** The folder that everything in the archive stands in; null for none. */
  folder: string | null;
  releases: DemoRelease[];
}

export interface DemoRelease {
  version: string;
  /** How long before the demo is loaded it was published. */
  daysAgo: number;
  notes: string;
  /** Why it was taken back, where it was. */
  withdrawn?: string;
  /** What it changes in the files of the release before it; null removes one. */
  changes: Record<string, string | null>;
}

/** Source text as it stands; `$name` is PHP's, backslashes are themselves. */
export const source = (strings: TemplateStringsArray, ...values: string[]): string =>
  `${String.raw(strings, ...values).trim()}\n`;

export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 4)}\n`;
}

/** Each release with all the files that it holds. */
export function wholeReleases(module: DemoModule): (DemoRelease & { files: Map<string, string> })[] {
  const files = new Map<string, string>();
  return module.releases.map((release) => {
    for (const [path, text] of Object.entries(release.changes)) {
      if (text === null) files.delete(path);
      else files.set(path, text);
    }
    return { ...release, files: new Map(files) };
  });
}
