import { ArchiveRefused, shown } from './archive';
import { parseConstraint } from './constraints';
import { isPlatformName, type PackageName, parsePackageName } from './names';

type Links = Record<string, string>;

/**
 * What Composer is told about one version, made from the archive's composer.json: the fields that mean something in a
 * package, checked as the client checks them. `dist`, `time` and `notification-url` join it when it is served; `source`
 * never does, since older clients would clone it where the archive is refused.
 */
export type ReleaseMetadata = {
  name: PackageName;
  version: string;
  version_normalized: string;
  type: string;
  description?: string;
  license?: string[];
  authors?: Record<string, string>[];
  keywords?: string[];
  homepage?: string;
  require?: Links;
  'require-dev'?: Links;
  conflict?: Links;
  replace?: Links;
  provide?: Links;
  suggest?: Record<string, string>;
  autoload?: Autoload;
  bin?: string[];
  extra?: Record<string, unknown>;
  support?: Record<string, string>;
  funding?: Record<string, string>[];
};

export type Autoload = {
  'psr-4'?: Record<string, string | string[]>;
  'psr-0'?: Record<string, string | string[]>;
  classmap?: string[];
  files?: string[];
  'exclude-from-classmap'?: string[];
};

/** Whether a path, relative to the package, stands in the archive; `''` is the package's own folder. */
export type Contents = { hasFile(path: string): boolean; hasFolder(path: string): boolean };

const jsonDepthMax = 32;

type JsonObject = Record<string, unknown>;

/** The object that a composer.json holds. */
export function parseComposerJson(bytes: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message.replace(/\p{Cc}/gu, ' ') : 'it is not UTF-8';
    throw new ArchiveRefused('composer-json-unreadable', `composer.json cannot be read: ${why}.`);
  }
  if (!isObject(value)) throw new ArchiveRefused('composer-json-unreadable', 'composer.json does not hold an object.');
  checkStorable(value);
  return value;
}

/**
 * The metadata to serve. What Composer refuses in a package is refused with the field's name; what it drops with a
 * warning (a homepage that is no web address, an author's misspelt mail) is dropped here.
 */
export function releaseMetadata(
  json: JsonObject,
  identity: { name: PackageName; version: string; versionNormalized: string },
  contents: Contents,
): ReleaseMetadata {
  for (const field of ['target-dir', 'include-path']) {
    if (isPresent(json[field])) {
      throw refusedField(
        field,
        'belongs to Composer 1 and does nothing for a package any more; use autoload with psr-4',
      );
    }
  }
  const links = (field: string) => readLinks(field, json[field], identity.name);
  const conflict = links('conflict');
  const replace = links('replace');
  const both = Object.keys(conflict ?? {}).find((name) => replace !== undefined && name in replace);
  if (both !== undefined) throw refusedLink('conflict', both, 'is also replaced, which already is a conflict');

  return withoutAbsent({
    name: identity.name,
    version: identity.version,
    version_normalized: identity.versionNormalized,
    type: readType(json.type),
    description: readText('description', json.description),
    license: readTexts('license', typeof json.license === 'string' ? [json.license] : json.license),
    authors: readAuthors(json.authors),
    keywords: readTexts('keywords', json.keywords)?.filter((word) => /^[\p{N}\p{L} ._-]+$/u.test(word)),
    homepage: webAddress(readText('homepage', json.homepage)),
    require: links('require'),
    'require-dev': links('require-dev'),
    conflict,
    replace,
    provide: links('provide'),
    suggest: readSuggestions(json.suggest),
    autoload: readAutoload(json.autoload, contents),
    bin: readBin(json.bin),
    extra: readExtra(json.extra),
    support: readSupport(json.support),
    funding: readFunding(json.funding),
  });
}

function readType(value: unknown): string {
  const type = readText('type', value) ?? 'library';
  if (!/^[a-z0-9-]+$/i.test(type)) {
    throw new ArchiveRefused('type-invalid', `The type ${shown(type)} may hold letters, digits and dashes only.`);
  }
  return type.toLowerCase();
}

function readLinks(field: string, value: unknown, self: PackageName): Links | undefined {
  const links = readObject(field, value);
  for (const [name, constraint] of Object.entries(links ?? {})) {
    if (name.toLowerCase() === self) throw refusedLink(field, name, 'is this package itself');
    if (parsePackageName(name) === null && !isPlatformName(name)) {
      throw refusedLink(field, name, 'is no package name; write vendor/name in lower case');
    }
    if (typeof constraint !== 'string' || constraint.trim() === '') {
      throw refusedLink(field, name, 'needs a version constraint as text');
    }
    if (constraint !== 'self.version' && parseConstraint(constraint) === null) {
      throw refusedLink(field, name, `has the constraint ${shown(constraint)}, which Composer cannot read`);
    }
  }
  return links as Links | undefined;
}

function readSuggestions(value: unknown): Record<string, string> | undefined {
  const suggestions = readObject('suggest', value);
  for (const [name, reason] of Object.entries(suggestions ?? {})) {
    if (typeof reason !== 'string') throw refusedField(`suggest.${name}`, 'must be text');
  }
  return suggestions as Record<string, string> | undefined;
}

function readAuthors(value: unknown): Record<string, string>[] | undefined {
  return readObjects('authors', value, ['name', 'email', 'homepage', 'role'], (author) => ({
    ...author,
    email: author.email !== undefined && isMailAddress(author.email) ? author.email : undefined,
    homepage: webAddress(author.homepage),
  }));
}

function readFunding(value: unknown): Record<string, string>[] | undefined {
  return readObjects('funding', value, ['type', 'url'], (way) => ({ ...way, url: webAddress(way.url) }));
}

function readSupport(value: unknown): Record<string, string> | undefined {
  const places = ['email', 'issues', 'forum', 'wiki', 'irc', 'chat', 'source', 'docs', 'rss', 'security'];
  const [support] =
    readObjects('support', isPresent(value) ? [value] : undefined, places, (given) =>
      Object.fromEntries(
        Object.entries(given).filter(([place, text]) => {
          if (place === 'email') return isMailAddress(text);
          if (place === 'irc') return /^ircs?:\/\/[^/\s]/.test(text);
          return webAddress(text) !== undefined;
        }),
      ),
    ) ?? [];
  return support;
}

function readExtra(value: unknown): Record<string, unknown> | undefined {
  const extra = readObject('extra', value);
  const aliases = extra?.['branch-alias'];
  // The client takes the end of each alias without looking whether it is text, and dies of anything else.
  if (
    isPresent(aliases) &&
    !(isObject(aliases) && Object.values(aliases).every((alias) => typeof alias === 'string'))
  ) {
    throw refusedField('extra.branch-alias', 'must be an object of text');
  }
  return extra;
}

function readBin(value: unknown): string[] | undefined {
  const bin = readTexts('bin', typeof value === 'string' ? [value] : value);
  return bin?.map((path) => {
    const inside = insidePath(path);
    if (inside === null || inside === '') {
      throw new ArchiveRefused('bin-invalid', `The bin ${shown(path)} is no path inside the package.`);
    }
    return inside;
  });
}

const autoloadKinds = ['psr-4', 'psr-0', 'classmap', 'files', 'exclude-from-classmap'] as const;

function readAutoload(value: unknown, contents: Contents): Autoload | undefined {
  const autoload = readObject('autoload', value);
  if (autoload === undefined) return undefined;
  for (const kind of Object.keys(autoload)) {
    if (!(autoloadKinds as readonly string[]).includes(kind)) {
      throw refusedAutoload(`autoload.${kind} is unknown to Composer; it knows ${autoloadKinds.join(', ')}`);
    }
  }
  const roots = (kind: 'psr-4' | 'psr-0') => readNamespaces(kind, autoload[kind], contents);
  return withoutAbsent({
    'psr-4': roots('psr-4'),
    'psr-0': roots('psr-0'),
    classmap: readPaths('classmap', autoload.classmap, (path) => isAutoloadable(path, contents)),
    files: readPaths('files', autoload.files, (path) => contents.hasFile(path)),
    'exclude-from-classmap': readTexts('autoload.exclude-from-classmap', autoload['exclude-from-classmap']),
  });
}

function readNamespaces(
  kind: 'psr-4' | 'psr-0',
  value: unknown,
  contents: Contents,
): Record<string, string | string[]> | undefined {
  const namespaces = readObject(`autoload.${kind}`, value);
  for (const [namespace, paths] of Object.entries(namespaces ?? {})) {
    if (kind === 'psr-4' && namespace !== '' && !namespace.endsWith('\\')) {
      throw refusedAutoload(`the namespace ${shown(namespace)} in autoload.psr-4 must end with a backslash`);
    }
    readPaths(`${kind}.${namespace}`, typeof paths === 'string' ? [paths] : paths, (path) =>
      isAutoloadable(path, contents),
    );
  }
  return namespaces as Record<string, string | string[]> | undefined;
}

function readPaths(kind: string, value: unknown, isThere: (path: string) => boolean): string[] | undefined {
  const paths = readTexts(`autoload.${kind}`, value);
  for (const path of paths ?? []) {
    const inside = insidePath(path);
    if (inside === null) throw refusedAutoload(`autoload.${kind} points out of the package: ${shown(path)}`);
    if (!isThere(inside)) throw refusedAutoload(`autoload.${kind} names ${shown(path)}, which is not in the archive`);
  }
  return paths;
}

/** A wildcard may stand for anything, so only the folder before it has to be there. */
function isAutoloadable(path: string, contents: Contents): boolean {
  const parts = path.split('/');
  const wild = parts.findIndex((part) => part.includes('*'));
  const fixed = wild === -1 ? path : parts.slice(0, wild).join('/');
  return contents.hasFolder(fixed) || (wild === -1 && contents.hasFile(fixed));
}

/**
 * The path as it stands in the archive, without `./` and slashes around it (Composer puts the package's folder before
 * it, so `/src` is `src`); null when it leaves the package.
 */
function insidePath(path: string): string | null {
  if (path.includes('\\') || /^[a-z]:/i.test(path)) return null;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? null : parts.join('/');
}

function readText(field: string, value: unknown): string | undefined {
  if (!isPresent(value)) return undefined;
  if (typeof value !== 'string') throw refusedField(field, 'must be text');
  return value.trim() === '' ? undefined : value;
}

function readTexts(field: string, value: unknown): string[] | undefined {
  if (!isPresent(value)) return undefined;
  // PHP's tools turn a list from which something was removed into an object with numbered keys.
  const list = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : null;
  if (list === null) throw refusedField(field, 'must be a list of texts');
  return list.map((item: unknown) => {
    if (typeof item !== 'string' && typeof item !== 'number') throw refusedField(field, 'must be a list of texts');
    return String(item);
  });
}

/** An object; PHP's tools write an empty one as `[]`. */
function readObject(field: string, value: unknown): JsonObject | undefined {
  if (!isPresent(value)) return undefined;
  if (!isObject(value)) throw refusedField(field, 'must be an object');
  return value;
}

function readObjects(
  field: string,
  value: unknown,
  keys: readonly string[],
  shape: (given: Record<string, string>) => Record<string, string | undefined>,
): Record<string, string>[] | undefined {
  if (!isPresent(value)) return undefined;
  if (!Array.isArray(value)) throw refusedField(field, 'must be a list of objects');
  const shaped = value.map((item: unknown) => {
    if (!isObject(item)) throw refusedField(field, 'must hold objects');
    const given = keys
      .filter((key) => isPresent(item[key]))
      .map((key) => [key, readText(`${field}.${key}`, item[key])]);
    return withoutAbsent(shape(withoutAbsent(Object.fromEntries(given) as Record<string, string>)));
  });
  return shaped.filter((item): item is Record<string, string> => Object.keys(item).length > 0);
}

/** The address if a browser may follow it. Anything else (`javascript:` among it) would end up as a link on our pages. */
function webAddress(text: string | undefined): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const { protocol, hostname } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && hostname !== '' ? text : undefined;
}

function isMailAddress(text: string): boolean {
  return text.length <= 254 && /^[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+$/.test(text);
}

/**
 * Refuses what could be read here but not stored or served: text with a NUL or half a character (PostgreSQL's jsonb
 * takes neither), and nesting on which a recursive reader runs out of stack.
 */
function checkStorable(value: JsonObject): void {
  const unread: { value: unknown; depth: number; field: string }[] = [{ value, depth: 0, field: 'composer.json' }];
  for (let next = unread.pop(); next !== undefined; next = unread.pop()) {
    const { value, depth, field } = next;
    if (depth > jsonDepthMax) throw refusedField(field, `is nested more than ${jsonDepthMax} deep`);
    if (typeof value === 'string' && isUnstorable(value))
      throw refusedField(field, 'holds characters that no text may hold');
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, child] of Object.entries(value)) {
      if (isUnstorable(key)) throw refusedField(field, 'holds characters that no text may hold');
      unread.push({ value: child, depth: depth + 1, field: depth === 0 ? key : field });
    }
  }
}

function isUnstorable(text: string): boolean {
  return /[\0\p{Cs}]/u.test(text);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a field says anything: null, `[]` and `{}` are what PHP's tools leave where there is nothing. */
function isPresent(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function withoutAbsent<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => isPresent(value))) as T;
}

function refusedField(field: string, why: string): ArchiveRefused {
  return new ArchiveRefused('composer-json-field', `In composer.json, ${shown(field)} ${why}.`);
}

function refusedLink(field: string, name: string, why: string): ArchiveRefused {
  return new ArchiveRefused('link-invalid', `In composer.json, ${shown(name)} under ${field} ${why}.`);
}

function refusedAutoload(why: string): ArchiveRefused {
  return new ArchiveRefused('autoload-invalid', `In composer.json, ${why}.`);
}
