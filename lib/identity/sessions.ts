import { randomBytes } from 'node:crypto';
import type { Actor } from '../audit/events';
import { record } from '../audit/record';
import type { Tx } from '../db/client';
import { transact } from '../db/transact';
import { addDays } from '../kit/clock';
import { newId } from '../kit/ids';
import { tokenHash } from '../kit/seal';
import type { Needs } from '../ports/app';

/** A session ends this long after sign-in, used or not. */
export const SESSION_DAYS = 30;

/** What the audit log keeps of a browser. */
export interface Visitor {
  ip: string | null;
  userAgent: string | null;
}

/** What the session cookie is called; the token is its value. The names are next-auth's own. */
export function sessionCookie(app: Needs<'env'>): string {
  return `${secureCookies(app) ? '__Secure-' : ''}next-auth.session-token`;
}

export function secureCookies(app: Needs<'env'>): boolean {
  return app.env.appUrl.startsWith('https://');
}

/** 256 random bits for a cookie or a link; only its hash is ever stored. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Starts a session for the holder of `token`, which itself is stored nowhere. */
export async function startSession(
  app: Needs<'db' | 'clock' | 'env' | 'keys'>,
  { userId, token, visitor }: { userId: string; token: string; visitor: Visitor },
): Promise<{ id: string; expiresAt: Date }> {
  return transact(app, async (tx) => {
    const now = app.clock.now();
    const session = await tx.session.create({
      data: {
        id: newId('ses'),
        tokenHash: Uint8Array.from(tokenHash(token)),
        userId,
        createdAt: now,
        expiresAt: addDays(now, SESSION_DAYS),
        lastSeenAt: now,
        ip: visitor.ip,
        userAgent: visitor.userAgent,
      },
    });
    await record(app, tx, {
      action: 'session.started',
      by: await actorOf(tx, userId),
      ...visitor,
      data: { sessionId: session.id },
    });
    return { id: session.id, expiresAt: session.expiresAt };
  });
}

/** Ends the session of this token; an unknown or ended one is left as it is. */
export async function endSession(
  app: Needs<'db' | 'clock' | 'env' | 'keys'>,
  { token, visitor }: { token: string; visitor: Visitor },
): Promise<void> {
  await transact(app, async (tx) => {
    const session = await tx.session.findUnique({ where: { tokenHash: Uint8Array.from(tokenHash(token)) } });
    if (!session) return;
    const ended = await tx.session.updateMany({
      where: { id: session.id, endedAt: null },
      data: { endedAt: app.clock.now() },
    });
    if (ended.count === 0) return;
    await record(app, tx, {
      action: 'session.ended',
      by: await actorOf(tx, session.userId),
      ...visitor,
      data: { sessionId: session.id },
    });
  });
}

/** Ends every open session of a person, in the transaction that takes their last place away. */
export async function endSessionsOf(
  app: Needs<'clock' | 'env' | 'keys'>,
  tx: Tx,
  { userId, by, reason }: { userId: string; by: Actor; reason: string },
): Promise<void> {
  const open = await tx.session.findMany({ where: { userId, endedAt: null }, select: { id: true } });
  if (open.length === 0) return;
  const ids = open.map((session) => session.id);
  await tx.session.updateMany({ where: { id: { in: ids }, endedAt: null }, data: { endedAt: app.clock.now() } });
  await record(
    app,
    tx,
    ...ids.map((id) => ({ action: 'session.ended' as const, by, reason, data: { sessionId: id } })),
  );
}

async function actorOf(tx: Tx, userId: string): Promise<Actor> {
  const staff = await tx.staff.findFirst({ where: { userId, removedAt: null }, select: { id: true } });
  return { kind: staff ? 'staff' : 'member', userId };
}
