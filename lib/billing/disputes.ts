import { type BillingWorld, settleMoneyBack } from './money-back';
import { type MoneyBackSettled, purchaseOfCharge } from './refunds';

/**
 * Brings an order to what Stripe says of a dispute today: an open one withholds, a lost one returns the money, any other
 * end lets go. Inquiries (`warning_*`) and prevented disputes withhold nothing.
 *
 * @throws code `payments-away`; nothing is half-done then
 */
export async function settleDispute(app: BillingWorld, disputeId: string): Promise<MoneyBackSettled> {
  const dispute = await app.payments.dispute(disputeId);
  const charge = dispute?.chargeId ? await app.payments.charge(dispute.chargeId) : null;
  const purchaseId = charge && (await purchaseOfCharge(app, charge));
  if (!charge || !purchaseId) return { outcome: 'not-ours', purchaseId: null };
  await settleMoneyBack(app, purchaseId, async () => ({
    charge,
    refunds: await app.payments.refundsOfCharge(charge.id),
    dispute: await app.payments.dispute(disputeId),
  }));
  return { outcome: 'settled', purchaseId };
}
