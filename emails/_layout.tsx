import {
  Body,
  Button,
  Container,
  Head,
  Heading,
  Hr,
  Html,
  Link,
  Preview,
  Section,
  Text,
} from '@react-email/components';
import type { CSSProperties, ReactNode } from 'react';

/**
 * One look for every mail: 600 px, system fonts, colours that hold in the dark. Clients that drop <style> keep the light
 * look, which is all inline; clients that read it follow the reader's scheme.
 */
export function Layout({
  shop,
  preview,
  because,
  children,
}: {
  shop: string;
  preview: string;
  because: string;
  children: ReactNode;
}) {
  return (
    <Html lang="en">
      <Head>
        <meta name="viewport" content="width=device-width" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <style>{css}</style>
      </Head>
      <Body className="page" style={page}>
        <Preview>{preview}</Preview>
        <Container style={column}>
          <Text className="ink" style={masthead}>
            <span className="mark" style={mark} />
            <span style={{ verticalAlign: 'middle' }}>{shop}</span>
          </Text>
          {children}
          <Hr className="rule" style={rule} />
          <Text className="soft" style={small}>
            {because}
          </Text>
        </Container>
      </Body>
    </Html>
  );
}

export function Title({ children }: { children: ReactNode }) {
  return (
    <Heading as="h1" className="ink" style={title}>
      {children}
    </Heading>
  );
}

export function Subtitle({ children }: { children: ReactNode }) {
  return (
    <Heading as="h2" className="ink" style={subtitle}>
      {children}
    </Heading>
  );
}

/** Heads one of several of a kind. */
export function Part({ children }: { children: ReactNode }) {
  return (
    <Heading as="h3" className="ink rule" style={part}>
      {children}
    </Heading>
  );
}

export function Paragraph({ children }: { children: ReactNode }) {
  return (
    <Text className="ink" style={paragraph}>
      {children}
    </Text>
  );
}

/** What stands above a block or beside a fact. */
export function Note({ children }: { children: ReactNode }) {
  return (
    <Text className="soft" style={note}>
      {children}
    </Text>
  );
}

/** Lines to select and paste: they wrap on the screen, never in what is copied. */
export function Paste({ children }: { children: string }) {
  return (
    <pre className="block" style={block}>
      {children.split(/(\s+)/).map((word, place) =>
        word.trim() === '' ? (
          word
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: the words of a line have no other name, and never move.
          <span key={place} style={unbroken}>
            {word}
          </span>
        ),
      )}
    </pre>
  );
}

export function Mono({ children }: { children: ReactNode }) {
  return (
    <span className="ink" style={mono}>
      {children}
    </span>
  );
}

/** The one act of a mail. */
export function Act({ href, children }: { href: string; children: ReactNode }) {
  return (
    <Section style={{ margin: '20px 0' }}>
      <Button className="act" href={href} style={act}>
        {children}
      </Button>
    </Section>
  );
}

export function To({ href, children }: { href: string; children: ReactNode }) {
  return (
    <Link className="link" href={href} style={link}>
      {children}
    </Link>
  );
}

/** Facts as rows, the name at the left. */
export function Facts({ of }: { of: { name: string; fact: ReactNode }[] }) {
  return (
    <table role="presentation" cellPadding="0" cellSpacing="0" style={{ margin: '8px 0 16px', width: '100%' }}>
      <tbody>
        {of.map(({ name, fact }) => (
          <tr key={name}>
            <td className="soft" style={factName}>
              {name}
            </td>
            <td className="ink" style={factText}>
              {fact}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A thing that was bought or ended: its name, and one sentence. */
export function Thing({ name, sentence }: { name: string; sentence: string }) {
  return (
    <Section className="thing" style={thing}>
      <Text className="ink" style={{ ...paragraph, fontWeight: 600, margin: 0 }}>
        {name}
      </Text>
      <Text className="soft" style={{ ...note, margin: 0 }}>
        {sentence}
      </Text>
    </Section>
  );
}

const sans = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif";
const monospace = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace";

const page: CSSProperties = { margin: 0, padding: 0, backgroundColor: '#ffffff', fontFamily: sans };
const column: CSSProperties = { maxWidth: '600px', width: '100%', margin: '0 auto', padding: '32px 20px 40px' };
const masthead: CSSProperties = {
  fontSize: '14px',
  lineHeight: '20px',
  fontWeight: 600,
  color: '#18181b',
  margin: '0 0 32px',
};
const mark: CSSProperties = {
  display: 'inline-block',
  width: '12px',
  height: '12px',
  borderRadius: '3px',
  backgroundColor: '#cf9a35',
  marginRight: '8px',
  verticalAlign: 'middle',
};
const title: CSSProperties = {
  fontSize: '28px',
  lineHeight: '36px',
  fontWeight: 600,
  letterSpacing: '-0.01em',
  color: '#18181b',
  margin: '0 0 16px',
};
const subtitle: CSSProperties = {
  fontSize: '20px',
  lineHeight: '28px',
  fontWeight: 600,
  color: '#18181b',
  margin: '36px 0 8px',
};
const part: CSSProperties = {
  fontSize: '16px',
  lineHeight: '24px',
  fontWeight: 600,
  color: '#18181b',
  margin: '28px 0 4px',
  paddingTop: '20px',
  borderTop: '1px solid #e4e4e7',
};
const paragraph: CSSProperties = { fontSize: '16px', lineHeight: '24px', color: '#18181b', margin: '0 0 12px' };
const note: CSSProperties = { fontSize: '14px', lineHeight: '20px', color: '#52525b', margin: '16px 0 8px' };
const small: CSSProperties = { fontSize: '12px', lineHeight: '18px', color: '#52525b', margin: 0 };
const rule: CSSProperties = { border: 'none', borderTop: '1px solid #e4e4e7', margin: '40px 0 16px' };
const mono: CSSProperties = { fontFamily: monospace, fontSize: '13px', color: '#18181b', overflowWrap: 'anywhere' };
const block: CSSProperties = {
  fontFamily: monospace,
  fontSize: '13px',
  lineHeight: '20px',
  color: '#18181b',
  backgroundColor: '#f4f4f5',
  border: '1px solid #e4e4e7',
  borderRadius: '8px',
  padding: '12px 16px',
  margin: '8px 0 16px',
  whiteSpace: 'pre-wrap',
  overflowWrap: 'anywhere',
};
/** A username breaks at its dashes otherwise, and reads like two. Longer than the line, it still breaks. */
const unbroken: CSSProperties = { display: 'inline-block', maxWidth: '100%', overflowWrap: 'anywhere' };
const act: CSSProperties = {
  backgroundColor: '#cf9a35',
  borderRadius: '8px',
  color: '#18181b',
  fontSize: '16px',
  lineHeight: '24px',
  fontWeight: 600,
  padding: '10px 20px',
  textDecoration: 'none',
};
const link: CSSProperties = { color: '#7a5611', textDecoration: 'underline' };
const thing: CSSProperties = { borderLeft: '3px solid #cf9a35', paddingLeft: '16px', margin: '0 0 16px' };
const factName: CSSProperties = {
  fontSize: '14px',
  lineHeight: '24px',
  color: '#52525b',
  width: '104px',
  verticalAlign: 'baseline',
};
const factText: CSSProperties = { fontSize: '14px', lineHeight: '24px', color: '#18181b', verticalAlign: 'baseline' };

const css = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page, .page td { background-color: #18181b !important; }
  .ink { color: #fafafa !important; }
  .soft { color: #a1a1aa !important; }
  .block { background-color: #27272a !important; border-color: #3f3f46 !important; color: #fafafa !important; }
  .rule { border-top-color: #3f3f46 !important; }
  .mark, .act { background-color: #e7b551 !important; }
  .thing { border-left-color: #e7b551 !important; }
  .link { color: #e7b551 !important; }
}
`;
