/** What the comment at the head of a WordPress plugin or theme says, as text of the people who wrote it. */
export type PluginHeader = {
  type: 'wordpress-plugin' | 'wordpress-theme';
  version: string | null;
  description: string | null;
  license: string | null;
  author: string | null;
  authorUri: string | null;
  homepage: string | null;
  requiresPhp: string | null;
};

/** WordPress looks no further into a file for its header. */
export const headerBytesMax = 8192;

/**
 * Reads the header as WordPress does: `Name: value` at the start of a line, behind any comment marks. Null when there
 * is no `Plugin Name` (in a .php file) or `Theme Name` (in style.css).
 *
 * @see https://developer.wordpress.org/plugins/plugin-basics/header-requirements/
 */
export function readPluginHeader(fileName: string, text: string): PluginHeader | null {
  const kind = fileName === 'style.css' ? 'Theme' : fileName.toLowerCase().endsWith('.php') ? 'Plugin' : null;
  if (kind === null) return null;
  const fields = headerFields(text);
  if (!fields.has(`${kind} name`.toLowerCase())) return null;
  const field = (name: string) => fields.get(name) ?? null;
  return {
    type: kind === 'Theme' ? 'wordpress-theme' : 'wordpress-plugin',
    version: field('version'),
    description: field('description'),
    license: field('license'),
    author: field('author'),
    authorUri: field('author uri'),
    homepage: field(`${kind} uri`.toLowerCase()),
    requiresPhp: field('requires php'),
  };
}

const headerLine = /^(?:[ \t]*<\?php)?[ \t/*#@]*([a-z][a-z ]{0,30}):(.*)$/i;

function headerFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r\n|\r|\n/)) {
    const [, name, rest] = headerLine.exec(line) ?? [];
    const value = rest
      ?.replace(/(?:\*\/|\?>).*$/, '')
      .replace(/[\p{Cc}\p{Cs}]/gu, ' ')
      .trim();
    if (name && value && !fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), value);
  }
  return fields;
}
