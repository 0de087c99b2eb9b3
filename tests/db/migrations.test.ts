import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { diagnose, migrate } from '../../lib/db/migrate';

const ROOT = join(import.meta.dirname, '../..');

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function anEmptyDatabase(): Promise<string> {
  const server = new URL(process.env.LATCHKEY_TEST_POSTGRES ?? '');
  const name = `test_migrations_${randomBytes(6).toString('hex')}`;
  await query(server.href, `create database "${name}"`);
  onTestFinished(async () => void (await query(server.href, `drop database "${name}" with (force)`)));
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

const applied = (url: string) =>
  query<{ migration_name: string }>(
    url,
    'select migration_name from _prisma_migrations where finished_at is not null order by started_at',
  );

test('the migrations make exactly what schema.prisma describes, and leave nothing unapplied', async () => {
  const url = await anEmptyDatabase();
  await migrate(ROOT, url);

  expect(await diagnose(ROOT, url)).toMatchObject({
    drift: null,
    history: null,
    failedMigrationNames: [],
    editedMigrationNames: [],
    hasMigrationsTable: true,
  });
});

test('the diagnosis sees a column that no migration made', async () => {
  const url = await anEmptyDatabase();
  await migrate(ROOT, url);
  await query(url, 'alter table licenses add column surprise text');

  expect((await diagnose(ROOT, url)).drift).toContain('DROP COLUMN "surprise"');
});

test('a second start applies nothing', async () => {
  const url = await anEmptyDatabase();
  const first = await migrate(ROOT, url);
  expect(first.length).toBeGreaterThan(0);

  expect(await migrate(ROOT, url)).toEqual([]);
  expect((await applied(url)).map((row) => row.migration_name)).toEqual(first);
});

// Two nodes that are deployed at the same time: a migration that ran twice would fail half way and stop both.
test('two that start together apply each migration once', async () => {
  const url = await anEmptyDatabase();
  const [one, other] = await Promise.all([migrate(ROOT, url), migrate(ROOT, url)]);

  const names = (await applied(url)).map((row) => row.migration_name);
  expect([...one, ...other].sort()).toEqual([...names].sort());
  expect(new Set(names).size).toBe(names.length);
  expect(await query(url, 'select 1 from graphile_worker.migrations limit 1')).toHaveLength(1);
});
