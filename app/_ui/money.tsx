import { formatMoney } from '../../lib/kit/money';
import { cn } from './cn';

/** An amount in the currency's smallest unit, always with its currency. */
export function Money({ minor, currency, className }: { minor: number; currency: string; className?: string }) {
  return <span className={cn('whitespace-nowrap tabular-nums', className)}>{formatMoney(minor, currency)}</span>;
}
