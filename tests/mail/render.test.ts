import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../lib/kit/secret';
import { installLines } from '../../lib/mail/install-lines';
import { renderMail } from '../../lib/mail/render';
import {
  A_SECRET,
  ANOTHER_SECRET,
  credentialRotated,
  licenseIssued,
  licenseRefunded,
  signIn,
} from '../support/messages';

const run = promisify(execFile);
const HEAD = {
  appUrl: 'http://localhost:3000',
  from: 'Acme Modules <licenses@acme.test>',
  createdAt: new Date('2026-11-22T10:00:00.000Z'),
};
const BASIC = `composer config --global --auth http-basic.localhost:3000 lk-forms-pro-k3x9w2ab ${A_SECRET}`;

/** What a reader of the HTML sees and can select. */
function seen(html: string): string {
  return html
    .replace(/<!--.*?-->/gs, '')
    .replace(/<(style|head)[^>]*>.*?<\/\1>/gs, '')
    .replace(/<[^>]+>/g, '')
    .replaceAll('&quot;', '"')
    .replaceAll('&#x27;', "'")
    .replaceAll('&amp;', '&');
}

test('the mail of a purchase holds every line to paste, in the HTML and in the text', async () => {
  const { text, html } = await renderMail(licenseIssued(), HEAD);
  for (const part of [text, seen(html)]) {
    expect(part).toContain(BASIC);
    expect(part).toContain(`composer config --global --auth bearer.localhost:3000 ${A_SECRET}`);
    expect(part).toContain('composer config repositories.acme composer http://localhost:3000/composer');
    expect(part).toContain('composer config secure-http false');
    expect(part).toContain('composer require acme/forms');
    expect(part).toMatch(/"localhost:3000": \{\s+"username": "lk-forms-pro-k3x9w2ab",\s+"password": "lk_live_0/);
    expect(part).toContain('Updates until 22 November 2027.');
  }
  expect(text).toContain('http://localhost:3000/dashboard/credentials/crd_1');
  expect(html).toContain('href="http://localhost:3000/dashboard/credentials/crd_1"');
});

test('a shop on https asks no project to allow plain http', async () => {
  const { text, html } = await renderMail(licenseIssued(), { ...HEAD, appUrl: 'https://pkg.acme.test' });
  expect(text + html).not.toContain('secure-http');
  expect(text + html).not.toContain('plain http');
  expect(text).toContain('http-basic.pkg.acme.test ');
});

test('the secret is in the body alone: subjects and previews are shown on locked screens', async () => {
  const { subject, html } = await renderMail(licenseIssued(), HEAD);
  const preview = /display:none.*?<\/div>/s.exec(html)?.[0] ?? '';
  expect(preview).not.toBe('');
  expect(subject + preview).not.toContain('lk_live_');
});

test('who holds a working credential is led to bind it before the new one is shown', async () => {
  const message = licenseIssued({ bindTo: { credentialId: 'crd_0', username: 'lk-set-old00000', label: 'Shop' } });
  const { subject, text, html } = await renderMail(message, HEAD);
  expect(subject).toMatch(/bind it to the credential you have/);
  expect(html).toContain('href="http://localhost:3000/dashboard/credentials/crd_1/bind"');
  for (const part of [text, seen(html)]) {
    expect(part.indexOf('lk-set-old00000')).toBeGreaterThan(0);
    expect(part.indexOf('lk-set-old00000')).toBeLessThan(part.indexOf(A_SECRET));
    expect(part).toContain(BASIC);
  }
});

test('an order of two units is one mail with both credentials, each under its own secret', async () => {
  const unit = licenseIssued().props.licenses[0]!;
  const message = licenseIssued(
    {
      licenses: [unit, { ...unit, licenseId: 'lic_2' }, { ...unit, licenseId: 'lic_3', productName: 'Blog Kit' }],
      credentials: [
        { credentialId: 'crd_1', username: 'lk-set-first000', licenseIds: ['lic_1', 'lic_3'], label: null },
        { credentialId: 'crd_2', username: 'lk-forms-pro-second00', licenseIds: ['lic_2'], label: null },
      ],
    },
    { crd_1: new Secret(A_SECRET), crd_2: new Secret(ANOTHER_SECRET) },
  );
  const { subject, text, html } = await renderMail(message, HEAD);
  expect(subject).toContain('Your 3 licenses for Forms Pro and Blog Kit');
  expect(text).toContain('2 × Forms Pro');
  for (const part of [text, seen(html)]) {
    expect(part).toMatch(/Credential 1 of 2, for Forms Pro and Blog Kit/);
    expect(part).toContain(`lk-set-first000 ${A_SECRET}`);
    expect(part).toContain(`lk-forms-pro-second00 ${ANOTHER_SECRET}`);
  }
});

test('a bundle of many packages gives a line that a person would run, and says how many more there are', async () => {
  const packages = Array.from({ length: 9 }, (_, n) => `acme/part-${n}`);
  const { text } = await renderMail(
    licenseIssued({
      licenses: [
        { licenseId: 'lic_1', productName: 'Everything', standing: 'For ever.', packages },
        { licenseId: 'lic_2', productName: 'Forms Pro', standing: 'For ever.', packages: ['acme/forms'] },
      ],
    }),
    HEAD,
  );
  expect(text).toContain('composer require acme/part-0 acme/forms acme/part-1 acme/part-2 acme/part-3 acme/part-4\n');
  expect(text).toContain('4 more packages');
});

test('a refund tells what ended, how much, when, and what the terminal will do', async () => {
  const { subject, text, html } = await renderMail(licenseRefunded(), HEAD);
  expect(subject).toBe('Refunded: €99 for Forms Pro');
  for (const part of [text, seen(html)]) {
    expect(part).toContain('€99 goes back to how you paid');
    expect(part).toContain('22 November 2026 at 10:00 UTC');
    expect(part).toContain('lic_4k0xq2m8v1c7z5t3');
    expect(part).toContain('can no longer download acme/forms');
  }
});

test('a replaced credential is told without its secret, with the end of the overlap where there is one', async () => {
  const atOnce = await renderMail(credentialRotated(), HEAD);
  expect(atOnce.text).toContain('lk-forms-pro-k3x9w2ab has stopped working.');
  expect(atOnce.text + atOnce.html).not.toContain('lk_live_');
  const gently = await renderMail(credentialRotated('2026-11-29T10:00:00.000Z'), HEAD);
  expect(gently.text).toContain('goes on working until 29 November 2026 at 10:00 UTC');
});

test('a sign-in link stands whole in both parts, with how long it lasts', async () => {
  const { subject, text, html } = await renderMail(signIn(), HEAD);
  expect(subject).toBe('Sign in to Acme Modules');
  expect(text).toContain('http://localhost:3000/sign-in/confirm?token=t0k3n-of-the-link&email=ada%40shop.test\n');
  expect(html).toContain(
    'href="http://localhost:3000/sign-in/confirm?token=t0k3n-of-the-link&amp;email=ada%40shop.test"',
  );
  expect(text).toContain('15 minutes, until 22 November 2026 at 10:15 UTC');
});

test.each([licenseIssued(), licenseRefunded(), credentialRotated(), signIn()])(
  'the $kind mail ends with why it was sent, and a second try is the same mail',
  async (message) => {
    const first = await renderMail(message, HEAD);
    expect(first.text.trimEnd().split('\n').at(-1)).toMatch(/^You receive this mail because .*\.$/);
    expect(seen(first.html).trimEnd()).toMatch(/You receive this mail because [^.]*.*\.$/);
    expect(await renderMail(message, HEAD)).toEqual(first);
  },
);

// Someone who can choose their name or a label must not be able to write markup into somebody else's mail.
test('what customers type is text in the HTML', async () => {
  const hostile = '<img src=x onerror=alert(1)>';
  const { html } = await renderMail(
    licenseIssued({ bindTo: { credentialId: 'crd_0', username: 'lk-set-old00000', label: hostile } }),
    HEAD,
  );
  expect(html).not.toContain(hostile);
  expect(seen(html)).toContain('&lt;img');
});

test('the real Composer takes the lines as they stand in the mail', async () => {
  const project = await mkdtemp(join(tmpdir(), 'latchkey-lines-'));
  try {
    await writeFile(join(project, 'composer.json'), '{}');
    const env = { ...process.env, COMPOSER_HOME: join(project, 'home'), COMPOSER_ALLOW_SUPERUSER: '1', HOME: project };
    const odd = installLines({
      appUrl: 'http://localhost:3000',
      username: "o'brien & sons",
      secret: A_SECRET,
      packages: ['acme/forms'],
    });
    for (const line of [odd.configBasic, odd.configBearer, odd.repository, odd.secureHttp]) {
      await run('sh', ['-c', line ?? 'false'], { cwd: project, env });
    }
    const auth = JSON.parse(await readFile(join(project, 'home/auth.json'), 'utf8'));
    expect(auth['http-basic']).toEqual(JSON.parse(odd.authJson)['http-basic']);
    expect(auth.bearer).toEqual({ 'localhost:3000': A_SECRET });
    const composer = JSON.parse(await readFile(join(project, 'composer.json'), 'utf8'));
    expect(JSON.stringify(composer.repositories)).toContain('http://localhost:3000/composer');
    expect(composer.config['secure-http']).toBe(false);
  } finally {
    await rm(project, { recursive: true, force: true });
  }
});
