import { expect, test } from 'vitest';
import { bindLicenses } from '../../lib/credentials/combine';
import { revokeCredential } from '../../lib/credentials/revoke';
import { rotateCredential } from '../../lib/credentials/rotate';
import { transact } from '../../lib/db/transact';
import { DAY } from '../../lib/kit/clock';
import { newSecret } from '../../lib/kit/secret';
import { refundLicenses } from '../../lib/licenses/refund';
import { revokeLicense } from '../../lib/licenses/revoke';
import { type Answer, type Auth, aPlane } from '../support/composer-plane';
import { aHolder, aProduct, aRelease, aVendor } from '../support/shop';
import type { TestApp } from '../support/test-app';

const CLI = { kind: 'cli' } as const;

function refused(answer: Answer, status: number, sentence: RegExp) {
  expect(answer.status).toBe(status);
  // Composer prints the sentence only where the type is exactly this.
  expect(answer.headers.get('content-type')).toBe('application/json');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.bytes.length).toBeLessThanOrEqual(180);
  expect((answer.json as { warning: string }).warning).toMatch(sentence);
}

function versions(answer: Answer, name = 'acme/forms'): string[] {
  return (answer.json as { packages: Record<string, { version: string }[]> }).packages[name]!.map(
    (each) => each.version,
  );
}

async function distPath(app: TestApp, name = 'acme/forms', version = '1.0.0.0'): Promise<string> {
  const release = await app.db.release.findFirstOrThrow({ where: { versionNormalized: version, package: { name } } });
  return `/composer/dist/${name}/${version}/${release.archiveSha1}.zip`;
}

async function aShop() {
  const app = await aVendor();
  await aProduct(app);
  await aRelease(app);
  const holder = await aHolder(app);
  app.clock.advance(2_000);
  return { app, ...holder, plane: await aPlane(app) };
}

test('a credential opens what was bought, in each of the ways Composer can send it', async () => {
  const { app, plane, auth, credential, license } = await aShop();
  for (const way of [auth, { username: 'token', secret: auth.secret }, { bearer: auth.secret }] satisfies Auth[]) {
    const root = await plane.get('/composer/packages.json', { auth: way });
    expect(root.status).toBe(200);
    expect(root.json).toMatchObject({
      'available-package-patterns': ['acme/*'],
      'metadata-url': '/composer/p2/%package%.json',
    });
    expect(versions(await plane.get('/composer/p2/acme/forms.json', { auth: way }))).toEqual(['1.0.0']);
    expect(versions(await plane.get('/composer/p2/acme/forms~dev.json', { auth: way }))).toEqual([]);
  }
  const zip = await plane.get(await distPath(app), { auth });
  expect(zip.status).toBe(200);
  expect(zip.bytes.subarray(0, 2).toString()).toBe('PK');
  const events = await plane.events();
  expect(events).toHaveLength(10);
  expect(events.at(-1)).toEqual({
    action: 'archive.downloaded',
    verdict: 'admitted',
    reason: null,
    username: auth.username,
    credentialId: credential.id,
    licenseId: license.id,
    package: 'acme/forms',
    version: '1.0.0',
    ip: '127.0.0.1',
    userAgent: expect.any(String),
  });
  expect(events[0]).toMatchObject({ action: 'repository.read', licenseId: null });
});

test('no, mistyped, unknown and wrong credentials are refused alike in status and never tell which usernames exist', async () => {
  const { plane, auth } = await aShop();
  const wrong = newSecret().reveal();
  const none = await plane.get('/composer/packages.json');
  refused(none, 401, /No credential was sent/);
  expect(none.headers.get('www-authenticate')).toMatch(/^Basic /);
  refused(
    await plane.get('/composer/packages.json', { auth: { ...auth, secret: `${auth.secret.slice(0, -1)}!` } }),
    401,
    /mistyped/,
  );
  const known = await plane.get('/composer/packages.json', { auth: { ...auth, secret: wrong } });
  const unknown = await plane.get('/composer/packages.json', {
    auth: { username: 'lk-forms-00000000', secret: wrong },
  });
  refused(known, 401, /not known/);
  expect(unknown.text).toBe(known.text);
  refused(await plane.get('/composer/packages.json', { auth: { bearer: wrong } }), 401, /not known/);
  refused(await plane.get('/composer/packages.json', { auth: { ...auth, secret: 'hunter2' } }), 401, /not known/);
  expect((await plane.events()).map((event) => event.reason)).toEqual([
    'no-credential',
    'malformed-credential',
    'wrong-credential',
    'wrong-credential',
    'wrong-credential',
    'wrong-credential',
  ]);
});

test('a refund ends downloads at once, on every path, with the reason', async () => {
  const { app, plane, auth, license } = await aShop();
  const dist = await distPath(app);
  expect((await plane.get(dist, { auth })).status).toBe(200);
  await transact(app, (tx) => refundLicenses(app, tx, [license], { by: { kind: 'stripe' }, reason: 'asked' }));
  for (const path of ['/composer/packages.json', '/composer/p2/acme/forms.json', dist, '/composer/nowhere']) {
    refused(await plane.get(path, { auth }), 402, /refunded on 22 November 2026/);
  }
  refused(await plane.get('/composer/downloads', { auth, method: 'POST', body: '{"downloads":[]}' }), 402, /refunded/);
  expect((await plane.events()).at(-1)).toMatchObject({
    verdict: 'refused',
    reason: 'license-refunded',
    licenseId: license.id,
  });
});

test('a change made by another process is seen within a second', async () => {
  const { app, plane, auth, license } = await aShop();
  expect((await plane.get('/composer/packages.json', { auth })).status).toBe(200);
  const elsewhere = { ...app, commits: { count: 0 } };
  await revokeLicense(elsewhere, { licenseId: license.id, by: CLI, reason: 'fraud' });
  const revokedAt = performance.now();
  while ((await plane.get('/composer/packages.json', { auth })).status === 200) {
    // A second, and what a busy machine takes for one request.
    expect(performance.now() - revokedAt).toBeLessThan(2_500);
  }
});

test('of two licenses, the refunded one is withheld with its reason while the other goes on', async () => {
  const { app, plane, auth, license, credential } = await aShop();
  await aProduct(app, { slug: 'invoices', packages: ['acme/invoices'] });
  await aRelease(app, 'acme/invoices', '2.0.0');
  const second = await aHolder(app, 'invoices');
  await bindLicenses(app, { credentialId: credential.id, licenseIds: [second.license.id], by: CLI });
  const dist = await distPath(app);
  await transact(app, (tx) => refundLicenses(app, tx, [license], { by: { kind: 'stripe' }, reason: 'asked' }));
  app.clock.advance(2_000);

  expect((await plane.get('/composer/packages.json', { auth })).status).toBe(200);
  const withheld = await plane.get('/composer/p2/acme/forms.json', { auth });
  expect(withheld.status).toBe(200);
  expect(withheld.json).toMatchObject({ packages: { 'acme/forms': [] }, warning: expect.stringMatching(/refunded/) });
  refused(await plane.get(dist, { auth }), 402, /acme\/forms 1\.0\.0: the license was refunded/);
  expect(versions(await plane.get('/composer/p2/acme/invoices.json', { auth }), 'acme/invoices')).toEqual(['2.0.0']);
  const again = await plane.get('/composer/p2/acme/forms.json', {
    auth,
    headers: { 'If-Modified-Since': withheld.headers.get('last-modified')! },
  });
  expect(again.status, 'a 304 would not show the reason').toBe(200);
});

test('a name that is sold but not covered is claimed; a name that is not sold does not exist', async () => {
  const { app, plane, auth } = await aShop();
  await aProduct(app, { slug: 'invoices', packages: ['acme/invoices'] });
  await aRelease(app, 'acme/invoices', '2.0.0');
  const claimed = await plane.get('/composer/p2/acme/invoices.json', { auth });
  expect(claimed.json).toMatchObject({
    packages: { 'acme/invoices': [] },
    warning: expect.stringMatching(/no license/),
  });
  refused(await plane.get(await distPath(app, 'acme/invoices', '2.0.0.0'), { auth }), 402, /no license/);
  refused(await plane.get('/composer/p2/acme/nope.json', { auth }), 404, /not sold here/);
  refused(await plane.get('/composer/p2/Acme/Forms.json', { auth }), 404, /nothing at this address/);
  refused(await plane.get(`/composer/dist/acme/forms/9.9.9.9/${'0'.repeat(40)}.zip`, { auth }), 404, /no such version/);
  refused(await plane.get(`/composer/dist/acme/forms/1.0.0.0/${'0'.repeat(40)}.zip`, { auth }), 404, /no such version/);
  expect((await plane.events()).map((event) => event.reason)).toEqual([
    'not-covered',
    'not-covered',
    'unknown-package',
    'unknown-path',
    'unknown-version',
    'unknown-version',
  ]);
});

test('a lapsed license keeps every version of its term and is offered nothing newer', async () => {
  const { app, plane, auth } = await aShop();
  app.clock.advance(400 * DAY);
  await aRelease(app, 'acme/forms', '1.1.0');
  app.clock.advance(2_000);
  expect(versions(await plane.get('/composer/p2/acme/forms.json', { auth }))).toEqual(['1.0.0']);
  expect((await plane.get(await distPath(app), { auth })).status).toBe(200);
  refused(
    await plane.get(await distPath(app, 'acme/forms', '1.1.0.0'), { auth }),
    402,
    /after your updates ended on 22 November 2027/,
  );
});

test('under "stop" nothing is installable after the term, and it is good to its last millisecond', async () => {
  const app = await aVendor();
  await aProduct(app, { lapse: 'stop' });
  await aRelease(app);
  const { auth, license } = await aHolder(app);
  const plane = await aPlane(app);
  app.clock.set(license.coveredUntil!);
  expect((await plane.get('/composer/p2/acme/forms.json', { auth })).status).toBe(200);
  app.clock.advance(1);
  refused(await plane.get('/composer/p2/acme/forms.json', { auth }), 402, /The license ended on/);
});

test('an unchanged document is answered 304; a new version, a binding and a lapse each move its date', async () => {
  const { app, plane, auth, license } = await aShop();
  const p2 = (since?: string) =>
    plane.get('/composer/p2/acme/forms.json', { auth, headers: since ? { 'If-Modified-Since': since } : {} });
  const first = await p2();
  const date = first.headers.get('last-modified')!;
  const same = await p2(date);
  expect([same.status, same.bytes.length]).toEqual([304, 0]);

  await aRelease(app, 'acme/forms', '1.1.0');
  app.clock.advance(5_000);
  const published = await p2(date);
  expect(published.status).toBe(200);
  expect(versions(published)).toEqual(['1.1.0', '1.0.0']);
  expect(Date.parse(published.headers.get('last-modified')!)).toBeGreaterThan(Date.parse(date));

  app.clock.set(new Date(license.coveredUntil!.getTime() + 5_000));
  expect((await p2(published.headers.get('last-modified')!)).status).toBe(200);
  const root = await plane.get('/composer/packages.json', { auth });
  const rootAgain = await plane.get('/composer/packages.json', {
    auth,
    headers: { 'If-Modified-Since': root.headers.get('last-modified')! },
  });
  expect(rootAgain.status).toBe(304);
  expect((await plane.events()).every((event) => event.verdict === 'admitted')).toBe(true);
});

test('gzip, HEAD and ranges give the same bytes in other ways', async () => {
  const { app, plane, auth } = await aShop();
  for (let minor = 1; minor < 12; minor++) await aRelease(app, 'acme/forms', `1.${minor}.0`);
  app.clock.advance(60_000);
  const plain = await plane.get('/composer/p2/acme/forms.json', { auth, headers: { 'Accept-Encoding': 'identity' } });
  const zipped = await plane.get('/composer/p2/acme/forms.json', { auth, headers: { 'Accept-Encoding': 'gzip' } });
  expect(plain.headers.get('content-encoding')).toBe(null);
  expect(zipped.headers.get('content-encoding')).toBe('gzip');
  expect(zipped.text).toBe(plain.text);
  expect(plain.headers.get('cache-control')).toMatch(/^private/);

  const dist = await distPath(app);
  const whole = await plane.get(dist, { auth });
  const head = await plane.get(dist, { auth, method: 'HEAD' });
  expect([head.status, head.bytes.length, head.headers.get('content-length')]).toEqual([
    200,
    0,
    String(whole.bytes.length),
  ]);
  const part = await plane.get(dist, { auth, headers: { Range: 'bytes=10-19' } });
  expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${whole.bytes.length}`]);
  expect(part.bytes.equals(whole.bytes.subarray(10, 20))).toBe(true);
  const tail = await plane.get(dist, { auth, headers: { Range: 'bytes=-5' } });
  expect(tail.bytes.equals(whole.bytes.subarray(-5))).toBe(true);
  const beyond = await plane.get(dist, { auth, headers: { Range: 'bytes=99999999-' } });
  refused(beyond, 416, /outside/);
  expect(beyond.headers.get('content-range')).toBe(`bytes */${whole.bytes.length}`);
});

// A client that sends another request behind the rest of a body nobody reads would wait for its answer for ever.
test('a report that is too large is refused on a connection that ends with the answer', async () => {
  const { plane, auth } = await aShop();
  const body = 'x'.repeat(1_048_577);
  const tooLarge = await plane.get('/composer/downloads', { auth, method: 'POST', body });
  refused(tooLarge, 413, /larger than 1 MiB/);
  expect(tooLarge.headers.get('connection')).toBe('close');
});

test('rotation stops the old secret at once; an overlap lets both work until its end', async () => {
  const { app, plane, auth, credential } = await aShop();
  const gentle = await rotateCredential(app, { credentialId: credential.id, by: CLI, overlapDays: 7 });
  const second = { username: gentle.credential.username, secret: gentle.secret.reveal() };
  expect((await plane.get('/composer/packages.json', { auth })).status).toBe(200);
  expect((await plane.get('/composer/packages.json', { auth: second })).status).toBe(200);
  app.clock.advance(7 * DAY + 1);
  refused(await plane.get('/composer/packages.json', { auth }), 402, /overlap ended/);

  const leaked = await rotateCredential(app, { credentialId: gentle.credential.id, by: CLI, overlapDays: 0 });
  refused(await plane.get('/composer/packages.json', { auth: second }), 402, /was replaced/);
  const third = { username: leaked.credential.username, secret: leaked.secret.reveal() };
  expect((await plane.get('/composer/packages.json', { auth: third })).status).toBe(200);
  await revokeCredential(app, { credentialId: leaked.credential.id, by: CLI, reason: 'lost laptop' });
  refused(await plane.get('/composer/packages.json', { auth: third }), 402, /was revoked/);
});

test('rotating a leaked credential also stops the older one that is still in overlap', async () => {
  const { app, plane, auth, credential } = await aShop();
  const gentle = await rotateCredential(app, { credentialId: credential.id, by: CLI, overlapDays: 30 });
  await rotateCredential(app, { credentialId: gentle.credential.id, by: CLI, overlapDays: 0 });
  refused(await plane.get('/composer/packages.json', { auth }), 402, /replaced/);
});

test('a withdrawn release is gone with its reason, and no longer offered', async () => {
  const { app, plane, auth } = await aShop();
  const dist = await distPath(app);
  const { withdrawRelease } = await import('../../lib/catalog/releases');
  await withdrawRelease(app, { package: 'acme/forms', version: '1.0.0', reason: 'loses data', by: CLI });
  app.clock.advance(5_000);
  expect(versions(await plane.get('/composer/p2/acme/forms.json', { auth }))).toEqual([]);
  refused(await plane.get(dist, { auth }), 410, /withdrawn: loses data/);
});

test('a credential bound to addresses works from those alone', async () => {
  const { app, plane, auth, credential } = await aShop();
  await app.db.credential.update({
    where: { id: credential.id },
    data: { addressList: ['203.0.113.0/24'], changedAt: app.clock.now() },
  });
  app.commits.count++;
  refused(await plane.get('/composer/packages.json', { auth }), 402, /from this address/);
});

test('reported installs are one event each, and other methods are told what is allowed', async () => {
  const { plane, auth, license } = await aShop();
  const report = {
    downloads: [{ name: 'acme/forms', version: '1.0.0.0' }, { name: 'acme/other', version: '2.0.0.0' }, { name: 7 }],
  };
  const post = (body: string) => plane.get('/composer/downloads', { auth, method: 'POST', body });
  expect((await post(JSON.stringify(report))).status).toBe(200);
  refused(await post('not json'), 400, /JSON/);
  const get = await plane.get('/composer/downloads', { auth });
  expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
  const put = await plane.get('/composer/packages.json', { auth, method: 'PUT', body: '{}' });
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect((await plane.events()).map((event) => [event.action, event.verdict, event.package, event.licenseId])).toEqual([
    ['install.reported', 'admitted', 'acme/forms', license.id],
    ['install.reported', 'refused', 'acme/other', null],
    ['install.reported', 'refused', null, null],
  ]);
});

test('after 120 wrong credentials in a minute an address is told to wait, and the right one behind it is not', async () => {
  const { plane, auth } = await aShop();
  const wrong = { ...auth, secret: newSecret().reveal() };
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 125; attempt++)
    statuses.push((await plane.get('/composer/packages.json', { auth: wrong })).status);
  expect(statuses.filter((status) => status === 401)).toHaveLength(120);
  const waiting = await plane.get('/composer/packages.json', { auth: wrong });
  refused(waiting, 429, /Too many wrong credentials/);
  expect(Number(waiting.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await plane.get('/composer/packages.json', { auth })).status).toBe(200);
});

test('fifty requests at once read the database once', async () => {
  const { plane, auth } = await aShop();
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => plane.get('/composer/p2/acme/forms.json', { auth })),
  );
  expect(answers.map((answer) => answer.status)).toEqual(Array(50).fill(200));
  expect(plane.reads()).toBe(1);
});

test('when the key is lost, the slow hash lets the right secret in, and the digest is filled in for the next time', async () => {
  const { app, plane, auth, credential } = await aShop();
  await app.db.credential.update({ where: { id: credential.id }, data: { secretDigest: null, digestKeyId: null } });
  app.commits.count++;
  expect((await plane.get('/composer/packages.json', { auth: { ...auth, secret: newSecret().reveal() } })).status).toBe(
    401,
  );
  expect((await plane.get('/composer/packages.json', { auth })).status).toBe(200);
  const { secretDigest, digestKeyId, changedAt } = await app.db.credential.findUniqueOrThrow({
    where: { id: credential.id },
  });
  expect([secretDigest?.length, digestKeyId, changedAt]).toEqual([32, app.keys.current.id, credential.changedAt]);
});
