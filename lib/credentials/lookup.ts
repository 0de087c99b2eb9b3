import type { Pool } from '../db/client';
import type { LicenseFacts } from '../licenses/license';
import type { CredentialFacts } from './credential';

/** Everything the gate needs to know of a credential, from one indexed read. Instants are Dates. */
export interface CredentialRecord extends CredentialFacts {
  id: string;
  customerId: string;
  username: string;
  secretHash: string;
  secretDigest: Buffer | null;
  digestKeyId: string | null;
  imported: boolean;
  addressList: string[];
  changedAt: Date;
  licenses: LicenseRecord[];
}

export interface LicenseRecord extends LicenseFacts {
  id: string;
  lapse: string;
  productName: string;
  minimumStability: string;
  /** The later of the license's and its product's last change. */
  changedAt: Date;
  packages: Map<string, PackageRecord>;
}

export interface PackageRecord {
  id: string;
  name: string;
  /** A Composer constraint; null opens every version. */
  constraint: string | null;
  revision: number;
  changedAt: Date;
}

const SELECT = `
  select c.id, c.customer_id, c.username, c.secret_hash, c.secret_digest, c.digest_key_id, c.imported, c.address_list,
         c.revoked_at, c.revoked_reason, c.overlap_ends_at, c.expires_at, c.changed_at,
         coalesce((
           select json_agg(json_build_array(
             l.id, l.lapse, p.name, p.minimum_stability,
             extract(epoch from greatest(l.changed_at, p.changed_at)) * 1000,
             extract(epoch from l.covered_until) * 1000,
             extract(epoch from l.suspended_at) * 1000,
             extract(epoch from l.refunded_at) * 1000,
             extract(epoch from l.refund_failed_at) * 1000,
             extract(epoch from l.revoked_at) * 1000,
             extract(epoch from l.reinstated_at) * 1000,
             coalesce((
               select json_agg(json_build_array(k.id, k.name, pp."constraint", k.revision, extract(epoch from k.changed_at) * 1000))
               from product_packages pp join packages k on k.id = pp.package_id
               where pp.product_id = p.id
             ), '[]'::json)
           ) order by l.issued_at, l.id)
           from credential_licenses b
           join licenses l on l.id = b.license_id
           join products p on p.id = l.product_id
           where b.credential_id = c.id
         ), '[]'::json) as licenses
  from credentials c`;

interface Row {
  id: string;
  customer_id: string;
  username: string;
  secret_hash: string;
  secret_digest: Buffer | null;
  digest_key_id: string | null;
  imported: boolean;
  address_list: string[];
  revoked_at: Date | null;
  revoked_reason: string | null;
  overlap_ends_at: Date | null;
  expires_at: Date | null;
  changed_at: Date;
  licenses: LicenseTuple[];
}

type Instant = number | null;
type PackageTuple = [id: string, name: string, constraint: string | null, revision: number, changedAt: number];
type LicenseTuple = [
  id: string,
  lapse: string,
  productName: string,
  minimumStability: string,
  changedAt: number,
  coveredUntil: Instant,
  suspendedAt: Instant,
  refundedAt: Instant,
  refundFailedAt: Instant,
  revokedAt: Instant,
  reinstatedAt: Instant,
  packages: PackageTuple[],
];

/** One prepared statement on a unique index; null where the username is nobody's. */
export async function lookupByUsername(pool: Pool, username: string): Promise<CredentialRecord | null> {
  const { rows } = await pool.query<Row>({
    name: 'credential-by-username',
    text: `${SELECT} where c.username = $1`,
    values: [username],
  });
  return rows[0] ? decode(rows[0]) : null;
}

/** Rows whose secret's SHA-256 begins with these 6 bytes: nearly always one or none. The secret itself still decides. */
export async function lookupBySecret(pool: Pool, lookup: Buffer): Promise<CredentialRecord[]> {
  const { rows } = await pool.query<Row>({
    name: 'credential-by-secret',
    text: `${SELECT} where c.secret_lookup = $1`,
    values: [lookup],
  });
  return rows.map(decode);
}

/** Credentials that changed since an instant, themselves or through a license, with the time of the last change. */
export async function credentialsChangedSince(pool: Pool, since: Date): Promise<Map<string, Date>> {
  const { rows } = await pool.query<{ id: string; changed_at: Date }>({
    name: 'credentials-changed',
    text: `select id, max(changed_at) as changed_at from (
             select id, changed_at from credentials where changed_at >= $1
             union all
             select b.credential_id, l.changed_at
             from licenses l join credential_licenses b on b.license_id = l.id where l.changed_at >= $1
           ) as changes group by id`,
    values: [since],
  });
  return new Map(rows.map((row) => [row.id, row.changed_at]));
}

/** Keeps the keyed digest of a secret that bcrypt has just confirmed, so that the next cold check costs microseconds. */
export async function fillInDigest(
  pool: Pool,
  credentialId: string,
  digest: Buffer,
  digestKeyId: string,
): Promise<void> {
  await pool.query('update credentials set secret_digest = $2, digest_key_id = $3 where id = $1', [
    credentialId,
    digest,
    digestKeyId,
  ]);
}

function decode(row: Row): CredentialRecord {
  return {
    id: row.id,
    customerId: row.customer_id,
    username: row.username,
    secretHash: row.secret_hash,
    secretDigest: row.secret_digest,
    digestKeyId: row.digest_key_id,
    imported: row.imported,
    addressList: row.address_list,
    revokedAt: row.revoked_at,
    revokedReason: row.revoked_reason,
    overlapEndsAt: row.overlap_ends_at,
    expiresAt: row.expires_at,
    changedAt: row.changed_at,
    licenses: row.licenses.map(decodeLicense),
  };
}

function decodeLicense(tuple: LicenseTuple): LicenseRecord {
  const [
    id,
    lapse,
    productName,
    minimumStability,
    changedAt,
    covered,
    suspended,
    refunded,
    failed,
    revoked,
    reinstated,
    packages,
  ] = tuple;
  return {
    id,
    lapse,
    productName,
    minimumStability,
    changedAt: new Date(changedAt),
    coveredUntil: instant(covered),
    suspendedAt: instant(suspended),
    refundedAt: instant(refunded),
    refundFailedAt: instant(failed),
    revokedAt: instant(revoked),
    reinstatedAt: instant(reinstated),
    packages: new Map(
      packages.map(([packageId, name, constraint, revision, changed]) => [
        name,
        { id: packageId, name, constraint, revision, changedAt: new Date(changed) },
      ]),
    ),
  };
}

function instant(milliseconds: Instant): Date | null {
  return milliseconds === null ? null : new Date(milliseconds);
}
