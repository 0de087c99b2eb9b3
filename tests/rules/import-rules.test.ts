import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const CONFIG = join(ROOT, '.dependency-cruiser.cjs');
const config = createRequire(import.meta.url)(CONFIG) as { forbidden: { name: string; comment: string }[] };

/**
 * For each rule one import that it forbids, as [importing file, what it imports]. The files are those of a small tree
 * of its own; a rule without an entry here fails.
 */
const FORBIDDEN: Record<string, [from: string, to: string]> = {
  'floor-kit': ['lib/kit/clock.ts', 'lib/catalog/target.ts'],
  'floor-paths': ['lib/paths.ts', 'lib/kit/target.ts'],
  'floor-ports': ['lib/ports/mailer.ts', 'lib/mail/target.ts'],
  'floor-db': ['lib/db/transact.ts', 'lib/audit/target.ts'],
  'floor-jobs': ['lib/jobs/queue.ts', 'lib/mail/target.ts'],
  'floor-audit': ['lib/audit/record.ts', 'lib/licenses/target.ts'],
  'floor-mail': ['lib/mail/deliver.ts', 'lib/licenses/target.ts'],
  'floor-catalog': ['lib/catalog/publish.ts', 'lib/licenses/target.ts'],
  'floor-identity': ['lib/identity/customers.ts', 'lib/licenses/target.ts'],
  'floor-licenses': ['lib/licenses/revoke.ts', 'lib/credentials/target.ts'],
  'floor-credentials': ['lib/credentials/issue.ts', 'lib/composer/target.ts'],
  'floor-http': ['lib/http/answer.ts', 'lib/licenses/target.ts'],
  'floor-composer': ['lib/composer/gate.ts', 'lib/billing/target.ts'],
  'floor-billing': ['lib/billing/refunds.ts', 'lib/composer/target.ts'],
  'floor-worker': ['lib/worker/registry.ts', 'lib/wiring.ts'],
  'floor-adapters': ['lib/adapters/mailer-smtp.ts', 'lib/mail/target.ts'],
  'floor-emails': ['emails/license-issued.tsx', 'lib/kit/target.ts'],
  'no-circles': ['lib/kit/one.ts', 'lib/kit/other.ts'],
  'vendor-sdks-in-adapters': ['lib/billing/checkout.ts', 'stripe'],
  'next-at-the-border': ['lib/catalog/find.ts', 'next'],
  'pages-ask-find': ['app/console/page.tsx', 'lib/db/target.ts'],
  'adapters-only-in-wiring': ['app/console/adapter.tsx', 'lib/adapters/target.ts'],
  'lib-knows-no-entry': ['lib/wiring.ts', 'app/target.ts'],
  'product-knows-no-tests': ['server.ts', 'tests/support/target.ts'],
  'only-declared-dependencies': ['app/console/undeclared.tsx', 'left-undeclared'],
};

/** What the tree holds besides: imports that every rule allows, so that a rule that bites everything is noticed too. */
const ALLOWED: [from: string, to: string][] = [
  ['lib/composer/allowed.ts', 'lib/credentials/target.ts'],
  ['lib/adapters/allowed.ts', 'stripe'],
  ['lib/identity/auth.ts', 'next'],
  ['app/console/allowed.tsx', 'lib/licenses/target.ts'],
  ['lib/mail/allowed.ts', 'emails/target.tsx'],
];

let tree: string;
/** The rules that each file broke. */
let broken: Map<string, string[]>;

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), 'latchkey-rules-'));
  const imports = new Map<string, string[]>();
  for (const [from, to] of [...Object.values(FORBIDDEN), ...ALLOWED]) {
    imports.set(from, [...(imports.get(from) ?? []), to]);
    if (to.includes('/')) imports.set(to, imports.get(to) ?? []);
  }
  const [one, other] = FORBIDDEN['no-circles'] ?? ['', ''];
  imports.set(other, [one]);
  for (const [file, targets] of imports) {
    const lines = targets.map((target, index) =>
      target.includes('/')
        ? `export * as it${index} from './${relative(dirname(file), target).replace(/\.tsx?$/, '')}';`
        : `export * as it${index} from '${target}';`,
    );
    await put(file, `${lines.join('\n')}\nexport const here = 1;\n`);
  }
  for (const name of ['stripe', 'next', 'left-undeclared']) {
    await put(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    await put(`node_modules/${name}/index.js`, 'module.exports = {};\n');
  }
  await put('package.json', JSON.stringify({ name: 'tree', dependencies: { stripe: '1.0.0', next: '1.0.0' } }));
  await put('tsconfig.json', JSON.stringify({ compilerOptions: { module: 'ESNext', moduleResolution: 'bundler' } }));
  broken = await judge();
});

afterAll(() => rm(tree, { recursive: true, force: true }));

async function put(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(tree, file)), { recursive: true });
  await writeFile(join(tree, file), text);
}

async function judge(): Promise<Map<string, string[]>> {
  const cruiser = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [cruiser, '--config', CONFIG, '--output-type', 'json', 'server.ts', 'app', 'lib', 'emails'];
  const answer = await promisify(execFile)(process.execPath, args, { cwd: tree, maxBuffer: 64_000_000 }).catch(
    // It exits with the number of errors, which is what this test is after.
    (error: { stdout: string; stderr: string }) => error,
  );
  const { summary } = JSON.parse(answer.stdout) as {
    summary: { violations: { from: string; rule: { name: string; severity: string } }[] };
  };
  const found = new Map<string, string[]>();
  for (const { from, rule } of summary.violations) {
    expect(rule.severity).toBe('error');
    found.set(from, [...(found.get(from) ?? []), rule.name]);
  }
  return found;
}

test.each(config.forbidden)('the rule $name bites, and says why', ({ name, comment }) => {
  const [from] = FORBIDDEN[name] ?? [];
  expect(from, `give ${name} an import that it forbids`).toBeDefined();
  expect(new Set(broken.get(from ?? ''))).toEqual(new Set([name]));
  expect(comment).toMatch(/\w.*\.$/);
});

test('imports that go down the floors are let through', () => {
  for (const [from] of ALLOWED) expect(broken.get(from), from).toBeUndefined();
});
