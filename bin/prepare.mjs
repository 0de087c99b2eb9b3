// Brings a clone to where it can run: packages, database client, compiled code, Next's build; each only when what it is
// made from changed. Plain JavaScript on Node alone, because it runs before node_modules exist.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { takeLock } from '../lib/db/process-lock.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** A step that failed: a sentence for the person in front of it, and what the tool said. */
export class SetupFailed extends Error {
  constructor(sentence, output = '') {
    super(sentence);
    this.output = output;
  }
}

/** @throws {SetupFailed} where this Node lacks what the packages need (Prisma and Vite both rely on require of ES modules) */
export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  const fits = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 23;
  if (!fits) {
    throw new SetupFailed(
      `Latchkey needs Node 20.19, 22.12 or newer, and this is Node ${version}: please install another.`,
    );
  }
}

const at = (...parts) => join(ROOT, ...parts);

/**
 * In this order, each with what it is made from, the file that says it was made, and how. The stamps stand inside what
 * they speak of, so that removing a result removes its stamp.
 */
const STEPS = [
  {
    name: 'packages',
    sources: ['package.json', 'package-lock.json', '.npmrc'],
    besides: machine,
    stamp: 'node_modules/.latchkey',
    doing: 'Installing the npm packages (the first time this takes a minute or two)',
    make: installPackages,
  },
  {
    name: 'client',
    sources: ['prisma/schema.prisma', 'prisma.config.ts', 'package-lock.json'],
    stamp: 'lib/db/generated/.latchkey',
    doing: 'Generating the database client',
    make: () => runNode('prisma generate', 'prisma/build/index.js', ['generate'], { CHECKPOINT_DISABLE: '1' }),
  },
  {
    name: 'code',
    sources: ['server.ts', 'bin', 'lib', 'emails', 'prisma', 'tsconfig.json', 'package-lock.json'],
    stamp: 'dist/.latchkey',
    doing: 'Compiling the server',
    make: compile,
  },
  {
    name: 'pages',
    sources: [
      ...['app', 'lib', 'emails', 'public', 'prisma/schema.prisma', 'middleware.ts', 'next.config.ts'],
      ...['postcss.config.mjs', 'tsconfig.json', 'package-lock.json'],
    ],
    stamp: '.next/.latchkey',
    doing: 'Building the pages',
    make: () =>
      runNode('next build', 'next/dist/bin/next', ['build'], { NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' }),
  },
];

/**
 * Makes what is missing or stale, up to and including the step named. With nothing to do it takes some milliseconds.
 * Two at once in one folder: the second waits, then finds it done.
 *
 * @param upTo packages, client, code or pages
 * @param say takes one line of progress at a time
 */
export async function prepare(upTo, say) {
  checkNode();
  const steps = STEPS.slice(0, STEPS.findIndex((step) => step.name === upTo) + 1);
  if (steps.every(isFresh)) return;
  const lock = await takeFolder(say);
  try {
    for (const step of steps) {
      if (isFresh(step)) continue;
      say(`${step.doing} …`);
      const began = performance.now();
      // Before, because sources that change meanwhile must make it stale again.
      const print = printOf(step);
      const before = stampOf(step);
      rmSync(at(step.stamp), { force: true });
      await step.make(before);
      mkdirSync(dirname(at(step.stamp)), { recursive: true });
      writeFileSync(at(step.stamp), print);
      say(`${step.doing.replace(/ \(.*/, '')}: done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    }
  } finally {
    await lock.release();
  }
}

async function takeFolder(say) {
  try {
    mkdirSync(at('dist'), { recursive: true });
    return await takeLock(at('dist/.setup.lock'), {
      onWait: (holder) => say(`Waiting for process ${holder.pid}, which is setting up this folder`),
    });
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error;
    throw new SetupFailed(`This user may not write in ${ROOT}, where packages and builds are put (${error.message}).`);
  }
}

function isFresh(step) {
  return stampOf(step) === printOf(step);
}

function stampOf(step) {
  try {
    return readFileSync(at(step.stamp), 'utf8');
  } catch {
    return null;
  }
}

function printOf(step) {
  const hash = createHash('sha256');
  for (const source of step.sources) {
    for (const file of filesUnder(source)) hash.update(`\0${file}\0`).update(readFileSync(at(file)));
  }
  return `${hash.digest('hex')} ${step.besides?.() ?? ''}\n`;
}

function* filesUnder(path) {
  if (path === 'lib/db/generated' || !existsSync(at(path))) return;
  let entries;
  try {
    entries = readdirSync(at(path), { withFileTypes: true });
  } catch (error) {
    if (error.code !== 'ENOTDIR') throw error;
    yield path;
    return;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.isDirectory()) yield* filesUnder(`${path}/${entry.name}`);
    else yield `${path}/${entry.name}`;
  }
}

/** What packages with native parts depend on. */
function machine() {
  return `${process.platform} ${process.arch} ${process.versions.modules}`;
}

async function installPackages(stampBefore) {
  const sameMachine = stampBefore === null || stampBefore.trimEnd().endsWith(machine());
  // Whoever runs npm by hand need not see everything removed and installed again.
  if (sameMachine && packagesMatchLock()) return;
  // npm writes its note last. Without one an earlier installation was cut off, and npm would take half a package for
  // a whole one.
  if (!sameMachine || !existsSync(at(NPM_NOTE))) rmSync(at('node_modules'), { recursive: true, force: true });
  rmSync(at(NPM_NOTE), { force: true });
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const args = [
    // Not `npm ci`: that refuses a lock file written where a registry lacked the packages of other platforms.
    ...['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'],
    // Development packages too, also where NODE_ENV says production: a start compiles. Nobody's scripts are needed.
    ...['--include=dev', '--include=optional', '--ignore-scripts'],
  ];
  const cache = process.env.npm_config_cache ?? join(homedir(), '.npm');
  // A user without a home of its own (nobody, a service account) has nowhere to cache.
  const ownCache = isWritable(cache) ? [] : ['--cache', at('dist/.npm-cache')];
  await runTool('npm install', npm[0], [...npm.slice(1), ...args, ...ownCache]);
  rmSync(at('dist/.npm-cache'), { recursive: true, force: true });
}

const NPM_NOTE = 'node_modules/.package-lock.json';

/** Whether npm noted that everything in package-lock.json that fits this machine stands in node_modules. */
function packagesMatchLock() {
  let installed;
  try {
    installed = JSON.parse(readFileSync(at(NPM_NOTE), 'utf8')).packages;
  } catch {
    return false;
  }
  const { packages: wanted } = JSON.parse(readFileSync(at('package-lock.json'), 'utf8'));
  return Object.keys(wanted).every(
    (path) =>
      path === '' ||
      installed[path]?.integrity === wanted[path].integrity ||
      (wanted[path].optional && !installed[path]),
  );
}

/** True for a folder that may be written, or made where it is missing. */
function isWritable(folder) {
  let present = folder;
  while (!existsSync(present) && dirname(present) !== present) present = dirname(present);
  try {
    accessSync(present, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function compile() {
  const esbuild = await import(pathToFileURL(at('node_modules/esbuild/lib/main.js')).href);
  try {
    await esbuild.build({
      absWorkingDir: ROOT,
      entryPoints: { server: 'server.ts', 'bin/latchkey': 'bin/latchkey.ts' },
      outdir: 'dist',
      // Named by content and never removed while young: a running server may still load a part of what it began with.
      chunkNames: 'chunks/[name]-[hash]',
      bundle: true,
      splitting: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node20',
      jsx: 'automatic',
      sourcemap: true,
      logLevel: 'silent',
      plugins: [nextFiles],
    });
  } catch (error) {
    const messages = error.errors ? await esbuild.formatMessages(error.errors, { kind: 'error' }) : [error.message];
    throw new SetupFailed('The server does not compile.', messages.join('\n'));
  } finally {
    await esbuild.stop();
  }
}

/** The package `next` lists no exports, so Node wants the whole name of a file in it. */
const nextFiles = {
  name: 'next-files',
  setup: (build) =>
    build.onResolve({ filter: /^next\/[^.]+$/ }, ({ path }) => ({ path: `${path}.js`, external: true })),
};

/** The tools that run now, so that a signal ends them as well. */
const running = new Set();
let interruption = null;

/**
 * Until the returned function is called, SIGINT and SIGTERM end the tools that run and then this process. Tools run in
 * groups of their own: a signal to ours would otherwise reach some of their processes and not others.
 */
export function endToolsOnSignal() {
  const handlers = Object.entries({ SIGINT: 130, SIGTERM: 143 }).map(([signal, code]) => {
    const handler = () => {
      if (interruption !== null) return;
      interruption = code;
      if (running.size === 0) process.exit(code);
      for (const child of running) endGroup(child, signal);
      setTimeout(() => {
        for (const child of running) endGroup(child, 'SIGKILL');
      }, 20_000).unref();
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const off of handlers) off();
  };
}

function endGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/**
 * @param show true lets the tool speak for itself, else its output is kept for the case that it fails
 * @returns its exit code and what it said
 */
export function run(command, args, { env = {}, show = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      detached: true,
      stdio: show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', (error) => {
      running.delete(child);
      reject(new SetupFailed(`${command} cannot be run: ${error.message}`));
    });
    child.on('close', (code) => {
      running.delete(child);
      if (interruption !== null) process.exit(interruption);
      resolve({ code, output });
    });
  });
}

/** @throws {SetupFailed} with the tool's output when it fails */
async function runTool(name, command, args, env) {
  const { code, output } = await run(command, args, { env });
  if (code !== 0) throw new SetupFailed(`${name} failed.`, output);
}

function runNode(name, script, args, env) {
  return runTool(name, process.execPath, [at('node_modules', script), ...args], env);
}

/** What `.env` says, where there is one; the environment itself goes first. */
export function readEnvFile() {
  if (existsSync(at('.env'))) process.loadEnvFile(at('.env'));
}

/** Says why it failed and ends the process; anything but a refusal with a sentence is a bug and shows its stack. */
export function giveUp(error) {
  if (error instanceof SetupFailed) {
    if (error.output.trim() !== '') process.stderr.write(`${error.output.trimEnd()}\n\n`);
    process.stderr.write(`${error.message}\n`);
  } else if (error?.domainError) {
    process.stderr.write(`${error.message}\n`);
  } else {
    process.stderr.write(`${error?.stack ?? error}\n`);
  }
  process.exit(1);
}
