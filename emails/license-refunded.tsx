import { Facts, Layout, Mono, Paragraph, Paste, Subtitle, Title, To } from './_layout';

export interface LicenseRefundedProps {
  shop: string;
  because: string;
  productNames: string[];
  licenseIds: string[];
  packages: string[];
  /** With its currency. */
  amount: string;
  /** With its zone. */
  refundedAt: string;
  dashboardUrl: string;
}

export function licenseRefundedSubject({ amount, productNames }: LicenseRefundedProps): string {
  return `Refunded: ${amount} for ${productNames.join(', ')}`;
}

export function LicenseRefundedMail(props: LicenseRefundedProps) {
  return (
    <Layout shop={props.shop} because={props.because} preview={`${props.amount} goes back to how you paid.`}>
      <Title>{`Refunded: ${props.productNames.join(', ')}`}</Title>
      <Paragraph>{money(props)}</Paragraph>
      <Facts of={facts(props).map(({ name, fact, isId }) => ({ name, fact: isId ? <Mono>{fact}</Mono> : fact }))} />
      <Subtitle>What happens in the terminal</Subtitle>
      <Paragraph>{terminal(props)}</Paragraph>
      {props.packages.length > 0 && (
        <>
          <Paragraph>{remove}</Paragraph>
          <Paste>{`composer remove ${props.packages.join(' ')}`}</Paste>
        </>
      )}
      <Paragraph>
        {rest} <To href={props.dashboardUrl}>See what you hold</To>.
      </Paragraph>
    </Layout>
  );
}

/** The whole mail for a reader without HTML. */
export function licenseRefundedText(props: LicenseRefundedProps): string {
  const lines = [`Refunded: ${props.productNames.join(', ')}`, '', money(props), ''];
  for (const { name, fact } of facts(props)) lines.push(`${`${name}:`.padEnd(10)}${fact}`);
  lines.push('', 'WHAT HAPPENS IN THE TERMINAL', '', terminal(props));
  if (props.packages.length > 0) lines.push('', remove, '', `    composer remove ${props.packages.join(' ')}`);
  lines.push('', `${rest} What you hold:`, props.dashboardUrl, '', props.because);
  return `${lines.join('\n')}\n`;
}

function money({ amount, licenseIds }: LicenseRefundedProps): string {
  const ended = licenseIds.length > 1 ? 'these licenses have ended' : 'this license has ended';
  return `${amount} goes back to how you paid; your bank may take 5 to 10 business days to show it. With it, ${ended}.`;
}

function facts({
  productNames,
  licenseIds,
  amount,
  refundedAt,
}: LicenseRefundedProps): { name: string; fact: string; isId?: boolean }[] {
  return [
    { name: 'Ended', fact: productNames.join(', ') },
    { name: licenseIds.length > 1 ? 'Licenses' : 'License', fact: licenseIds.join(', '), isId: true },
    { name: 'Refund', fact: amount },
    { name: 'When', fact: refundedAt },
  ];
}

function terminal({ packages, licenseIds }: LicenseRefundedProps): string {
  const it = packages.length > 0 ? packages.join(', ') : 'these packages';
  const ended = licenseIds.length > 1 ? 'these licenses' : 'this license';
  return `Composer can no longer download ${it} on ${ended}. The next install or update that has to fetch it stops with a sentence that says so.`;
}

const remove = 'Unless another license of yours opens it, take it out of the project to keep your builds green:';
const rest = 'Your other licenses, and the credentials that open them, go on as before.';
