import { Act, Layout, Note, Paragraph, Paste, Title } from './_layout';

export interface SignInProps {
  shop: string;
  because: string;
  link: string;
  minutes: number;
  /** With its zone. */
  expiresAt: string;
}

export function signInSubject({ shop }: SignInProps): string {
  return `Sign in to ${shop}`;
}

export function SignInMail(props: SignInProps) {
  return (
    <Layout shop={props.shop} because={props.because} preview={lasts(props)}>
      <Title>{signInSubject(props)}</Title>
      <Paragraph>{lasts(props)}</Paragraph>
      <Act href={props.link}>Sign in</Act>
      <Note>Or open this address:</Note>
      <Paste>{props.link}</Paste>
      <Note>{notYou}</Note>
    </Layout>
  );
}

/** The whole mail for a reader without HTML. */
export function signInText(props: SignInProps): string {
  return `${[signInSubject(props), '', `${lasts(props)} Open it:`, '', props.link, '', notYou, '', props.because].join('\n')}\n`;
}

function lasts({ minutes, expiresAt }: SignInProps): string {
  return `The link works once, for ${minutes} minutes, until ${expiresAt}.`;
}

const notYou = 'If you did not ask for it, there is nothing to do: without the link nobody gets in.';
