// What the npm scripts call: brings the clone up to date, then does what was asked.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endToolsOnSignal, giveUp, prepare, ROOT, readEnvFile, run, SetupFailed } from './prepare.mjs';

const say = (line) => process.stdout.write(`${line}\n`);
const node = (script, args, options) =>
  run(process.execPath, [join(ROOT, 'node_modules', script), ...args], {
    show: true,
    ...options,
    // Debian keeps nginx where an ordinary user's PATH does not look.
    env: { NEXT_TELEMETRY_DISABLED: '1', PATH: `${process.env.PATH}:/usr/sbin:/sbin`, ...options?.env },
  });
const handOver = endToolsOnSignal();

const COMMANDS = { start, dev, build, check, test, bench: script, drill: script, fuzz: script };

async function start() {
  readEnvFile();
  const pagesServed = !['gate', 'worker'].includes(process.env.LATCHKEY_ROLE ?? '');
  await prepare(pagesServed ? 'pages' : 'code', say);
  process.env.NODE_ENV = 'production';
  process.env.NEXT_TELEMETRY_DISABLED = '1';
  endWithNpm();
  handOver();
  // In this very process, so that signals go straight to the server.
  await import(pathToFileURL(join(ROOT, 'dist/server.js')).href);
}

/** Where the shell that npm starts does not pass signals on, or npm itself is killed, nobody else would tell us. */
function endWithNpm() {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 1_000);
  watch.unref();
}

async function dev() {
  readEnvFile();
  await prepare('client', say);
  const { code } = await node('tsx/dist/cli.mjs', ['watch', '--clear-screen=false', 'server.ts', ...args], {
    env: { NODE_ENV: 'development' },
  });
  process.exitCode = code ?? 1;
}

async function build() {
  await prepare('pages', say);
}

/** The long runs, on the compiled product: every benchmark or the one that is named, `bench/drill.ts`, `bench/fuzz.ts`. */
async function script() {
  const isNamed = command === 'bench' && args[0] !== undefined && !args[0].startsWith('-');
  const [name, rest] = isNamed ? [args[0], args.slice(1)] : [command === 'bench' ? 'run' : command, args];
  const file = `bench/${name}.ts`;
  if (!existsSync(join(ROOT, file))) throw new SetupFailed(`There is no ${file} to run.`);
  await prepare('pages', say);
  const { code } = await node('tsx/dist/cli.mjs', [file, ...rest]);
  process.exitCode = code ?? 1;
}

/** Everything quick: no browser, no Composer, no build. */
async function check() {
  await prepare('client', say);
  const slow = ['tests/e2e/**', 'tests/composer-client/**', 'tests/bench/**'];
  await judge([...slow.flatMap((tests) => ['--exclude', tests]), ...args]);
}

async function test() {
  await prepare('packages', say);
  await installTools();
  await prepare('pages', say);
  await judge(args);
}

const TOOLS = [
  { debian: 'composer', isHere: async () => onPath('composer') },
  { debian: 'php-cli', isHere: async () => onPath('php') },
  { debian: 'php-zip', isHere: () => phpHas('zip') },
  { debian: 'php-curl', isHere: () => phpHas('curl') },
  { debian: 'unzip', isHere: async () => onPath('unzip') },
  { debian: 'chromium', isHere: async () => onPath('chromium') },
  { debian: 'nginx', isHere: async () => onPath('nginx') },
];

/** What the tests use beside npm's packages: the real Composer, a browser, the web server that the gate stands behind. */
async function installTools() {
  const missing = await missingTools();
  if (missing.length === 0) return;
  const asRoot = process.getuid?.() === 0;
  if (!asRoot || !onPath('apt-get')) {
    throw new SetupFailed(
      `The tests also need ${missing.join(', ')}. On Debian, as root: apt-get install ${missing.join(' ')}`,
    );
  }
  say(`Installing ${missing.join(', ')} by apt …`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const updated = await run('apt-get', ['update'], { env });
  const installed = await run('apt-get', ['install', '-y', '--no-install-recommends', ...missing], { env });
  const still = await missingTools();
  if (still.length > 0) {
    throw new SetupFailed(
      `apt could not install ${still.join(', ')}; please install them, then run npm test again.`,
      updated.output + installed.output,
    );
  }
}

async function missingTools() {
  const missing = [];
  for (const tool of TOOLS) if (!(await tool.isHere())) missing.push(tool.debian);
  return missing;
}

/** Also where administrators' programs stand, which an ordinary user's PATH often leaves out. */
function onPath(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => existsSync(join(folder, program)));
}

async function phpHas(extension) {
  if (!onPath('php')) return false;
  const { code, output } = await run('php', ['-m']);
  return code === 0 && output.split('\n').includes(extension);
}

/** Runs every judge, also after one found fault, and ends with the line that counts. */
async function judge(vitestArgs) {
  if (existsSync(join(ROOT, 'app')) && !existsSync(join(ROOT, '.next/types'))) {
    await node('next/dist/bin/next', ['typegen'], { show: false });
  }
  const linted = ['server.ts', 'middleware.ts', 'app', 'lib', 'emails', 'bin'].filter((path) =>
    existsSync(join(ROOT, path)),
  );
  const counts = { passed: 0, failed: 0 };
  for (const [title, tool, toolArgs] of [
    ['Types', 'typescript/bin/tsc', ['--noEmit']],
    ['Lint', '@biomejs/biome/bin/biome', ['check', '.']],
    [
      'Import rules',
      'dependency-cruiser/bin/dependency-cruise.mjs',
      ['--config', '.dependency-cruiser.cjs', ...linted],
    ],
  ]) {
    say(`\n${title}`);
    const { code } = await node(tool, toolArgs);
    counts[code === 0 ? 'passed' : 'failed']++;
  }
  say('\nTests');
  const tests = await runVitest(vitestArgs);
  say(`\n${counts.passed + tests.passed} passed, ${counts.failed + tests.failed} failed`);
  if (counts.failed + tests.failed > 0) process.exitCode = 1;
}

async function runVitest(vitestArgs) {
  const report = join(ROOT, `dist/.vitest-${process.pid}.json`);
  try {
    const { code } = await node(
      'vitest/vitest.mjs',
      ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...vitestArgs],
      { env: { NODE_ENV: 'test' } },
    );
    if (!existsSync(report)) return { passed: 0, failed: 1 };
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    // A file that does not even load has no tests to count, and must not pass for it.
    const unloaded = testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
    ).length;
    const failed = numFailedTests + unloaded;
    return { passed: numPassedTests, failed: code !== 0 && failed === 0 ? 1 : failed };
  } finally {
    rmSync(report, { force: true });
  }
}

const [command, ...args] = process.argv.slice(2);
try {
  if (!Object.hasOwn(COMMANDS, command ?? '')) {
    throw new SetupFailed(`Say what to do: node bin/setup.mjs ${Object.keys(COMMANDS).join('|')}`);
  }
  await COMMANDS[command]();
} catch (error) {
  giveUp(error);
}
