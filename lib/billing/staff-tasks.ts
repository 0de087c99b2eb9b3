import type { Tx } from '../db/client';
import type { Prisma } from '../db/generated/client';
import { newId } from '../kit/ids';
import type { Needs } from '../ports/app';

export type BillingTaskKind =
  | 'unknown-product'
  | 'foreign-payment'
  | 'payment-without-address'
  | 'partial-refund'
  | 'dispute-opened';

export interface BillingTask {
  kind: BillingTaskKind;
  /** What it is about, such as a session's id: one task per kind and subject, however often it is met. */
  subject: string;
  /** One sentence for the person who will do it. */
  summary: string;
  facts: Prisma.InputJsonObject;
  customerId?: string;
  purchaseId?: string;
}

/** Leaves something for the staff, in the caller's transaction. */
export async function raiseTask(app: Needs<'clock'>, tx: Tx, task: BillingTask): Promise<void> {
  await tx.staffTask.createMany({
    data: [
      {
        id: newId('tsk'),
        kind: task.kind,
        dedupeKey: `${task.kind}:${task.subject}`,
        summary: task.summary,
        facts: task.facts,
        customerId: task.customerId ?? null,
        purchaseId: task.purchaseId ?? null,
        raisedAt: app.clock.now(),
      },
    ],
    skipDuplicates: true,
  });
}

/** Closes tasks that the course of things has answered. */
export async function answerTasks(
  app: Needs<'clock'>,
  tx: Tx,
  tasks: { kind: BillingTaskKind; subject: string }[],
  resolution: string,
): Promise<void> {
  await tx.staffTask.updateMany({
    where: { dedupeKey: { in: tasks.map((task) => `${task.kind}:${task.subject}`) }, resolvedAt: null },
    data: { resolvedAt: app.clock.now(), resolvedBy: 'system', resolution },
  });
}

/** Opens tasks again whose answer no longer holds; what a person answered stays answered. */
export async function reopenTasks(tx: Tx, tasks: { kind: BillingTaskKind; subject: string }[]): Promise<void> {
  await tx.staffTask.updateMany({
    where: { dedupeKey: { in: tasks.map((task) => `${task.kind}:${task.subject}`) }, resolvedBy: 'system' },
    data: { resolvedAt: null, resolvedBy: null, resolution: null },
  });
}
