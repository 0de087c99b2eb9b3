import { Act, Facts, Layout, Mono, Paragraph, Title } from './_layout';

export interface CredentialRotatedProps {
  shop: string;
  because: string;
  username: string;
  replacedUsername: string;
  label: string | null;
  by: string;
  /** With its zone. */
  rotatedAt: string;
  /** With its zone; null where the old one stopped at once. */
  overlapEndsAt: string | null;
  credentialUrl: string;
}

export function credentialRotatedSubject({ replacedUsername }: CredentialRotatedProps): string {
  return `Credential replaced: ${replacedUsername}`;
}

export function CredentialRotatedMail(props: CredentialRotatedProps) {
  return (
    <Layout shop={props.shop} because={props.because} preview={oldOne(props)}>
      <Title>A credential was replaced</Title>
      <Paragraph>{oldOne(props)}</Paragraph>
      <Facts
        of={[
          { name: 'Old', fact: <Mono>{props.replacedUsername}</Mono> },
          { name: 'New', fact: <Mono>{props.username}</Mono> },
          ...(props.label ? [{ name: 'Label', fact: props.label }] : []),
          { name: 'Replaced by', fact: props.by },
          { name: 'When', fact: props.rotatedAt },
        ]}
      />
      <Paragraph>{secretIs}</Paragraph>
      <Paragraph>{notYou}</Paragraph>
      <Act href={props.credentialUrl}>Open the credential</Act>
    </Layout>
  );
}

/** The whole mail for a reader without HTML. */
export function credentialRotatedText(props: CredentialRotatedProps): string {
  const lines = ['A credential was replaced', '', oldOne(props), ''];
  lines.push(`Old:         ${props.replacedUsername}`, `New:         ${props.username}`);
  if (props.label) lines.push(`Label:       ${props.label}`);
  lines.push(`Replaced by: ${props.by}`, `When:        ${props.rotatedAt}`);
  lines.push('', secretIs, '', notYou, '', props.credentialUrl, '', props.because);
  return `${lines.join('\n')}\n`;
}

function oldOne({ replacedUsername, overlapEndsAt }: CredentialRotatedProps): string {
  return overlapEndsAt
    ? `${replacedUsername} goes on working until ${overlapEndsAt}, beside its successor. Change it wherever it is still used.`
    : `${replacedUsername} has stopped working. Every machine that still uses it needs the new one.`;
}

const secretIs = 'The new secret was shown once, to whoever replaced it. It is not in this mail.';
const notYou =
  'If you do not know who this was, rotate the new credential too; everything it was used for is listed beside it.';
