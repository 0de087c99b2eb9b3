declare const packageName: unique symbol;

/** A Composer package name, `vendor/name`, known to be valid. Only `parsePackageName` makes one. */
export type PackageName = string & { readonly [packageName]: true };

export const nameCharactersMax = 200;

// Each repetition begins with a separator that the run before it cannot contain, so there is one way to read any
// text and the time is linear: this runs on every request, on whatever a stranger wrote into the path.
const vendorAndName = /^[a-z0-9]+(?:[_.-][a-z0-9]+)*\/[a-z0-9]+(?:(?:[_.]|--?)[a-z0-9]+)*$/;

const platform =
  /^(?:php(?:-64bit|-ipv6|-zts|-debug)?|hhvm|(?:ext|lib)-[a-z0-9]+(?:[_.-][a-z0-9]+)*|composer(?:-(?:plugin|runtime)-api)?)$/i;

// Windows opens a device under these names, whatever the folder.
const windowsDevice = /^(?:nul|con|prn|aux|com[1-9]|lpt[1-9])$/;

/**
 * The name, if Composer accepts it: lower-case words joined by single `.`, `_` or `-` (in the second half also `--`),
 * no device name of Windows, not ending in `.json`, at most 200 characters. Platform names (`php`, `ext-json`) are no
 * packages: null.
 *
 * @see https://getcomposer.org/doc/04-schema.md#name
 */
export function parsePackageName(text: string): PackageName | null {
  if (text.length > nameCharactersMax || !vendorAndName.test(text) || text.endsWith('.json')) return null;
  const slash = text.indexOf('/');
  if (windowsDevice.test(text.slice(0, slash)) || windowsDevice.test(text.slice(slash + 1))) return null;
  return text as PackageName;
}

/** Whether the name stands for something of the machine (`php`, `ext-*`, `lib-*`, Composer's own APIs), in any case. */
export function isPlatformName(text: string): boolean {
  return text.length <= nameCharactersMax && platform.test(text);
}

/** The half before the slash: whose packages these are. */
export function vendorOf(name: PackageName): string {
  return name.slice(0, name.indexOf('/'));
}
