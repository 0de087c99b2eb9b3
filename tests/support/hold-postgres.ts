import { ensureEmbedded } from '../../lib/db/embedded';
import { claimDataFolder, writeRuntime } from '../../lib/db/runtime';
import { silentLog } from '../../lib/kit/log';

// A process that holds an embedded PostgreSQL and the claim on its data folder until its stdin ends.
// Says what it got on one line; killed in between, it leaves behind what a killed server leaves.
const [root = '', dataFolder = ''] = process.argv.slice(2);
const claim = await claimDataFolder(dataFolder, 'other');
const { release, ...embedded } = await ensureEmbedded({ root, dataFolder, log: silentLog, settings: { fsync: 'off' } });
await writeRuntime(dataFolder, { port: 3999, url: 'http://localhost:3999', databaseUrl: embedded.url });
process.stdout.write(`${JSON.stringify(embedded)}\n`);
process.stdin.resume().on('end', async () => {
  await release();
  await claim.release();
  process.stdout.write('released\n');
});
