import { type Ask, hasNginx, load } from './support/load';
import { isMain, printTable } from './support/main';
import { cpuMs, residentBytes, type Subject } from './support/processes';
import {
  asksFor,
  bareNode,
  DOCUMENT_PATH,
  type LatchkeyServer,
  nginx,
  recordedAnswer,
  type Stage,
} from './support/stage';
import { median, milliseconds, perSecond, type Row, ratio, times } from './support/table';

const CONNECTIONS = 32;
const DIST_CONNECTIONS = 8;
const MEMORY_GROWTH_MAX = 32 * 1_048_576;

interface Sample {
  cpuMs: number;
  perSecond: number;
  p99Ms: number;
}

/**
 * A warm authenticated p2 document with and without change, and a 1 MB archive, beside bare Node and nginx, each server
 * after the other in every round. CPU time is that of the whole server without PostgreSQL, until every event of the load
 * is in the audit log and, for role `all`, sealed.
 */
export async function dataPlane(stage: Stage): Promise<Row[]> {
  const { size, holders } = stage;
  const gate = await stage.latchkey('gate', { LATCHKEY_ROLE: 'gate' });
  const all = await stage.latchkey('all', { LATCHKEY_ROLE: 'all' });
  const documentAsks = asksFor(DOCUMENT_PATH, holders);
  const archiveAsks = asksFor(stage.archivePath, holders);
  const { document, unchanged } = await settledDocument(gate.port, holders);
  const lastModified = document.headers['Last-Modified'] ?? '';
  const unchangedAsks = asksFor(DOCUMENT_PATH, holders, { 'If-Modified-Since': lastModified });
  const recorded = [document, unchanged, await recordedAnswer(gate.port, archiveAsks[0])];
  const bare = await bareNode(stage, recorded);
  const web = hasNginx ? await nginx(stage, recorded) : null;
  const subjects = [bare, gate, all, ...(web ? [web] : [])];
  const kinds = [
    { name: 'document', asks: documentAsks, connections: CONNECTIONS, among: subjects },
    { name: 'unchanged', asks: unchangedAsks, connections: CONNECTIONS, among: subjects },
    {
      name: 'archive',
      asks: archiveAsks,
      connections: DIST_CONNECTIONS,
      among: subjects.filter((each) => each !== all),
    },
  ];
  const samples = new Map<string, Sample[]>();
  let memoryBefore = 0;
  for (let round = 1 - size.warmUpRounds; round <= size.rounds; round++) {
    if (round === 1) memoryBefore = residentBytes(gate.pid);
    for (const { name, asks, connections, among } of kinds) {
      for (const subject of among) {
        const sample = await measure(stage, subject, asks, connections, round > 0 ? size.seconds : 1);
        if (round > 0)
          samples.set(`${name} ${subject.name}`, [...(samples.get(`${name} ${subject.name}`) ?? []), sample]);
      }
    }
  }
  const memoryGrowth = residentBytes(gate.pid) - memoryBefore;
  for (const subject of subjects) await subject.stop();

  const of = (kind: string, subject: Subject | null, fact: keyof Sample) =>
    (subject ? (samples.get(`${kind} ${subject.name}`) ?? []) : []).map((sample) => sample[fact]);
  const figures = (kind: string, subject: Subject | null) =>
    subject
      ? `${milliseconds(median(of(kind, subject, 'cpuMs')))}, ${perSecond(median(of(kind, subject, 'perSecond')))}`
      : '';
  const cpuRow = (what: string, kind: string, ours: LatchkeyServer, atMost: number): Row => {
    const measured = ratio(of(kind, ours, 'cpuMs'), of(kind, bare, 'cpuMs'));
    return {
      what,
      target: `≤ ${atMost} × bare Node`,
      measured: times(measured),
      held: Number.isFinite(measured) ? measured <= atMost : null,
      latchkey: figures(kind, ours),
      bareNode: figures(kind, bare),
      nginx: figures(kind, web),
    };
  };
  const p99 = ratio(of('document', gate, 'p99Ms'), of('document', bare, 'p99Ms'));
  const p99Of = (subject: Subject | null) => (subject ? milliseconds(median(of('document', subject, 'p99Ms'))) : '');
  const dist = web ? ratio(of('archive', gate, 'perSecond'), of('archive', web, 'perSecond')) : Number.NaN;
  return [
    cpuRow('p2 200, CPU per request, gate', 'document', gate, 2),
    cpuRow('p2 200, CPU per request, role all', 'document', all, 2.5),
    {
      what: `p2 200, p99 at ${CONNECTIONS} connections, gate`,
      target: '≤ 3 × bare Node',
      measured: times(p99),
      held: p99 <= 3,
      latchkey: p99Of(gate),
      bareNode: p99Of(bare),
      nginx: p99Of(web),
    },
    cpuRow('p2 304, CPU per request, gate', 'unchanged', gate, 1.8),
    {
      what: `dist 1 MB, requests/s at ${DIST_CONNECTIONS} connections`,
      target: '≥ 0.4 × nginx',
      measured: times(dist),
      held: web ? dist >= 0.4 : null,
      latchkey: figures('archive', gate),
      bareNode: figures('archive', bare),
      nginx: figures('archive', web),
    },
    {
      what: 'memory of the gate over all of this',
      target: 'flat (≤ 32 MB more)',
      measured: `${Math.round(memoryGrowth / 1_048_576)} MB more`,
      held: memoryGrowth <= MEMORY_GROWTH_MAX,
      latchkey: `${Math.round((memoryBefore + memoryGrowth) / 1_048_576)} MB`,
    },
  ];
}

async function measure(
  stage: Stage,
  subject: Subject | LatchkeyServer,
  asks: readonly Ask[],
  connections: number,
  seconds: number,
): Promise<Sample> {
  const before = 'shipped' in subject ? await subject.shipped() : 0;
  const cpuBefore = cpuMs(subject.pid);
  const loaded = await load(stage.folder, { port: subject.port, connections, seconds, asks });
  if (loaded.failed > 0) throw new Error(`${subject.name} refused ${loaded.failed} of ${loaded.requests} requests.`);
  if ('settle' in subject) await subject.settle(before + loaded.requests);
  return {
    cpuMs: (cpuMs(subject.pid) - cpuBefore) / loaded.requests,
    perSecond: loaded.requests / loaded.seconds,
    p99Ms: loaded.p99Ms,
  };
}

/** The document and its 304. Until the second of the last change is over, its date may still move and nothing is 304. */
async function settledDocument(port: number, holders: readonly string[]) {
  for (let tries = 0; tries < 50; tries++) {
    const document = await recordedAnswer(port, asksFor(DOCUMENT_PATH, holders)[0]);
    const lastModified = document.headers['Last-Modified'] ?? '';
    const unchanged = await recordedAnswer(
      port,
      asksFor(DOCUMENT_PATH, holders, { 'If-Modified-Since': lastModified })[0],
    );
    if (unchanged.status === 304) return { document, unchanged };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('An unchanged document was never answered 304.');
}

if (isMain(import.meta)) await printTable(dataPlane);
