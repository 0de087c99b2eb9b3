import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { migrate } from '../../lib/db/migrate';

const ROOT = join(import.meta.dirname, '../..');

/** The PostgreSQL server of this test run; global-setup starts it and says where it is. */
function server(): URL {
  const url = process.env.LATCHKEY_TEST_POSTGRES;
  if (!url) throw new Error('Run tests through vitest: its global setup starts the database.');
  return new URL(url);
}

async function onServer<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: server().href });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function named(database: string): string {
  const url = server();
  url.pathname = `/${database}`;
  return url.href;
}

function templateName(): string {
  const migrations = join(ROOT, 'prisma/migrations');
  const hash = createHash('sha256');
  for (const name of readdirSync(migrations).sort()) {
    if (name.endsWith('.toml')) continue;
    hash.update(name).update(readFileSync(join(migrations, name, 'migration.sql')));
  }
  return `template_${hash.digest('hex').slice(0, 12)}`;
}

/** Makes the migrated database that every test's own is copied from, once per state of the migrations. */
export async function makeTemplate(): Promise<void> {
  const name = templateName();
  const made = await onServer(async (client) => {
    await client.query(`select pg_advisory_lock(hashtextextended('latchkey-test-template', 0))`);
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount) return false;
    await client.query(`create database "${name}_raw"`);
    await migrate(ROOT, named(`${name}_raw`));
    await client.query(`alter database "${name}_raw" rename to "${name}"`);
    return true;
  });
  if (made) process.stderr.write(`made ${name}\n`);
}

/** A migrated database of its own, empty. `drop` ends whoever is still connected. */
export async function freshDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await onServer((client) => client.query(`create database "${name}" template "${templateName()}"`));
  return {
    url: named(name),
    drop: () => onServer(async (client) => void (await client.query(`drop database if exists "${name}" with (force)`))),
  };
}
