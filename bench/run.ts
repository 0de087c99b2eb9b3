import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { coldCredentials } from './cold-credentials';
import { dataPlane } from './data-plane';
import { gateStart } from './gate-start';
import { gateWorkers } from './gate-workers';
import { hasNginx, hasWrk } from './support/load';
import { printTable } from './support/main';

// Every benchmark, one table. `--small` runs each as short as it goes; `--save` keeps the table in RESULTS.md.
const notes = [
  ...(hasWrk
    ? []
    : ['wrk is not installed (apt-get install wrk): a slower load generator of our own stood in for it.']),
  ...(hasNginx ? [] : ['nginx is not installed (apt-get install nginx): nothing was measured beside it.']),
];
for (const note of notes) process.stdout.write(`${note}\n`);
const table = await printTable(dataPlane, coldCredentials, gateStart, gateWorkers);

if (process.argv.includes('--save')) {
  const facts = [
    `- Date: ${new Date().toISOString().slice(0, 10)}`,
    `- Cores: ${availableParallelism()}, shared by the servers, PostgreSQL and the load generator`,
    `- Node ${process.version}, ${process.platform} ${process.arch}`,
    '- Command: `npm run bench -- --save`',
    ...notes.map((note) => `- ${note}`),
  ];
  const text = `# Results

${facts.join('\n')}

Ratios are medians of the rounds' ratios, each round measuring every server in turn; CPU is user and kernel time of all
processes of a server without PostgreSQL, per request, until every audit event is in the database (and sealed, role
\`all\`). Bare Node is \`http\` sending the same bytes; nginx serves them as a file, without authentication, one worker.

${table}
`;
  await writeFile(join(import.meta.dirname, 'RESULTS.md'), text);
}
