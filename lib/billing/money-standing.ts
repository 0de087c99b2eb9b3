/** What the payment provider says of an order's money after it was paid. */
export interface MoneyFacts {
  /** What the charge took, in the currency's smallest unit. */
  paidMinor: number;
  refunds: RefundFacts[];
  disputes: DisputeFacts[];
}

export interface RefundFacts {
  id: string;
  amountMinor: number;
  status: string;
  /** The licenses of this order that it was given for; empty where it names none. */
  licenseIds: string[];
}

export interface DisputeFacts {
  id: string;
  amountMinor: number;
  status: string;
}

/** `kept`: the vendor has the money; `returned`: the buyer has it back; between them, nobody knows yet. */
export type MoneyStanding = 'kept' | 'refund-pending' | 'disputed' | 'returned';

const NOTHING_CAME_BACK = { refunds: [], disputes: [] };

export function nothingBack(paidMinor: number): MoneyFacts {
  return { paidMinor, ...NOTHING_CAME_BACK };
}

/**
 * Where the money of one license stands.
 *
 * Refunds name no line, so a license's money is returned only when its whole order's is, by however many refunds and lost
 * disputes together, or when a refund names the license. Any other part given back changes nothing (domain.md, License).
 */
export function moneyStanding(licenseId: string, order: MoneyFacts): MoneyStanding {
  const naming = order.refunds.filter((refund) => refund.licenseIds.includes(licenseId));
  if (isReturnedInFull(order) || naming.some(hasSucceeded)) return 'returned';
  if (order.disputes.some(isOpen)) return 'disputed';
  const underWay = sum(order.refunds.filter(isUnderWay));
  if (naming.some(isUnderWay) || (underWay > 0 && returnedMinor(order) + underWay >= order.paidMinor)) {
    return 'refund-pending';
  }
  return 'kept';
}

export function isReturnedInFull(order: MoneyFacts): boolean {
  const returned = returnedMinor(order);
  return returned > 0 && returned >= order.paidMinor;
}

/** Given back for good, by refund or by a lost dispute. */
export function returnedMinor(order: MoneyFacts): number {
  return sum(order.refunds.filter(hasSucceeded)) + sum(order.disputes.filter((dispute) => dispute.status === 'lost'));
}

export function hasSucceeded(refund: RefundFacts): boolean {
  return refund.status === 'succeeded';
}

function isUnderWay(refund: RefundFacts): boolean {
  return refund.status === 'pending' || refund.status === 'requires_action';
}

/** Inquiries (`warning_*`) and prevented disputes take no money, so they withhold nothing. */
function isOpen(dispute: DisputeFacts): boolean {
  return ['needs_response', 'under_review', 'appeal_needs_response', 'appeal_under_review'].includes(dispute.status);
}

function sum(amounts: { amountMinor: number }[]): number {
  return amounts.reduce((total, each) => total + each.amountMinor, 0);
}
