/** Currencies that Stripe counts in whole units. https://docs.stripe.com/currencies#zero-decimal */
const ZERO_DECIMAL = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf'.split(' '));

/** `9900`, `eur` → `€99`; cents are shown only where there are some. `minor` is in the currency's smallest unit. */
export function formatMoney(minor: number, currency: string): string {
  const zeroDecimal = ZERO_DECIMAL.has(currency.toLowerCase());
  const amount = zeroDecimal ? minor : minor / 100;
  return new Intl.NumberFormat('en', {
    style: 'currency',
    currency: currency.toUpperCase(),
    minimumFractionDigits: Number.isInteger(amount) || zeroDecimal ? 0 : 2,
  }).format(amount);
}
