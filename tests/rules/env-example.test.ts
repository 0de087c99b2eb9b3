import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readEnv } from '../../lib/kit/env';

const ROOT = join(import.meta.dirname, '../..');
const example = readFileSync(join(ROOT, '.env.example'), 'utf8');
const documented = [...example.matchAll(/^# ?([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name, value]) => ({ name, value }));
const known = [...readFileSync(join(ROOT, 'lib/kit/env.ts'), 'utf8').matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map(
  ([, name]) => name,
);

test('every variable that the environment may hold stands in .env.example, and no other', () => {
  expect(known.length).toBeGreaterThan(20);
  const ours = documented.map(({ name }) => name).filter((name) => !name?.startsWith('AWS_'));
  expect([...ours].sort()).toEqual([...known].sort());
});

test('the values of .env.example are ones that the product accepts', () => {
  expect(() => readEnv(Object.fromEntries(documented.map(({ name, value }) => [name, value])))).not.toThrow();
});
