import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg';

type Connection = Awaited<ReturnType<PrismaPg['connect']>>;

/**
 * The adapter cuts a script at every semicolon, also inside a function's body, and runs the pieces one by one. Sent
 * whole, PostgreSQL cuts it rightly and runs it as one transaction.
 */
function wholeScripts(factory: PrismaPg, opened: Connection[]): PrismaPg {
  const whole = (connection: Connection): Connection => {
    connection.executeScript = async (script) => {
      await connection.underlyingDriver().query(script);
    };
    opened.push(connection);
    return connection;
  };
  const connect = factory.connect.bind(factory);
  const connectToShadowDb = factory.connectToShadowDb.bind(factory);
  factory.connect = async () => whole(await connect());
  factory.connectToShadowDb = async () => whole(await connectToShadowDb());
  return factory;
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
  const here = createRequire(join(root, 'package.json'));
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const wasm = await readFile(here.resolve('@prisma/schema-engine-wasm/schema_engine_bg').replace(/\.js$/, '.wasm'));
  const { instance } = await WebAssembly.instantiate(wasm, {
    './schema_engine_bg.js': bindings as unknown as WebAssembly.ModuleImports,
  });
  bindings.__wbg_set_wasm(instance.exports);
  (instance.exports as { __wbindgen_start(): void }).__wbindgen_start();

  const schema = await readFile(join(root, 'prisma/schema.prisma'), 'utf8');
  const opened: Connection[] = [];
  const adapter = bindMigrationAwareSqlAdapterFactory(
    wholeScripts(new PrismaPg({ connectionString: databaseUrl }), opened),
  );
  const engine = await bindings.SchemaEngine.new({ datamodels: [['schema.prisma', schema]] }, () => undefined, adapter);
  try {
    return await work(engine);
  } finally {
    engine.free();
    // The engine leaves its connections open: they would keep the process alive for ten seconds and the database in use.
    await Promise.allSettled(opened.map((connection) => connection.dispose()));
  }
}
