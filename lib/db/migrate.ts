import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiagnoseMigrationHistoryOutput, MigrationList } from '@prisma/schema-engine-wasm/schema_engine_bg';
import { runMigrations } from 'graphile-worker';
import { Client, Pool } from 'pg';
import { withSchemaEngine } from './schema-engine';

const NO_FILTER = { externalTables: [], externalEnums: [] };

/**
 * Brings a database to the present schema: our migrations, then the job queue's own. Safe to call at every start; with
 * nothing to do it costs two queries. Two processes that start together apply each migration once.
 *
 * @returns the names of the migrations that were applied now
 */
export async function migrate(root: string, databaseUrl: string): Promise<string[]> {
  // One at a time: the schema engine's own lock fails after ten seconds, this one waits.
  const gatekeeper = new Client({ connectionString: databaseUrl });
  await gatekeeper.connect();
  try {
    await gatekeeper.query(`select pg_advisory_lock(hashtextextended('latchkey-migrate', 0))`);
    const migrations = await readMigrations(root);
    const names = migrations.migrationDirectories.map((directory) => directory.path);
    const applied = (await hasApplied(gatekeeper, names))
      ? []
      : await withSchemaEngine(root, databaseUrl, async (engine) => {
          const answer = await engine.applyMigrations({ migrationsList: migrations, filters: NO_FILTER });
          return answer.appliedMigrationNames;
        });
    if (!(await queueIsCurrent(gatekeeper))) {
      const pool = new Pool({ connectionString: databaseUrl, max: 2 });
      await runMigrations({ pgPool: pool, logger: undefined });
      await pool.end();
    }
    return applied;
  } finally {
    await gatekeeper.end();
  }
}

export interface Diagnosis extends DiagnoseMigrationHistoryOutput {
  /** The SQL that would bring the database to what `schema.prisma` describes; null where they agree. */
  drift: string | null;
}

/** What Prisma's engine finds when it compares a database with the migrations and with the schema. Changes nothing. */
export async function diagnose(root: string, databaseUrl: string): Promise<Diagnosis> {
  const migrations = await readMigrations(root);
  const files = [{ path: 'schema.prisma', content: await readFile(join(root, 'prisma/schema.prisma'), 'utf8') }];
  return withSchemaEngine(root, databaseUrl, async (engine) => {
    const history = await engine.diagnoseMigrationHistory({
      migrationsList: migrations,
      optInToShadowDatabase: false,
      filters: NO_FILTER,
    });
    const difference = await engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: root },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: true,
      filters: NO_FILTER,
    });
    return { ...history, drift: difference.exitCode === 0 ? null : difference.stdout };
  });
}

async function readMigrations(root: string): Promise<MigrationList> {
  const baseDir = join(root, 'prisma/migrations');
  const names = (await readdir(baseDir, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: await readFile(join(baseDir, 'migration_lock.toml'), 'utf8') },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.map(async (name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok' as const, value: await readFile(join(baseDir, name, 'migration.sql'), 'utf8') },
        },
      })),
    ),
  };
}

async function hasApplied(client: Client, names: readonly string[]): Promise<boolean> {
  const { rows } = await client.query<{ known: boolean }>(
    `select to_regclass('public._prisma_migrations') is not null as known`,
  );
  if (!rows[0]?.known) return false;
  const finished = await client.query<{ migration_name: string }>(
    'select migration_name from _prisma_migrations where finished_at is not null and rolled_back_at is null',
  );
  const applied = new Set(finished.rows.map((row) => row.migration_name));
  return names.every((name) => applied.has(name));
}

/** The last migration of graphile-worker 0.16; a newer one is applied by its own tool at the next upgrade. */
const QUEUE_MIGRATION = 18;

async function queueIsCurrent(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ known: boolean }>(
    `select to_regclass('graphile_worker.migrations') is not null as known`,
  );
  if (!rows[0]?.known) return false;
  const last = await client.query<{ id: number }>('select max(id) as id from graphile_worker.migrations');
  return (last.rows[0]?.id ?? 0) >= QUEUE_MIGRATION;
}
