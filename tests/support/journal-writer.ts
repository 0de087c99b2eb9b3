import { Pool } from 'pg';
import { openJournal } from '../../lib/audit/journal';
import { startShipper } from '../../lib/audit/shipper';
import { systemClock } from '../../lib/kit/clock';
import { silentLog } from '../../lib/kit/log';
import { keyRing } from '../../lib/kit/seal';
import { aGateEvent } from './gate-events';

// A gate under load, to be killed: says on stdout which requests it would have answered by now.
const [folder = '', databaseUrl = '', life = ''] = process.argv.slice(2);
const journal = openJournal({
  folder,
  nodeName: 'doomed',
  clock: systemClock,
  log: silentLog,
  reserveBytes: 0,
  segmentBytesMax: 100_000,
});
const keys = keyRing(Buffer.alloc(32, 7));
startShipper({ pool: new Pool({ connectionString: databaseUrl }), keys, log: silentLog, journal });

let number = 0;
function turn(): void {
  for (let request = 0; request < 8; request++) {
    const version = `${life}.0.${number++}`;
    journal.append(aGateEvent({ version }), (error) => {
      if (!error) process.stdout.write(`answered ${version};\n`);
    });
  }
  setTimeout(turn, 0);
}
turn();
