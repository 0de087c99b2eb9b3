import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg';

type Connection = Awaited<ReturnType<PrismaPg['connect']>>;

/** The connections that the engine is given; the ones it opened are noted in `opened`. */
function connections(databaseUrl: string, opened: Connection[]): PrismaPg {
  const factory = new PrismaPg({ connectionString: databaseUrl });
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const connection = await connect();
    sendScriptsWhole(connection);
    readInternalChars(connection);
    opened.push(connection);
    return connection;
  };
  factory.connectToShadowDb = () => {
    // The adapter would name another database beside the URL, and the URL goes first: it would empty the real one.
    throw new Error('The schema engine asked for a shadow database; nothing here needs one.');
  };
  return factory;
}

/**
 * The adapter cuts a script at every semicolon, also inside a function's body, and runs the pieces one by one. Sent
 * whole, PostgreSQL cuts it rightly and runs it as one transaction.
 */
function sendScriptsWhole(connection: Connection): void {
  connection.executeScript = async (script) => {
    await connection.underlyingDriver().query(script);
  };
}

/** PostgreSQL's type `"char"`, which its catalogs use; the adapter refuses it and the engine cannot do without. */
const INTERNAL_CHAR = 18;
const TEXT = 25;

function readInternalChars(connection: Connection): void {
  const charsOf = new Map<string, Set<number>>();
  const pool = connection.underlyingDriver();
  type Query = { text: string } | string;
  type Answer = { fields?: { dataTypeID: number }[] };
  const query = pool.query.bind(pool) as unknown as (query: Query) => Promise<Answer>;
  Object.assign(pool, {
    query: async (asked: Query) => {
      const answer = await query(asked);
      const chars = new Set<number>();
      for (const [index, field] of (answer.fields ?? []).entries()) {
        if (field.dataTypeID !== INTERNAL_CHAR) continue;
        field.dataTypeID = TEXT;
        chars.add(index);
      }
      charsOf.set(typeof asked === 'string' ? asked : asked.text, chars);
      return answer;
    },
  });
  const queryRaw = connection.queryRaw.bind(connection);
  connection.queryRaw = async (asked) => {
    const answer = await queryRaw(asked);
    for (const index of charsOf.get(asked.sql) ?? []) answer.columnTypes[index] = ColumnTypeEnum.Character;
    return answer;
  };
}

/**
 * Prisma's schema engine as WebAssembly, against one database. It keeps the same `_prisma_migrations` table as
 * `prisma migrate deploy`, and needs no download.
 *
 * @param root the project's folder: where `prisma/` and `node_modules/` stand
 */
export async function withSchemaEngine<T>(
  root: string,
  databaseUrl: string,
  work: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  const bindings = await loadedBindings(root);
  const schema = await readFile(join(root, 'prisma/schema.prisma'), 'utf8');
  const opened: Connection[] = [];
  const adapter = bindMigrationAwareSqlAdapterFactory(connections(databaseUrl, opened));
  const engine = await bindings.SchemaEngine.new({ datamodels: [['schema.prisma', schema]] }, () => undefined, adapter);
  try {
    return await work(engine);
  } finally {
    engine.free();
    // The engine leaves its connections open: they would keep the process alive for ten seconds and the database in use.
    await Promise.allSettled(opened.map((connection) => connection.dispose()));
  }
}

type Bindings = typeof import('@prisma/schema-engine-wasm/schema_engine_bg');

/**
 * The bindings with their one WebAssembly instance. They keep views of its memory and finalizers for its objects, so a
 * second instance in the same process would be written to as if it were the first.
 */
async function loadedBindings(root: string): Promise<Bindings> {
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  if (isLoaded(bindings)) return bindings;
  const here = createRequire(join(root, 'package.json'));
  const wasm = await readFile(here.resolve('@prisma/schema-engine-wasm/schema_engine_bg').replace(/\.js$/, '.wasm'));
  const { instance } = await WebAssembly.instantiate(wasm, {
    './schema_engine_bg.js': bindings as unknown as WebAssembly.ModuleImports,
  });
  // Somebody else may have been quicker while this one was compiled.
  if (isLoaded(bindings)) return bindings;
  bindings.__wbg_set_wasm(instance.exports);
  (instance.exports as { __wbindgen_start(): void }).__wbindgen_start();
  return bindings;
}

function isLoaded(bindings: Bindings): boolean {
  try {
    return bindings.version() !== '';
  } catch {
    return false;
  }
}
