import { absolute, composerHost, paths } from '../paths';

/** What a person pastes to install what a credential opens; each a single command, or a whole file. */
export interface InstallLines {
  /** What Composer keys credentials by: the host, with the port where the URL spells one. */
  host: string;
  authJson: string;
  /** For COMPOSER_AUTH in CI, as one line of JSON. */
  composerAuth: string;
  configBasic: string;
  configBearer: string;
  repository: string;
  /** Null where the shop is served by https: then no project has to allow anything. */
  secureHttp: string | null;
  /** Null where there is nothing to require yet. */
  require: string | null;
}

/** An order may open dozens of packages; a line that requires them all is nobody's wish. */
const REQUIRED_MAX = 6;

/**
 * The lines that mails, pages and the terminal show. Composer matches credentials by the exact host, port included
 * (https://getcomposer.org/doc/articles/authentication-for-private-packages.md), so they are made here and nowhere else.
 *
 * @param secret in clear, or whatever stands for it where it is not shown
 * @param packages Composer names, those to require first
 */
export function installLines(of: {
  appUrl: string;
  username: string;
  secret: string;
  packages: readonly string[];
}): InstallLines {
  const host = composerHost(of.appUrl);
  const credentials = { 'http-basic': { [host]: { username: of.username, password: of.secret } } };
  const project = projectLines(of);
  return {
    host,
    authJson: JSON.stringify(credentials, null, 4),
    composerAuth: JSON.stringify(credentials),
    configBasic: `composer config --global --auth http-basic.${host} ${inShell(of.username)} ${inShell(of.secret)}`,
    configBearer: `composer config --global --auth bearer.${host} ${inShell(of.secret)}`,
    ...project,
  };
}

/** The part of the lines that belongs into a project and holds no credential. */
export function projectLines(of: {
  appUrl: string;
  packages: readonly string[];
}): Pick<InstallLines, 'repository' | 'secureHttp' | 'require'> {
  const name = of.packages[0]?.split('/')[0] ?? new URL(of.appUrl).hostname;
  const required = of.packages.slice(0, REQUIRED_MAX);
  return {
    repository: `composer config repositories.${name} composer ${absolute(of.appUrl, paths.composerRoot())}`,
    // Composer refuses plain http unless the project says otherwise.
    secureHttp: of.appUrl.startsWith('http:') ? 'composer config secure-http false' : null,
    require: required.length > 0 ? `composer require ${required.join(' ')}` : null,
  };
}

/** Our usernames and secrets need no quoting; imported usernames may hold anything. */
function inShell(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
