import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inspectArchive } from '../../lib/catalog/inspect';
import { aZip, type ZipContents } from '../support/zips';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-accepts-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the real client in a folder with a home and caches of its own, away from any network. */
function composer(cwd: string, ...args: string[]): Promise<{ exit: number; output: string }> {
  const env = {
    NODE_ENV: 'test' as const,
    PATH: process.env.PATH,
    HOME: folder,
    COMPOSER_HOME: join(folder, 'home'),
    COMPOSER_CACHE_DIR: join(folder, 'cache'),
    COMPOSER_ALLOW_SUPERUSER: '1',
    COMPOSER_DISABLE_NETWORK: '1',
  };
  return new Promise((resolve) => {
    execFile('composer', [...args, '--no-interaction', '--no-ansi'], { cwd, env }, (error, stdout, stderr) => {
      resolve({ exit: error ? Number(error.code) : 0, output: stdout + stderr });
    });
  });
}

async function aFolder(): Promise<string> {
  return mkdtemp(join(folder, 'project-'));
}

const header =
  '<?php\n/*\nPlugin Name: Acme Bookings\nVersion: 3.1\nLicense: GPLv2 or later\nRequires PHP: 7.4\nAuthor: Acme\n*/\n';
const packages: [what: string, contents: ZipContents, given?: { name: string }][] = [
  ['a plain library', { name: 'acme/forms' }],
  [
    'a Magento module with everything',
    {
      name: 'acme/module-forms',
      version: 'v2.1.0-beta2',
      topFolder: 'module-forms-2.1.0-beta2',
      files: {
        'registration.php': '<?php\n',
        'bin/forms': '#!/usr/bin/env php\n',
        'legacy/x/A.php': '<?php class A {}\n',
      },
      composerJson: {
        type: 'magento2-module',
        license: ['proprietary'],
        keywords: ['forms', 'checkout'],
        homepage: 'https://acme.test',
        authors: [{ name: 'Ada', email: 'ada@acme.test' }],
        require: { php: '>=7.4', 'ext-json': '*' },
        suggest: { 'acme/pay': 'to be paid' },
        conflict: { 'acme/old-forms': '<2.0' },
        autoload: {
          'psr-4': { 'Acme\\Forms\\': 'src' },
          classmap: ['legacy/*/'],
          files: ['registration.php'],
        },
        bin: ['bin/forms'],
        extra: { 'branch-alias': { 'dev-main': '2.x-dev' } },
        support: { docs: 'https://acme.test/docs', email: 'help@acme.test' },
        funding: [{ type: 'custom', url: 'https://acme.test/pay' }],
      },
    },
  ],
  [
    'a bare WordPress plugin',
    { topFolder: 'acme-bookings', composerJson: null, files: { 'acme-bookings.php': header } },
    { name: 'acme/bookings' },
  ],
];

describe.each(packages)('%s', (_what, contents, given) => {
  test('has metadata that composer validate has nothing against', async () => {
    const { metadata } = await inspectArchive(await aZip(contents), given);
    const project = await aFolder();
    await writeFile(join(project, 'composer.json'), JSON.stringify(metadata));
    const { exit, output } = await composer(project, 'validate', '--no-check-publish', '--no-check-version');
    expect({ exit, output }).toEqual({ exit: 0, output: expect.stringMatching(/is valid/) });
  });

  // The refusals exist so that what is accepted arrives whole; the client has the last word on that.
  test('is installed by the real client with every file where its author put it', async () => {
    const file = await aZip(contents);
    const { metadata, sha1 } = await inspectArchive(file, given);
    const project = await aFolder();
    await mkdir(join(project, 'repository'));
    const served = { ...metadata, dist: { type: 'zip', url: file, shasum: sha1, reference: sha1 } };
    const repository = { packages: { [metadata.name]: { [metadata.version]: served } } };
    await writeFile(join(project, 'repository', 'packages.json'), JSON.stringify(repository));
    const root = {
      repositories: [{ type: 'composer', url: `file://${project}/repository` }, { 'packagist.org': false }],
      require: { [metadata.name]: '*' },
      'minimum-stability': 'beta',
    };
    await writeFile(join(project, 'composer.json'), JSON.stringify(root));

    const { exit, output } = await composer(project, 'update', '--no-progress');
    expect({ exit, output }).toEqual({ exit: 0, output: expect.stringContaining(metadata.version) });

    const installed = join(project, 'vendor', metadata.name);
    const expected = ['src/Forms.php', ...Object.keys(contents.files ?? {})];
    expect(await readdir(installed, { recursive: true })).toEqual(expect.arrayContaining(expected));
    const lock = JSON.parse(await readFile(join(project, 'composer.lock'), 'utf8')) as {
      packages: { version: string }[];
    };
    expect(lock.packages.map(({ version }) => version)).toEqual([metadata.version]);
  });
});
