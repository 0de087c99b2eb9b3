import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { diskArchive } from '../../lib/adapters/archive-disk';
import { lookupPackage, lookupReleases } from '../../lib/catalog/lookup';
import { publishArchive } from '../../lib/catalog/publish';
import { restoreRelease, withdrawRelease } from '../../lib/catalog/releases';
import { transact } from '../../lib/db/transact';
import { MINUTE } from '../../lib/kit/clock';
import type { ArchiveStore } from '../../lib/ports/archive';
import { aTestApp, TEST_START, type TestApp } from '../support/test-app';
import { aZip } from '../support/zips';

const by = { kind: 'cli' } as const;

async function aShop(): Promise<TestApp & { archive: ArchiveStore }> {
  const app = await aTestApp();
  return Object.assign(app, { archive: diskArchive(join(app.dataFolder, 'archives')) });
}

/** What stands in the audit log, in the order of the alphabet: the clock stands still here. */
async function actions(app: TestApp): Promise<string[]> {
  const events = await app.db.auditEvent.findMany();
  return events.map((event) => [event.action, event.package, event.version].filter(Boolean).join(' ')).sort();
}

async function archivesOn(app: TestApp): Promise<string[]> {
  const entries = await readdir(join(app.dataFolder, 'archives'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

async function documents(app: TestApp, name: string) {
  const known = await lookupPackage(app.pool, name);
  return known ? lookupReleases(app.pool, known.id) : null;
}

test('a published archive is a release that the data plane serves byte for byte', async () => {
  const app = await aShop();
  const file = await aZip({ name: 'acme/forms', version: 'v1.2', composerJson: { type: 'magento2-module' } });
  const bytes = await readFile(file);

  const answer = await publishArchive(app, { file, by, notes: 'First.' });

  expect(answer).toEqual({
    package: 'acme/forms',
    version: 'v1.2',
    versionNormalized: '1.2.0.0',
    shasum: createHash('sha1').update(bytes).digest('hex'),
    archiveBytes: bytes.length,
    releaseId: expect.stringMatching(/^rel_/),
  });
  const served = await documents(app, 'acme/forms');
  expect(served?.package).toMatchObject({ name: 'acme/forms', revision: 1 });
  expect(served?.releases).toMatchObject([
    {
      version: 'v1.2',
      versionNormalized: '1.2.0.0',
      stability: 'stable',
      archiveSha1: answer.shasum,
      withdrawnAt: null,
    },
  ]);
  expect(served?.releases[0]?.publishedAt).toEqual(TEST_START);
  const stored = await app.archive.read(served!.releases[0]!.archiveSha256);
  expect((await buffer(stored!.stream)).equals(bytes)).toBe(true);
  const row = await app.db.package.findUniqueOrThrow({ where: { name: 'acme/forms' } });
  expect(row).toMatchObject({ type: 'magento2-module', description: 'Forms for shops' });
  expect(await actions(app)).toEqual(['package.created acme/forms', 'release.published acme/forms v1.2']);
});

test('publishing the same bytes again answers as the first time and changes nothing', async () => {
  const app = await aShop();
  const file = await aZip({ version: '1.0.0' });
  const first = await publishArchive(app, { file, by });
  const before = await documents(app, 'acme/forms');
  app.clock.advance(MINUTE);

  expect(await publishArchive(app, { file: await aZip({ version: '1.0.0' }), by })).toEqual(first);

  expect(await documents(app, 'acme/forms')).toEqual(before);
  expect(await actions(app)).toHaveLength(2);
});

// composer.lock holds the hash: another archive under a version would break every install of it.
test('another archive under a published version is refused, also in another spelling, and is not kept', async () => {
  const app = await aShop();
  await publishArchive(app, { file: await aZip({ version: '1.0.0' }), by });
  const changed = await aZip({ version: 'v1.0', files: { 'src/More.php': '<?php\n' } });

  await expect(publishArchive(app, { file: changed, by })).rejects.toMatchObject({
    code: 'version-exists',
    message: 'acme/forms 1.0.0 is published already, with another archive. Publish the change under a new version.',
  });

  expect((await documents(app, 'acme/forms'))?.releases).toHaveLength(1);
  expect(await archivesOn(app)).toHaveLength(1);
  expect(await actions(app)).toHaveLength(2);
});

test('of many publishers of one version at once exactly one wins', async () => {
  const app = await aShop();
  const files = await Promise.all(
    Array.from({ length: 6 }, (_, i) => aZip({ version: '2.0.0', files: { 'src/N.php': `<?php // ${i}\n` } })),
  );

  const answers = await Promise.allSettled(files.map((file) => publishArchive(app, { file, by })));

  const refusals = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason.code] : []));
  expect(refusals).toEqual(Array.from({ length: 5 }, () => 'version-exists'));
  const served = await documents(app, 'acme/forms');
  expect(served?.releases).toHaveLength(1);
  expect(served?.package.revision).toBe(1);
  expect(await actions(app)).toEqual(['package.created acme/forms', 'release.published acme/forms 2.0.0']);
  expect(await app.archive.verify(served!.releases[0]!.archiveSha256)).toBe('intact');
});

// Last-Modified has seconds only: two changes that shared one would leave clients on the first.
test('releases published in one instant each move the package by a second and a revision', async () => {
  const app = await aShop();
  const versions = ['1.0.0', '1.1.0', '1.2.0', '2.0.0-beta1'];
  const files = await Promise.all(versions.map((version) => aZip({ version })));
  await publishArchive(app, { file: files[0]!, by });

  await Promise.all(files.slice(1).map((file) => publishArchive(app, { file, by })));

  const served = await documents(app, 'acme/forms');
  expect(served?.releases.map((release) => release.version).sort()).toEqual(versions);
  expect(served?.package.revision).toBe(4);
  expect(served?.package.changedAt.getTime()).toBe(TEST_START.getTime() + 4_000);
});

test('a publisher that died after storing the archive can simply publish again', async () => {
  const app = await aShop();
  const file = await aZip({ version: '1.0.0' });
  // The database is gone between the copy and the transaction.
  const db = new Proxy(app.db, {
    get: (target, name) =>
      name === '$transaction' ? () => Promise.reject(new Error('gone')) : Reflect.get(target, name),
  });
  await expect(publishArchive({ ...app, db }, { file, by })).rejects.toThrow('gone');
  expect(await archivesOn(app)).toHaveLength(1);
  expect(await documents(app, 'acme/forms')).toBeNull();

  await publishArchive(app, { file, by });

  expect((await documents(app, 'acme/forms'))?.releases).toHaveLength(1);
  expect(await archivesOn(app)).toHaveLength(1);
});

test('an archive that Composer could not install leaves no trace', async () => {
  const app = await aShop();
  const file = await aZip({ composerJson: '{"name": "acme/forms", ' });

  await expect(publishArchive(app, { file, by })).rejects.toMatchObject({ code: 'composer-json-unreadable' });

  expect(await documents(app, 'acme/forms')).toBeNull();
  expect(await readdir(app.dataFolder)).toEqual([]);
  expect(await actions(app)).toEqual([]);
});

test('a bare plugin gets its name from the publisher, and history its date', async () => {
  const app = await aShop();
  const header = '<?php\n/*\nPlugin Name: Acme Bookings\nVersion: 3.1\n*/\n';
  const file = await aZip({ composerJson: null, topFolder: 'acme-bookings', files: { 'acme-bookings.php': header } });
  const publishedAt = new Date('2025-03-01T09:00:00.000Z');

  const answer = await publishArchive(app, { file, name: 'acme/wp-bookings', by, publishedAt });

  expect(answer).toMatchObject({ package: 'acme/wp-bookings', version: '3.1', versionNormalized: '3.1.0.0' });
  const served = await documents(app, 'acme/wp-bookings');
  expect(served?.releases[0]).toMatchObject({ publishedAt, metadata: { type: 'wordpress-plugin' } });
});

test('a package is described by its newest stable release, whatever was published last', async () => {
  const app = await aShop();
  const said = async () => (await app.db.package.findUniqueOrThrow({ where: { name: 'acme/forms' } })).description;
  const publish = async (version: string) =>
    publishArchive(app, { file: await aZip({ version, composerJson: { description: `Forms ${version}` } }), by });

  await publish('dev-main');
  expect(await said()).toBe('Forms dev-main');
  for (const version of ['1.9.0', '1.10.0', '1.8.4', '2.0.0-RC1']) await publish(version);
  expect(await said()).toBe('Forms 1.10.0');
  await withdrawRelease(app, { package: 'acme/forms', version: '1.10', reason: 'It loses orders.', by });
  expect(await said()).toBe('Forms 1.9.0');
});

test('a withdrawn release keeps its archive, cannot be published over, and comes back', async () => {
  const app = await aShop();
  const file = await aZip({ version: '1.0.0' });
  await publishArchive(app, { file, by });
  const subject = { package: 'acme/forms', version: '1.0', by };

  const withdrawn = await withdrawRelease(app, { ...subject, reason: 'It loses orders.' });
  app.clock.advance(MINUTE);
  expect(await withdrawRelease(app, { ...subject, reason: 'Again.' })).toEqual(withdrawn);

  expect((await documents(app, 'acme/forms'))?.releases[0]).toMatchObject({
    withdrawnAt: TEST_START,
    withdrawnReason: 'It loses orders.',
  });
  expect(await app.archive.verify(withdrawn.archiveSha256)).toBe('intact');
  await expect(publishArchive(app, { file, by })).rejects.toMatchObject({
    code: 'version-exists',
    message: 'acme/forms 1.0.0 was withdrawn. Restore it; the archive is still here.',
  });

  await restoreRelease(app, subject);
  await restoreRelease(app, subject);
  const served = await documents(app, 'acme/forms');
  expect(served?.releases[0]).toMatchObject({ withdrawnAt: null, withdrawnReason: null });
  expect(served?.package.revision).toBe(3);
  expect((await actions(app)).slice(-2)).toEqual([
    'release.restored acme/forms 1.0.0',
    'release.withdrawn acme/forms 1.0.0',
  ]);
});

test('what was never published can be neither withdrawn nor restored', async () => {
  const app = await aShop();
  await publishArchive(app, { file: await aZip({ version: '1.0.0' }), by });
  for (const [name, version] of [
    ['acme/forms', '9.9.9'],
    ['acme/forms', 'not a version'],
    ['acme/unknown', '1.0.0'],
  ] as const) {
    const subject = { package: name, version, by };
    await expect(withdrawRelease(app, { ...subject, reason: 'No.' })).rejects.toMatchObject({
      code: 'release-unknown',
    });
    await expect(restoreRelease(app, subject)).rejects.toMatchObject({ code: 'release-unknown' });
  }
  expect(await actions(app)).toHaveLength(2);
});

// The gate trusts what it read until a transaction of this process ends; a publish that was not counted would be served late.
test('every change of the catalog counts as a commit', async () => {
  const app = await aShop();
  await transact(app, async () => undefined);
  const before = app.commits.count;
  await publishArchive(app, { file: await aZip(), by });
  expect(app.commits.count).toBe(before + 1);
});
