import type { Tx } from '../db/client';
import type { Credential } from '../db/generated/client';
import { coverage, type Standing, standing } from '../licenses/license';
import type { Needs } from '../ports/app';
import { type CredentialStanding, credentialStanding } from './credential';

/** A credential with what a page or a command says of it; nothing made from its secret. */
export interface CredentialView {
  id: string;
  customerId: string;
  username: string;
  label: string | null;
  standing: CredentialStanding;
  issuedAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  revokedReason: string | null;
  overlapEndsAt: Date | null;
  replacesId: string | null;
  replacedById: string | null;
  addressList: string[];
  lastValidatedAt: Date | null;
  lastUsedIp: string | null;
  lastUserAgent: string | null;
  licenses: { id: string; product: string; slug: string; standing: Standing }[];
  /** Whether any bound license gives something now; a working credential that opens nothing is refused everything. */
  opens: boolean;
}

const SHOWN = {
  replacedBy: { select: { id: true } },
  bindings: {
    include: { license: { include: { product: { select: { name: true, slug: true } } } } },
    orderBy: { boundAt: 'asc' },
  },
} as const;

/** A customer's credentials: working ones first, then newest first. */
export async function credentialsOfCustomer(app: Needs<'db' | 'clock'>, customerId: string): Promise<CredentialView[]> {
  const rows = await app.db.credential.findMany({
    where: { customerId },
    include: SHOWN,
    orderBy: [{ issuedAt: 'desc' }, { id: 'asc' }],
  });
  const views = rows.map((row) => view(row, app.clock.now()));
  return [
    ...views.filter((each) => each.standing === 'working'),
    ...views.filter((each) => each.standing !== 'working'),
  ];
}

export async function findCredential(app: Needs<'db' | 'clock'>, id: string): Promise<CredentialView | null> {
  const row = await app.db.credential.findUnique({ where: { id }, include: SHOWN });
  return row ? view(row, app.clock.now()) : null;
}

type Row = Credential & {
  replacedBy: { id: string } | null;
  bindings: { license: Parameters<typeof coverage>[0] & { id: string; product: { name: string; slug: string } } }[];
};

function view(row: Row, at: Date): CredentialView {
  return {
    id: row.id,
    customerId: row.customerId,
    username: row.username,
    label: row.label,
    standing: credentialStanding(row, at),
    issuedAt: row.issuedAt,
    expiresAt: row.expiresAt,
    revokedAt: row.revokedAt,
    revokedReason: row.revokedReason,
    overlapEndsAt: row.overlapEndsAt,
    replacesId: row.replacesId,
    replacedById: row.replacedBy?.id ?? null,
    addressList: row.addressList,
    lastValidatedAt: row.lastValidatedAt,
    lastUsedIp: row.lastUsedIp,
    lastUserAgent: row.lastUserAgent,
    licenses: row.bindings.map(({ license }) => ({
      id: license.id,
      product: license.product.name,
      slug: license.product.slug,
      standing: standing(license, at),
    })),
    opens: row.bindings.some(({ license }) => coverage(license, at) !== null),
  };
}

/**
 * The credential that a customer's machines use now, if any: working, opening something, used last. One in overlap has a
 * successor already and does not count.
 */
export async function workingCredential(
  app: Needs<'clock'>,
  tx: Tx,
  customerId: string,
): Promise<{ credentialId: string; username: string; label: string | null } | null> {
  const now = app.clock.now();
  const held = await tx.credential.findMany({
    where: { customerId, revokedAt: null, overlapEndsAt: null },
    include: { bindings: { include: { license: true } } },
    orderBy: [{ lastValidatedAt: { sort: 'desc', nulls: 'last' } }, { issuedAt: 'desc' }],
  });
  const working = held.find(
    (each) =>
      credentialStanding(each, now) === 'working' &&
      each.bindings.some(({ license }) => coverage(license, now) !== null),
  );
  return working ? { credentialId: working.id, username: working.username, label: working.label } : null;
}
