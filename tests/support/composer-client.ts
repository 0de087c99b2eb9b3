import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { aChild, bareEnvironment } from './child';

/** The real `composer` with a home, caches and a project of its own. */
export interface ComposerClient {
  project: string;
  home: string;
  /** stdout and stderr together; runs without a terminal, as in CI. */
  run(...args: string[]): Promise<{ exit: number | null; output: string }>;
  /** Puts this into auth.json of Composer's home; text goes in as it is. */
  authJson(contents: string | object): Promise<void>;
  /** From here on Composer is told this in its environment. */
  env: Record<string, string>;
  /** Forgets every downloaded zip. */
  dropArchives(): Promise<void>;
  /** Forgets every document. */
  dropMetadata(): Promise<void>;
  /** What stands in `vendor` by Composer's own list: version by name. */
  installed(): Promise<Record<string, string>>;
  lock(): Promise<string>;
  /** The contents of a file of the project; null where there is none. */
  file(path: string): Promise<string | null>;
  change(composerJson: Record<string, unknown>): Promise<void>;
}

interface Setting {
  /** Of the vendor's server, without `/composer`. */
  url: string;
  /** Sent by Basic. */
  auth?: { username: string; secret: string };
  /** Over the fields of composer.json. */
  composerJson?: Record<string, unknown>;
}

/** Where a project's repositories come from: ours and nothing else, so that no test leaves this machine. */
export function repositories(url: string, ...more: object[]): object[] {
  return [{ type: 'composer', url: `${url}/composer` }, ...more, { 'packagist.org': false }];
}

/** A developer's machine that never met this server; it is removed when the test ends. */
export async function aComposer({ url, auth, composerJson = {} }: Setting): Promise<ComposerClient> {
  const machine = await mkdtemp(join(tmpdir(), 'latchkey-composer-'));
  onTestFinished(() => rm(machine, { recursive: true, force: true }));
  const client = await composerIn(machine, { url, composerJson });
  if (auth) await client.authJson(basicAuth(url, auth));
  return client;
}

/** As `aComposer`, on a folder that somebody else removes. */
export async function composerIn(
  machine: string,
  { url, composerJson = {} }: Pick<Setting, 'url' | 'composerJson'>,
): Promise<ComposerClient> {
  const [home, cache, project] = ['home', 'cache', 'project'].map((name) => join(machine, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [home, cache, project]) await mkdir(folder, { recursive: true });
  const manifest = {
    name: 'shop/site',
    description: 'A shop',
    license: 'proprietary',
    repositories: repositories(url),
    config: { 'secure-http': false },
    ...composerJson,
  };
  const client: ComposerClient = {
    home,
    project,
    env: {},
    async run(...args) {
      const { exit, stdout, stderr } = await aChild(
        'composer',
        [...args, '--no-interaction', '--no-ansi', ...(SHOWS_PROGRESS.has(args[0] ?? '') ? ['--no-progress'] : [])],
        {
          cwd: project,
          env: {
            ...bareEnvironment(),
            HOME: machine,
            COMPOSER_HOME: home,
            COMPOSER_CACHE_DIR: cache,
            COMPOSER_ALLOW_SUPERUSER: '1',
            // Errors are wrapped at the width of the terminal, in the middle of words.
            COLUMNS: '500',
            ...client.env,
          },
        },
      ).ended;
      return { exit, output: stdout + stderr };
    },
    authJson: (contents) =>
      writeFile(join(home, 'auth.json'), typeof contents === 'string' ? contents : JSON.stringify(contents), {
        mode: 0o600,
      }),
    dropArchives: () => rm(join(cache, 'files'), { recursive: true, force: true }),
    dropMetadata: () => rm(join(cache, 'repo'), { recursive: true, force: true }),
    async installed() {
      const list = await client.file('vendor/composer/installed.json');
      const { packages } = JSON.parse(list ?? '{"packages":[]}') as { packages: { name: string; version: string }[] };
      return Object.fromEntries(packages.map(({ name, version }) => [name, version]));
    },
    lock: () => readFile(join(project, 'composer.lock'), 'utf8'),
    async file(path) {
      try {
        return await readFile(join(project, path), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
    async change(fields) {
      const path = join(project, 'composer.json');
      const current = JSON.parse(await readFile(path, 'utf8')) as object;
      await writeFile(path, JSON.stringify({ ...current, ...fields }, null, 2));
    },
  };
  await writeFile(join(project, 'composer.json'), JSON.stringify(manifest, null, 2));
  return client;
}

const SHOWS_PROGRESS = new Set(['require', 'update', 'install']);

/** What our mails put into auth.json. */
export function basicAuth(url: string, { username, secret }: { username: string; secret: string }) {
  return { 'http-basic': { [new URL(url).host]: { username, password: secret } } };
}

/** The auth.json that stands in a mail's text part. */
export function authJsonIn(text: string): { 'http-basic': Record<string, { username: string; password: string }> } {
  const [json] = /^ {4}\{\n[\s\S]*?^ {4}\}$/m.exec(text) ?? [];
  if (!json) throw new Error(`There is no auth.json in this mail:\n${text}`);
  return JSON.parse(json);
}
