import type { EventRow } from '../../lib/audit/canonical';
import { storeEvents } from '../../lib/audit/record';
import type { ReleaseRecord } from '../../lib/catalog/lookup';
import { compareVersions, type Stability, shortVersion } from '../../lib/catalog/versions';
import { credentialRefusal, packageVerdict, type Reason, releaseVerdict } from '../../lib/composer/verdict';
import type { CredentialRecord } from '../../lib/credentials/lookup';
import { transact } from '../../lib/db/transact';
import { addDays, DAY, HOUR, MINUTE, SECOND } from '../../lib/kit/clock';
import { newEventId, randomLower } from '../../lib/kit/ids';
import type { App } from '../../lib/ports/app';
import { LEAK_DAYS_AGO } from './customers';
import { dice } from './past';

const WEEKS = 6;
const BATCH_ROWS = 500;

/** How the machines of an account behave; whoever is not named here is a small shop. */
interface Habits {
  /** Runs of Composer per credential and working day. */
  runsPerDay: number;
  /** Runs at night too, whatever the answer is: a build that nobody looks at. */
  nightly: boolean;
  /** The first is used most. */
  agents: string[];
  /** The network that its machines stand in; the last part is theirs. */
  network: string;
}

const SMALL_SHOP: Habits = {
  runsPerDay: 0.55,
  nightly: false,
  agents: [
    'Composer/2.8.12 (Linux; 6.1.0-37-amd64; PHP 8.2.29; cURL 7.88.1)',
    'Composer/2.7.9 (Windows NT; 10.0; PHP 8.1.33; cURL 8.5.0)',
  ],
  network: '198.51.100.',
};

const HABITS: Record<string, Habits> = {
  'agency@demo.test': {
    runsPerDay: 2.6,
    nightly: false,
    agents: [
      'Composer/2.8.12 (Linux; 6.8.0-85-generic; PHP 8.3.26; cURL 8.5.0; CI)',
      'Composer/2.8.12 (Darwin; 24.6.0; PHP 8.4.13; cURL 8.16.0)',
      'Composer/2.7.1 (Linux; 6.8.0-85-generic; PHP 8.3.6; cURL 8.5.0)',
    ],
    network: '203.0.113.',
  },
  'books@demo.test': {
    ...SMALL_SHOP,
    nightly: true,
    agents: ['Composer/2.2.25 (Linux; 5.10.0-35-amd64; PHP 7.4.33; cURL 7.74.0)'],
    network: '192.0.2.',
  },
  'bakery@demo.test': { ...SMALL_SHOP, agents: ['Composer/2.5.5 (Linux; 6.1.0-35-amd64; PHP 8.2.28; cURL 7.88.1)'] },
  'garden@demo.test': {
    ...SMALL_SHOP,
    runsPerDay: 1.1,
    agents: ['Composer/2.8.11 (Linux; 6.12.41; PHP 8.3.24; cURL 8.14.1; CI)', SMALL_SHOP.agents[0] ?? ''],
    network: '2001:db8:2f1:7::',
  },
};

/** When people work, hour by hour from midnight UTC, in Central Europe. */
const HOURS = [0, 0, 0, 0, 0, 1, 3, 8, 12, 13, 10, 7, 9, 12, 13, 10, 6, 3, 2, 1, 1, 0, 0, 0];

type Shown = Pick<EventRow, 'ip' | 'userAgent'>;
type Roll = () => number;

interface Account extends CredentialRecord {
  email: string | null;
  issuedAt: Date;
}

/**
 * Writes what Composer would have asked in the last six weeks, with the answers that the gate would have given: it is the
 * gate's own verdict on the facts of that instant. Then notes each credential's last use, as the shipper does.
 */
export async function pretendUsage(app: App): Promise<void> {
  const accounts = await accountsOf(app);
  const releases = await releasesOf(app);
  const roll = dice(20_261_122);
  const usage = new Usage(app, releases);
  for (const [place, account] of accounts.entries()) runMachines(usage, account, place, roll);
  leak(usage, accounts, roll);
  guess(usage, roll);
  askWithoutCredential(usage, roll);

  await transact(app, async (tx) => {
    for (let start = 0; start < usage.rows.length; start += BATCH_ROWS) {
      await storeEvents(app, tx, usage.rows.slice(start, start + BATCH_ROWS));
    }
    for (const [id, last] of usage.lastUses) {
      const { at, ip, userAgent } = last;
      const data = { lastValidatedAt: new Date(at), lastUsedIp: ip, lastUserAgent: userAgent };
      await tx.credential.update({ where: { id }, data });
    }
  });
}

/** The events so far, with the gate's verdict on each. */
class Usage {
  readonly rows: EventRow[] = [];
  readonly lastUses = new Map<string, EventRow>();
  readonly now: number;
  readonly from: number;
  readonly #node: string;
  readonly #releases: Map<string, ReleaseRecord[]>;

  constructor(app: App, releases: Map<string, ReleaseRecord[]>) {
    this.now = app.clock.now().getTime();
    this.from = this.now - WEEKS * 7 * DAY;
    this.#node = app.env.nodeName;
    this.#releases = releases;
  }

  add(at: number, facts: Partial<EventRow> & Pick<EventRow, 'action' | 'verdict'>): void {
    const row: EventRow = {
      at,
      id: newEventId(at, this.rows.length),
      reason: null,
      ip: null,
      userAgent: null,
      username: null,
      credentialId: null,
      licenseId: null,
      customerId: null,
      package: null,
      version: null,
      node: this.#node,
      actor: null,
      data: null,
      ...facts,
    };
    this.rows.push(row);
    if (!row.credentialId || row.verdict !== 'admitted') return;
    const last = this.lastUses.get(row.credentialId);
    if (!last || last.at < at) this.lastUses.set(row.credentialId, row);
  }

  /** Null where the credential works at that instant. */
  refusal(account: Account, at: number): Reason | null {
    return credentialRefusal(account, null, new Date(at))?.reason ?? null;
  }

  refused(account: Account, at: number, shown: Shown): void {
    const refusal = credentialRefusal(account, shown.ip, new Date(at));
    if (!refusal) return;
    const { reason, license } = refusal;
    this.add(at, {
      ...whose(account),
      ...shown,
      action: 'repository.read',
      verdict: 'refused',
      reason,
      licenseId: license?.id ?? null,
    });
  }

  /** `composer update`: the repository, what is known of each package, and what is newer than last time. */
  update(account: Account, at: number, shown: Shown, fetches: boolean): void {
    this.add(at, { ...whose(account), ...shown, action: 'repository.read', verdict: 'admitted' });
    for (const [place, name] of namesOf(account).entries()) {
      const verdict = packageVerdict(account, name, new Date(at));
      const asked = at + 90 + place * 7;
      if (verdict.kind === 'covered') {
        const licenseId = verdict.entitlements[0]?.licenseId ?? null;
        this.add(asked, {
          ...whose(account),
          ...shown,
          action: 'metadata.read',
          verdict: 'admitted',
          package: name,
          licenseId,
        });
      }
    }
    if (fetches) this.install(account, at + 400, shown);
  }

  /** `composer install`: the archives of the lock file, then the report of it. */
  install(account: Account, at: number, shown: Shown, wanted?: string): void {
    for (const [place, name] of namesOf(account).entries()) {
      const verdict = packageVerdict(account, name, new Date(at));
      if (verdict.kind !== 'covered') continue;
      const newest = this.#releases
        .get(name)
        ?.find(
          (release) =>
            release.publishedAt.getTime() <= at &&
            (wanted ? release.version === wanted : release.stability === 'stable' && release.withdrawnAt === null) &&
            (wanted !== undefined || 'licenseId' in releaseVerdict(verdict.entitlements, release)),
        );
      if (!newest) continue;
      const answer = releaseVerdict(verdict.entitlements, newest);
      const of = { ...whose(account), ...shown, package: name, version: shortVersion(newest.versionNormalized) };
      const fetched = at + place * 35;
      if ('reason' in answer) {
        const licenseId = verdict.entitlements[0]?.licenseId ?? null;
        this.add(fetched, {
          ...of,
          action: 'archive.downloaded',
          verdict: 'refused',
          reason: answer.reason,
          licenseId,
        });
        continue;
      }
      this.add(fetched, { ...of, action: 'archive.downloaded', verdict: 'admitted', licenseId: answer.licenseId });
      this.add(fetched + 900, { ...of, action: 'install.reported', verdict: 'admitted', licenseId: answer.licenseId });
    }
  }
}

function runMachines(usage: Usage, account: Account, place: number, roll: Roll): void {
  const habits = HABITS[account.email ?? ''] ?? SMALL_SHOP;
  const machine = (run: number): Shown => {
    const first = run < 0.75;
    return {
      ip: `${habits.network}${(10 + place * 3 + (first ? 0 : 1)) % 250}`,
      userAgent: habits.agents[first ? 0 : habits.agents.length - 1] ?? null,
    };
  };
  for (let day = Math.floor(usage.from / DAY) * DAY; day <= usage.now; day += DAY) {
    const runs: number[] = [];
    for (let left = expectedRuns(habits, account, day); left > 0; left--)
      if (roll() < left) runs.push(day + hour(roll));
    if (habits.nightly) runs.push(day + 2 * HOUR + 17 * MINUTE + Math.floor(roll() * 5 * SECOND));
    for (const at of runs) {
      if (at < Math.max(usage.from, account.issuedAt.getTime()) || at > usage.now - MINUTE) continue;
      const shown = machine(roll());
      if (usage.refusal(account, at) !== null) {
        // Most people read the sentence and stop; a build at night does not.
        if (habits.nightly || roll() < 0.25) usage.refused(account, at, shown);
      } else if (roll() < 0.45) usage.update(account, at, shown, roll() < 0.3);
      else usage.install(account, at, shown);
    }
  }
  // Somebody raised the constraint by hand: the newest release is outside of the ended term.
  if (account.email === 'bakery@demo.test') {
    for (const days of [22, 21, 9]) usage.install(account, usage.now - days * DAY + 11 * MINUTE, machine(0), '2.0.0');
  }
}

function expectedRuns({ runsPerDay }: Habits, account: Account, day: number): number {
  const weekday = new Date(day).getUTCDay();
  const asked = weekday === 0 || weekday === 6 ? runsPerDay * 0.1 : runsPerDay;
  // In an overlap the machines are moved over one by one.
  return account.overlapEndsAt && day > account.overlapEndsAt.getTime() - 90 * DAY ? asked * 0.5 : asked;
}

/** The agency's build log was public for an evening; the credential was replaced the next morning. */
function leak(usage: Usage, accounts: readonly Account[], roll: Roll): void {
  const leaked = accounts.find(
    (account) => account.email === 'agency@demo.test' && account.revokedReason === 'rotated',
  );
  if (!leaked?.revokedAt) return;
  const evening = leaked.revokedAt.getTime() - 14 * HOUR;
  for (let stranger = 1; stranger <= 14; stranger++) {
    const shown = {
      ip: `${['203.0.113', '198.51.100', '192.0.2'][stranger % 3]}.${180 + stranger * 5}`,
      userAgent: `Composer/2.${4 + (stranger % 5)}.${stranger % 4} (Linux; 5.15.0; PHP 8.${stranger % 4}.${stranger}; cURL 7.81.0)`,
    };
    const first = evening + Math.floor(roll() * 11 * HOUR);
    usage.update(leaked, first, shown, true);
    if (stranger % 3 === 0) {
      for (let again = 1; again <= 4; again++) usage.refused(leaked, first + again * DAY + again * HOUR, shown);
    }
  }
}

/** Somebody tried usernames from a list, for three minutes in a night. */
function guess(usage: Usage, roll: Roll): void {
  const night = Math.floor((usage.now - (LEAK_DAYS_AGO - 12) * DAY) / DAY) * DAY + 3 * HOUR + 8 * MINUTE;
  for (let attempt = 0; attempt < 170; attempt++) {
    usage.add(night + attempt * 1_040 + Math.floor(roll() * 400), {
      action: 'repository.read',
      verdict: 'refused',
      reason: 'wrong-credential',
      ip: '192.0.2.66',
      userAgent: 'python-requests/2.32.5',
      username: `lk-${['forms', 'wp-forms', 'delivery-dates', 'set'][attempt % 4]}-${randomLower(8)}`,
    });
  }
}

/** What every client asks before it was told a credential, and what crawlers ask anyway. */
function askWithoutCredential(usage: Usage, roll: Roll): void {
  for (let day = Math.floor(usage.from / DAY) * DAY; day <= usage.now; day += DAY) {
    for (let asked = Math.floor(roll() * 4); asked > 0; asked--) {
      const at = day + hour(roll);
      if (at < usage.from || at > usage.now - MINUTE) continue;
      const crawler = roll() < 0.3;
      usage.add(at, {
        action: 'repository.read',
        verdict: 'refused',
        reason: 'no-credential',
        ip: `198.51.100.${100 + Math.floor(roll() * 90)}`,
        userAgent: crawler ? 'Mozilla/5.0 (compatible; ExampleBot/1.0)' : (SMALL_SHOP.agents[0] ?? null),
      });
    }
  }
}

/** Milliseconds after midnight, at an hour when people work. */
function hour(roll: Roll): number {
  let left = roll() * HOURS.reduce((sum, weight) => sum + weight, 0);
  const at = HOURS.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return Math.max(0, at) * HOUR + Math.floor(roll() * HOUR);
}

function whose(account: Account): Pick<EventRow, 'username' | 'credentialId' | 'customerId'> {
  return { username: account.username, credentialId: account.id, customerId: account.customerId };
}

function namesOf(account: Account): string[] {
  return [...new Set(account.licenses.flatMap((license) => [...license.packages.keys()]))].sort();
}

/** Every credential as the gate would read it. */
async function accountsOf(app: App): Promise<Account[]> {
  const rows = await app.db.credential.findMany({
    where: { issuedAt: { lt: addDays(app.clock.now(), -1) } },
    include: {
      customer: true,
      bindings: {
        include: { license: { include: { product: { include: { packages: { include: { package: true } } } } } } },
      },
    },
    orderBy: [{ issuedAt: 'asc' }, { label: 'asc' }, { username: 'asc' }],
  });
  return rows.map(({ customer, bindings, ...credential }) => ({
    ...credential,
    secretDigest: null,
    email: customer.email,
    licenses: bindings.map(({ license: { product, ...license } }) => ({
      ...license,
      productName: product.name,
      minimumStability: product.minimumStability,
      packages: new Map(
        product.packages.map((opened) => [opened.package.name, { ...opened.package, constraint: opened.constraint }]),
      ),
    })),
  }));
}

/** By package, newest first. */
async function releasesOf(app: App): Promise<Map<string, ReleaseRecord[]>> {
  const packages = await app.db.package.findMany({ include: { releases: true } });
  return new Map(
    packages.map(({ name, releases }) => [
      name,
      releases
        .map((release) => ({
          ...release,
          stability: release.stability as Stability,
          metadata: release.metadata as Record<string, unknown>,
          archiveBytes: Number(release.archiveBytes),
        }))
        .sort((a, b) => compareVersions(b.versionNormalized, a.versionNormalized)),
    ]),
  );
}
