import { expect, test } from 'vitest';
import { absorbCredential, bindLicenses } from '../../lib/credentials/combine';
import { revokeLicense } from '../../lib/licenses/revoke';
import { aHolder, aProduct, aVendor } from '../support/shop';

const CLI = { kind: 'cli' } as const;

async function aBuyerOfTwo() {
  const app = await aVendor();
  await aProduct(app);
  await aProduct(app, { slug: 'invoices', packages: ['acme/invoices'] });
  return { app, first: await aHolder(app), second: await aHolder(app, 'invoices') };
}

test('a new credential is absorbed by the one that the servers have: one opens all, the other ends', async () => {
  const { app, first, second } = await aBuyerOfTwo();
  await absorbCredential(app, { intoId: first.credential.id, fromId: second.credential.id, by: CLI });
  const opened = await app.db.credentialLicense.findMany({ where: { credentialId: first.credential.id } });
  expect(new Set(opened.map((each) => each.licenseId))).toEqual(new Set([first.license.id, second.license.id]));
  const ended = await app.db.credential.findUniqueOrThrow({ where: { id: second.credential.id } });
  expect([ended.revokedAt, ended.revokedReason]).toEqual([app.clock.now(), 'combined']);
});

test('at the limit of credentials a license can still be bound to the one in use, but not to one more', async () => {
  const { app, first, second } = await aBuyerOfTwo();
  await app.db.product.updateMany({ data: { credentialsPerLicense: 1 } });
  const bind = bindLicenses(app, { credentialId: first.credential.id, licenseIds: [second.license.id], by: CLI });
  await expect(bind).rejects.toMatchObject({ code: 'credential-limit-reached' });
  await absorbCredential(app, { intoId: first.credential.id, fromId: second.credential.id, by: CLI });
  expect(await app.db.credentialLicense.count({ where: { credentialId: first.credential.id } })).toBe(2);
});

test("an ended license, a stranger's license and a stranger's credential are refused, and nothing changes", async () => {
  const { app, first, second } = await aBuyerOfTwo();
  const stranger = await aHolder(app, 'forms', 'stranger@example.test');
  await revokeLicense(app, { licenseId: second.license.id, by: CLI, reason: 'fraud' });
  const before = await app.db.auditEvent.count();

  const into = first.credential.id;
  const bind = (licenseId: string) => bindLicenses(app, { credentialId: into, licenseIds: [licenseId], by: CLI });
  await expect(bind(second.license.id)).rejects.toMatchObject({ code: 'license-gives-nothing' });
  await expect(bind(stranger.license.id)).rejects.toMatchObject({ code: 'licenses-of-several-customers' });
  await expect(bind('lic_nobody')).rejects.toMatchObject({ code: 'license-unknown' });
  const absorb = (fromId: string) => absorbCredential(app, { intoId: into, fromId, by: CLI });
  await expect(absorb(second.credential.id)).rejects.toMatchObject({ code: 'nothing-to-bind' });
  await expect(absorb(stranger.credential.id)).rejects.toMatchObject({ code: 'licenses-of-several-customers' });
  expect(await app.db.auditEvent.count()).toBe(before);
  expect(await app.db.credential.count({ where: { revokedAt: { not: null } } })).toBe(0);
});
