import { type InstallLines, installLines } from '../lib/mail/install-lines';
import { absolute, paths } from '../lib/paths';
import type { App } from '../lib/ports/app';
import type { DemoSummary } from '../prisma/seed';

/** What `npm start` says when it serves: where to go, what stands in for whom, and one sequence that works as it is. */
export function bannerLines(app: App, demo: DemoSummary | null): string[] {
  const at = (path: string) => absolute(app.env.appUrl, path);
  const lines = [
    '',
    `Latchkey is ready at ${app.env.appUrl}`,
    '',
    `  Storefront   ${at(paths.home())}`,
    `  Dashboard    ${at(paths.dashboard())}`,
    `  Staff        ${at(paths.consoleAudit())}`,
    `  Repository   ${at(paths.composerRoot())}`,
  ];
  if (app.mailer.name === 'outbox') {
    lines.push(`  Outbox       ${at(paths.outbox())}`, '', 'Stand-in: mail goes to the outbox, not to anybody.');
  }
  if (app.payments.name === 'pretend') {
    lines.push('Stand-in: Buy opens a pretend checkout; no money moves. Set STRIPE_SECRET_KEY for the real one.');
  }
  if (demo) lines.push('', ...demoLines(app, demo));
  lines.push('', 'Ctrl-C stops it.', '');
  return lines;
}

export function printBanner(app: App, demo: DemoSummary | null): void {
  process.stdout.write(`${bannerLines(app, demo).join('\n')}\n`);
}

function demoLines(app: App, demo: DemoSummary): string[] {
  const width = Math.max(...demo.signIns.map(({ email }) => email.length));
  const lines = [
    `Sign in at ${absolute(app.env.appUrl, paths.signIn())} as one of these; the link is in the outbox:`,
    ...demo.signIns.map(({ email, role }) => `  ${email.padEnd(width)}  ${role}`),
  ];
  if (!demo.credential) return lines;
  const install = installLines({
    appUrl: app.env.appUrl,
    username: demo.credential.username,
    secret: demo.credential.secret.reveal(),
    packages: [demo.require],
  });
  return [
    ...lines,
    '',
    'Install a module, in an empty folder:',
    ...installSequence(install).map((line) => `  ${line}`),
  ];
}

/** From an empty folder to an installed package. */
export function installSequence(install: InstallLines): string[] {
  return [
    'composer init --no-interaction --name=demo/shop',
    install.repository,
    install.configBasic,
    install.secureHttp,
    install.require,
  ].filter((line) => line !== null);
}
