import { expect, test } from 'vitest';
import { revokeCredential } from '../../lib/credentials/revoke';
import { MINUTE, SECOND } from '../../lib/kit/clock';
import { aPlane } from '../support/composer-plane';
import { aHolder, aProduct, aRelease, aVendor } from '../support/shop';
import { aWeakLine } from '../support/weak-line';

async function aShopBehindAWeakLine() {
  const app = await aVendor();
  await aProduct(app);
  const { shasum } = await aRelease(app);
  const regular = await aHolder(app, 'forms', 'regular@example.test');
  const stranger = await aHolder(app, 'forms', 'stranger@example.test');
  const line = await aWeakLine(app.databaseUrl);
  const plane = await aPlane(app, { gateUrl: line.url });
  const dist = `/composer/dist/acme/forms/1.0.0.0/${shasum}.zip`;
  for (const path of ['/composer/packages.json', '/composer/p2/acme/forms.json', dist]) {
    expect((await plane.get(path, { auth: regular.auth })).status).toBe(200);
  }
  return { app, line, plane, dist, regular, stranger };
}

test('when the database dies, whoever was admitted lately still installs; others are asked to wait', async () => {
  const { app, line, plane, dist, regular, stranger } = await aShopBehindAWeakLine();
  line.cut();
  await expect.poll(async () => (await plane.get('/composer/packages.json', { auth: stranger.auth })).status).toBe(503);
  for (const path of ['/composer/packages.json', '/composer/p2/acme/forms.json', dist]) {
    expect((await plane.get(path, { auth: regular.auth })).status, path).toBe(200);
  }
  expect(plane.composer.reach.state).toBe('down');
  const waiting = await plane.get('/composer/packages.json', { auth: stranger.auth });
  expect(Number(waiting.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(waiting.headers.get('content-type')).toBe('application/json');

  app.clock.advance(59 * MINUTE);
  expect((await plane.get(dist, { auth: regular.auth })).status).toBe(200);
  app.clock.advance(61 * MINUTE);
  expect((await plane.get(dist, { auth: regular.auth })).status).toBe(503);

  line.mend();
  await expect.poll(async () => (await plane.get(dist, { auth: stranger.auth })).status, { timeout: 10_000 }).toBe(200);
  const events = await plane.events();
  expect(events.filter((event) => event.reason === 'database-away').every((event) => event.verdict === 'refused')).toBe(
    true,
  );
});

test('a frozen database costs one answer of half a second, not one for every client', async () => {
  const { line, plane, regular } = await aShopBehindAWeakLine();
  line.freeze();
  const slowest = async () => {
    const startedAt = performance.now();
    expect((await plane.get('/composer/p2/acme/forms.json', { auth: regular.auth })).status).toBe(200);
    return performance.now() - startedAt;
  };
  const stateAfterARequest = async () => {
    await slowest();
    return plane.composer.reach.state;
  };
  await expect.poll(stateAfterARequest, { timeout: 10_000 }).toBe('down');
  expect(await slowest()).toBeLessThan(250);
});

test('who was revoked by another node before the outage is refused in it, also if they have not asked since', async () => {
  const { app, line, plane, regular } = await aShopBehindAWeakLine();
  const elsewhere = { ...app, commits: { count: 0 } };
  app.clock.advance(5 * SECOND);
  await revokeCredential(elsewhere, { credentialId: regular.credential.id, by: { kind: 'cli' }, reason: 'leaked' });
  const readBefore = plane.reads();
  // The change feed, not a request of theirs, must have brought it.
  await expect.poll(() => plane.reads(), { timeout: 10_000 }).toBeGreaterThan(readBefore);
  line.cut();
  app.clock.advance(5 * SECOND);
  const refused = await plane.get('/composer/packages.json', { auth: regular.auth });
  expect([refused.status, (refused.json as { warning: string }).warning]).toEqual([
    402,
    expect.stringMatching(/revoked/),
  ]);
});

test('an entitlement that ends by date during an outage ends', async () => {
  const app = await aVendor();
  await aProduct(app, { lapse: 'stop' });
  await aRelease(app);
  const { auth, license } = await aHolder(app);
  app.clock.set(new Date(license.coveredUntil!.getTime() - MINUTE));
  const line = await aWeakLine(app.databaseUrl);
  const plane = await aPlane(app, { gateUrl: line.url });
  expect((await plane.get('/composer/packages.json', { auth })).status).toBe(200);
  line.cut();
  app.clock.advance(2 * MINUTE);
  await expect.poll(async () => (await plane.get('/composer/packages.json', { auth })).status).toBe(402);
});
