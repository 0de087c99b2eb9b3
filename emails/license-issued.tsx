import { Act, Facts, Layout, Mono, Note, Paragraph, Part, Paste, Subtitle, Thing, Title, To } from './_layout';

export interface LicenseIssuedProps {
  shop: string;
  /** The last line: why this mail was sent. */
  because: string;
  licenses: { productName: string; standing: string }[];
  /** Leads the mail where the reader already holds a working credential. */
  bind: {
    username: string;
    label: string | null;
    /** One page for each new credential whose licenses can be bound; a GET of it changes nothing. */
    links: { productNames: string[]; url: string }[];
  } | null;
  credentials: {
    username: string;
    secret: string;
    label: string | null;
    productNames: string[];
    authJson: string;
    configBasic: string;
    configBearer: string;
    url: string;
  }[];
  repository: string;
  secureHttp: string | null;
  require: string | null;
  /** How many packages the licenses open beyond those in `require`. */
  packagesBeyond: number;
  dashboardUrl: string;
}

export function licenseIssuedSubject({ licenses, bind }: LicenseIssuedProps): string {
  return `${what(licenses)}: ${bind ? 'bind it to the credential you have' : 'credential and install lines'}`;
}

export function LicenseIssuedMail(props: LicenseIssuedProps) {
  const { licenses, bind, credentials } = props;
  const several = credentials.length > 1;
  return (
    <Layout shop={props.shop} because={props.because} preview={preview(props)}>
      <Title>{what(licenses)}</Title>
      {grouped(licenses).map(({ name, sentence }) => (
        <Thing key={name + sentence} name={name} sentence={sentence} />
      ))}

      {bind && (
        <>
          <Subtitle>Nothing to paste: bind it to the credential you have</Subtitle>
          <Paragraph>
            You already hold the working credential <Mono>{bind.username}</Mono>
            {bind.label ? ` (${bind.label})` : ''}. {whyBind}
          </Paragraph>
          {bind.links.map(({ productNames, url }) => (
            <Act key={url} href={url}>
              {bind.links.length > 1 ? `Bind ${listed(productNames)}` : `Bind to ${bind.username}`}
            </Act>
          ))}
          <Note>{afterBind}</Note>
          {props.require && <Paste>{props.require}</Paste>}
        </>
      )}

      {credentials.length > 0 && (
        <>
          <Subtitle>{bind ? 'Or use the new credential' : 'Install it'}</Subtitle>
          {several && <Paragraph>{oneEach(credentials.length)}</Paragraph>}
        </>
      )}
      {credentials.map((credential, index) => (
        <div key={credential.username}>
          {several && <Part>{oneOf(props, index)}</Part>}
          <Facts
            of={[
              { name: 'Username', fact: <Mono>{credential.username}</Mono> },
              { name: 'Secret', fact: <Mono>{credential.secret}</Mono> },
            ]}
          />
          <Note>{several ? tellComposer : `1. ${tellComposer}`}</Note>
          <Paste>{credential.configBasic}</Paste>
          {several && <OtherWays {...credential} />}
        </div>
      ))}
      {credentials.length > 0 && (
        <>
          {several && <Part>{inProjects}</Part>}
          <Note>{several ? addRepository(props) : `2. ${addRepository(props)}`}</Note>
          <Paste>{[props.repository, props.secureHttp].filter(Boolean).join('\n')}</Paste>
        </>
      )}
      {credentials.length > 0 && props.require && (
        <>
          <Note>{several ? requireIt : `3. ${requireIt}`}</Note>
          <Paste>{props.require}</Paste>
        </>
      )}
      {props.packagesBeyond > 0 && <Note>{beyond(props)}</Note>}

      {credentials.length === 1 && credentials[0] && (
        <>
          <Subtitle>Other ways to give Composer the credential</Subtitle>
          <OtherWays {...credentials[0]} />
        </>
      )}

      {credentials.length > 0 && (
        <>
          <Subtitle>If a secret gets out</Subtitle>
          <Paragraph>{leaked}</Paragraph>
          <Paragraph>
            {credentials.map(({ username, url }, index) => (
              <span key={url}>
                {index > 0 && <br />}
                <To href={url}>Rotate {username}</To>
              </span>
            ))}
          </Paragraph>
        </>
      )}
      <Paragraph>
        Your licenses, credentials and every install are in <To href={props.dashboardUrl}>your dashboard</To>.
      </Paragraph>
    </Layout>
  );
}

function OtherWays({ authJson, configBearer }: { authJson: string; configBearer: string }) {
  return (
    <>
      <Note>{asFile}</Note>
      <Paste>{authJson}</Paste>
      <Note>{asBearer}</Note>
      <Paste>{configBearer}</Paste>
    </>
  );
}

/** The whole mail for a reader without HTML. */
export function licenseIssuedText(props: LicenseIssuedProps): string {
  const { licenses, bind, credentials } = props;
  const several = credentials.length > 1;
  const lines = [what(licenses), ''];
  for (const { name, sentence } of grouped(licenses)) lines.push(`${name}. ${sentence}`);

  if (bind) {
    lines.push(
      '',
      'NOTHING TO PASTE: BIND IT TO THE CREDENTIAL YOU HAVE',
      '',
      `You already hold the working credential ${bind.username}${bind.label ? ` (${bind.label})` : ''}. ${whyBind}`,
      '',
    );
    for (const { productNames, url } of bind.links) lines.push(`Bind ${listed(productNames)}:`, url, '');
    lines.push(afterBind);
    if (props.require) lines.push('', `    ${props.require}`);
  }

  if (credentials.length > 0) {
    lines.push('', bind ? 'OR USE THE NEW CREDENTIAL' : 'INSTALL IT', '');
    if (several) lines.push(oneEach(credentials.length), '');
    credentials.forEach((credential, index) => {
      if (several) {
        lines.push(oneOf(props, index), '');
      }
      lines.push(`Username: ${credential.username}`, `Secret:   ${credential.secret}`, '');
      lines.push(several ? tellComposer : `1. ${tellComposer}`, '', `    ${credential.configBasic}`, '');
      if (several) lines.push(...otherWaysText(credential));
    });
    if (several) lines.push(inProjects, '');
    lines.push(several ? addRepository(props) : `2. ${addRepository(props)}`, '', `    ${props.repository}`);
    if (props.secureHttp) lines.push(`    ${props.secureHttp}`);
    if (props.require) lines.push('', several ? requireIt : `3. ${requireIt}`, '', `    ${props.require}`);
  }
  if (props.packagesBeyond > 0) lines.push('', beyond(props));

  if (credentials.length === 1 && credentials[0]) {
    lines.push('', 'OTHER WAYS TO GIVE COMPOSER THE CREDENTIAL', '', ...otherWaysText(credentials[0]));
  }
  if (credentials.length > 0) {
    lines.push('', 'IF A SECRET GETS OUT', '', leaked, '');
    for (const { username, url } of credentials) lines.push(`Rotate ${username}:`, url);
  }
  lines.push('', 'Your licenses, credentials and every install:', props.dashboardUrl, '', props.because);
  return `${lines.join('\n').replace(/\n{3,}/g, '\n\n')}\n`;
}

function otherWaysText({ authJson, configBearer }: { authJson: string; configBearer: string }): string[] {
  return [asFile, '', authJson.replace(/^/gm, '    '), '', asBearer, '', `    ${configBearer}`, ''];
}

const whyBind =
  'Composer keeps one credential per host, so bind what you bought to that one: every machine that uses it can install ' +
  'it at once.';
const afterBind =
  'The link asks you to sign in and changes nothing until you confirm. Once bound, this is all that is left to do:';
const tellComposer = 'Tell Composer the credential, once per machine:';
const requireIt = 'Require it:';
const inProjects = 'In every project';
const asFile = 'As auth.json, beside composer.json or in your COMPOSER_HOME; keep it out of version control:';
const asBearer = 'Or as a bearer token, without a username:';
const leaked =
  'Rotate it: you get a new username and secret, and the old ones stop at once. The secret stands in this mail only; we ' +
  'keep no copy that could be shown again.';

function addRepository({ secureHttp }: LicenseIssuedProps): string {
  return secureHttp
    ? 'In the folder of your project, add the repository; it is served by plain http here, which the project has to allow:'
    : 'In the folder of your project, add the repository:';
}

function oneEach(count: number): string {
  return `There are ${count} credentials, one for each shop or server that you bought for. Give each place its own.`;
}

function oneOf({ credentials }: LicenseIssuedProps, index: number): string {
  const { productNames = [], label = null } = credentials[index] ?? {};
  return `Credential ${index + 1} of ${credentials.length}, for ${listed(productNames)}${label ? ` (${label})` : ''}`;
}

function beyond({ packagesBeyond }: LicenseIssuedProps): string {
  return packagesBeyond === 1
    ? 'One more package is open to you; your dashboard names it.'
    : `${packagesBeyond} more packages are open to you; your dashboard names them.`;
}

function preview({ bind, credentials }: LicenseIssuedProps): string {
  if (bind) return `Bind it to ${bind.username} and there is nothing to paste.`;
  return credentials.length > 1 ? 'Your credentials, and the lines that install it.' : 'The lines that install it.';
}

function what(licenses: LicenseIssuedProps['licenses']): string {
  const names = [...new Set(licenses.map(({ productName }) => productName))];
  const count = licenses.length === 1 ? 'Your license' : `Your ${licenses.length} licenses`;
  return `${count} for ${names.length > 3 ? `${names.length} products` : listed(names)}`;
}

/** Units of one product that read the same are one entry. */
function grouped(licenses: LicenseIssuedProps['licenses']): { name: string; sentence: string }[] {
  const counts = new Map<string, { name: string; sentence: string; count: number }>();
  for (const { productName, standing } of licenses) {
    const key = `${productName}\n${standing}`;
    const entry = counts.get(key) ?? { name: productName, sentence: standing, count: 0 };
    counts.set(key, { ...entry, count: entry.count + 1 });
  }
  return [...counts.values()].map(({ name, sentence, count }) => ({
    name: count > 1 ? `${count} × ${name}` : name,
    sentence,
  }));
}

function listed(names: string[]): string {
  const unique = [...new Set(names)];
  return unique.length < 2 ? (unique[0] ?? '') : `${unique.slice(0, -1).join(', ')} and ${unique.at(-1)}`;
}
