import { parseArgs } from 'node:util';
import { migrate } from '../lib/db/migrate';
import { readRuntime } from '../lib/db/runtime';
import { databaseUnusable } from '../lib/db/unusable';
import { readEnv } from '../lib/kit/env';
import { isDomainError } from '../lib/kit/errors';
import { jsonLog } from '../lib/kit/log';
import { assemble, openEnvironmentDatabase, projectRoot } from '../lib/wiring';
import { auditCommands } from './commands/audit';
import { catalogCommands } from './commands/catalog';
import { type Answer, type Command, type Invocation, WrongUsage } from './commands/command';
import { jobCommands } from './commands/jobs';
import { licenseCommands } from './commands/licenses';

const COMMANDS: Command[] = [...catalogCommands, ...licenseCommands, ...auditCommands, ...jobCommands];
const EVERYWHERE = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;

async function main(): Promise<number> {
  const words = process.argv.slice(2);
  const command = COMMANDS.find((each) => words.slice(0, each.words.split(' ').length).join(' ') === each.words);
  if (!command) {
    const asked = words.filter((word) => !word.startsWith('-'));
    if (asked.length > 0) process.stderr.write(`There is no command "${asked.slice(0, 2).join(' ')}".\n`);
    process.stderr.write(
      `Commands:\n${COMMANDS.map((each) => `  latchkey ${each.words} ${each.usage}`.trimEnd()).join('\n')}\n`,
    );
    return asked.length === 0 && words.some((word) => word === '--help' || word === '-h') ? 0 : 2;
  }
  try {
    const args = invocation(command, words.slice(command.words.split(' ').length));
    if (args.has('help')) {
      process.stdout.write(`latchkey ${command.words} ${command.usage}\n`);
      return 0;
    }
    return await run(command, args);
  } catch (error) {
    if (!isDomainError(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    if (error.code !== 'wrong-usage') return 1;
    process.stderr.write(`Usage: latchkey ${command.words} ${command.usage}\n`);
    return 2;
  }
}

function invocation(command: Command, words: string[]): Invocation {
  try {
    const { values, positionals } = parseArgs({
      args: words,
      options: { ...command.options, ...EVERYWHERE },
      allowPositionals: true,
      strict: true,
    });
    const given = values as Record<string, string | boolean | string[] | undefined>;
    return {
      operands: positionals,
      text: (flag) => (typeof given[flag] === 'string' ? given[flag] : null),
      texts: (flag) => (Array.isArray(given[flag]) ? given[flag] : []),
      has: (flag) => given[flag] === true,
    };
  } catch (error) {
    throw new WrongUsage(`${error instanceof Error ? error.message : error}`);
  }
}

/** On the database of the running server; where none runs, the embedded one is started for this command and stopped again. */
async function run(command: Command, args: Invocation): Promise<number> {
  const env = readEnv(process.env);
  const log = jsonLog(env.logLevel === 'info' ? 'warn' : env.logLevel);
  const server = env.databaseUrl ? null : await readRuntime(env.dataFolder);
  const database = server
    ? { url: server.databaseUrl, release: async () => undefined }
    : await openEnvironmentDatabase(env, log);
  try {
    if (!server) await migrate(projectRoot(), database.url);
    // The server's own address, so that links in mails and archives lead to where it listens.
    const here = server ? { ...env, port: server.port, appUrl: server.url } : env;
    const { app, close } = await assemble(here, database.url, log);
    try {
      return await tell(await command.run(app, args), args.has('json'));
    } finally {
      await close();
    }
  } catch (error) {
    throw databaseUnusable(error, database.url) ?? error;
  } finally {
    await database.release();
  }
}

async function tell(answer: Answer, asJson: boolean): Promise<number> {
  if (answer.stream) {
    for await (const chunk of answer.stream) await written(chunk);
  } else if (asJson) {
    await written(`${JSON.stringify(answer.json)}\n`);
  } else if (answer.text !== '') {
    await written(`${answer.text}\n`);
  }
  return answer.exitCode ?? 0;
}

/** Waits until a slow reader has taken it, so that a long export stays flat in memory. */
function written(chunk: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

// As in the front door: a warning of Prisma's driver is no business of whoever runs a command.
process.noDeprecation = true;

// A reader that has seen enough (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
}
