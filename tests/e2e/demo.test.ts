import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { aChild, bareEnvironment } from '../support/child';
import { anInstallation, type Installation, type RunningServer } from '../support/running-server';

// Real programs on a machine that may be busy: a test that hangs is noticed late rather than wrongly.
vi.setConfig({ testTimeout: 180_000 });

/** The lines under a heading of the banner. */
function printed(server: RunningServer, heading: RegExp): string[] {
  const lines = server.output().split('\n');
  const start = lines.findIndex((line) => heading.test(line)) + 1;
  if (start === 0) throw new Error(`Nothing like ${heading} was printed:\n${server.output()}`);
  const end = lines.findIndex((line, index) => index >= start && line.trim() === '');
  return lines.slice(start, end).map((line) => line.trim());
}

/** Somebody who has only Composer pastes the lines into an empty folder; what was installed, by Composer's own word. */
async function pastes(lines: string[]): Promise<string> {
  const machine = await mkdtemp(join(tmpdir(), 'latchkey-paste-'));
  onTestFinished(() => rm(machine, { recursive: true, force: true }));
  const home = join(machine, 'home');
  const project = join(machine, 'project');
  for (const folder of [home, project]) await mkdir(folder);
  // Only so that the test asks nobody on the Internet.
  await writeFile(join(home, 'config.json'), JSON.stringify({ repositories: { 'packagist.org': false } }));
  const env = {
    ...bareEnvironment(),
    HOME: machine,
    COMPOSER_HOME: home,
    COMPOSER_CACHE_DIR: join(machine, 'cache'),
    COMPOSER_ALLOW_SUPERUSER: '1',
    COMPOSER_NO_INTERACTION: '1',
  };
  const script = ['set -e', ...lines, 'composer show --name-only'].join('\n');
  const { exit, stdout, stderr } = await aChild('sh', ['-c', script], { cwd: project, env }).ended;
  expect(`${exit} ${exit ? stderr : ''}`).toBe('0 ');
  return stdout;
}

test('the first start prints lines that install a module into an empty folder; the second prints lines that still do', async () => {
  const demo = await anInstallation({ embedded: true, env: { LATCHKEY_DEMO: '1' } });
  onTestFinished(() => demo.remove());

  const first = await demo.start();
  const lines = printed(first, /^Install a module, in an empty folder/);
  const require = lines.find((line) => line.startsWith('composer require ')) ?? '';
  expect(await pastes(lines)).toContain(require.replace('composer require ', ''));
  expect(printed(first, /^Sign in at /).join('\n')).toMatch(/@\S+ .*owner[\s\S]*@/);
  expect(first.output()).toMatch(/Stand-in: mail goes to the outbox/);
  expect(first.output()).toMatch(/Stand-in: Buy opens a pretend checkout/);
  const sold = await products(demo);
  expect((await first.stop()).exit).toBe(0);

  const second = await demo.start();
  const again = printed(second, /^Install a module, in an empty folder/);
  expect(again).toEqual(lines);
  await pastes(again);
  expect(await products(demo)).toBe(sold);
  expect((await second.stop()).exit).toBe(0);
});

async function products(of: Installation): Promise<number> {
  const { app, close } = await of.app();
  try {
    return await app.db.product.count();
  } finally {
    await close();
  }
}
