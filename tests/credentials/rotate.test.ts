import { expect, test } from 'vitest';
import { bcryptPasswords } from '../../lib/adapters/passwords-bcrypt';
import { rotateCredential } from '../../lib/credentials/rotate';
import { Secret, secretForm } from '../../lib/kit/secret';
import { aHolder, aProduct, aVendor } from '../support/shop';

const CLI = { kind: 'cli' } as const;

test('a rotation gives a new username and secret for the same licenses, and tells the owner without the secret', async () => {
  const app = await aVendor();
  await aProduct(app);
  const { credential, license } = await aHolder(app);
  const { credential: successor, secret } = await rotateCredential(app, {
    credentialId: credential.id,
    by: CLI,
    overlapDays: 0,
  });

  expect(successor.username).toMatch(/^lk-forms-[a-z0-9]{8}$/);
  expect(successor.username).not.toBe(credential.username);
  expect(secretForm(secret.reveal())).toBe('ours');
  const bindings = await app.db.credentialLicense.findMany({ where: { credentialId: successor.id } });
  expect(bindings.map((binding) => binding.licenseId)).toEqual([license.id]);
  const old = await app.db.credential.findUniqueOrThrow({ where: { id: credential.id } });
  expect([old.revokedAt, old.revokedReason]).toEqual([app.clock.now(), 'rotated']);
  const mails = await app.db.mail.findMany({ where: { kind: 'credential-rotated' } });
  expect(mails.map((mail) => [mail.to, mail.sealed])).toEqual([['shop@example.test', null]]);
});

test('a credential that was replaced already, an unknown one and an overlap out of range are refused, and change nothing', async () => {
  const app = await aVendor();
  await aProduct(app);
  const { credential } = await aHolder(app);
  const { credential: successor } = await rotateCredential(app, {
    credentialId: credential.id,
    by: CLI,
    overlapDays: 30,
  });
  const before = await app.db.auditEvent.count();

  const rotate = (credentialId: string, overlapDays: number) =>
    rotateCredential(app, { credentialId, by: CLI, overlapDays });
  // Both work still, so the sentence must not say that the old one stopped.
  await expect(rotate(credential.id, 0)).rejects.toMatchObject({
    code: 'credential-not-working',
    message: `The credential ${credential.username} was replaced by ${successor.username} already.`,
  });
  await expect(rotate('crd_nobody', 0)).rejects.toMatchObject({ code: 'credential-unknown' });
  await expect(rotate(credential.id, 91)).rejects.toMatchObject({ code: 'overlap-out-of-range' });
  await expect(rotate(credential.id, 1.5)).rejects.toMatchObject({ code: 'overlap-out-of-range' });
  expect(await app.db.auditEvent.count()).toBe(before);
  expect(await app.db.credential.count()).toBe(2);
});

test('two rotations at once leave one successor', async () => {
  const app = await aVendor();
  await aProduct(app);
  const { credential } = await aHolder(app);
  const rotate = () => rotateCredential(app, { credentialId: credential.id, by: CLI, overlapDays: 0 });
  const outcomes = await Promise.allSettled([rotate(), rotate()]);
  expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await app.db.credential.count({ where: { revokedAt: null } })).toBe(1);
});

test('the slow hash never holds up the event loop', async () => {
  const passwords = bcryptPasswords(process.cwd(), 12);
  let turns = 0;
  const spinning = setInterval(() => turns++, 1);
  const hash = await passwords.hash(new Secret('x'));
  clearInterval(spinning);
  await passwords.close();
  // bcryptjs of cost 12 takes some 200 ms; on the event loop not one timer would have fired meanwhile.
  expect(hash).toMatch(/^\$2b\$12\$/);
  expect(turns).toBeGreaterThan(5);
});
