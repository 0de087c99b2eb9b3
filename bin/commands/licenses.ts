import { credentialsOfCustomer } from '../../lib/credentials/find';
import { handOutLicense } from '../../lib/credentials/hand-out';
import { issueCredentialFor } from '../../lib/credentials/issue';
import { revokeCredential } from '../../lib/credentials/revoke';
import { rotateCredential } from '../../lib/credentials/rotate';
import { CustomerUnknown, findCustomer } from '../../lib/identity/customers';
import { inviteStaff } from '../../lib/identity/staff';
import { findLicense, type LicenseView, licensesOfCustomer } from '../../lib/licenses/find';
import { LicenseUnknown, revokeLicense } from '../../lib/licenses/revoke';
import { type App, BY_CLI, type Command, operand, required, WrongUsage, wholeNumber } from './command';

export const licenseCommands: Command[] = [
  {
    words: 'license issue',
    usage: '--customer MAIL --product SLUG [--no-mail]',
    options: { customer: { type: 'string' }, product: { type: 'string' }, 'no-mail': { type: 'boolean' } },
    async run(app, args) {
      const { license, credential, secret, productName } = await handOutLicense(app, {
        email: required(args, 'customer'),
        productSlug: required(args, 'product'),
        mail: !args.has('no-mail'),
        by: BY_CLI,
      });
      return {
        json: {
          license: { id: license.id },
          credential: { id: credential.id, username: credential.username, secret: secret.reveal() },
        },
        text: [
          `License ${license.id} for ${productName}.`,
          `Credential ${credential.username}, secret ${secret.reveal()} (shown this once).`,
          args.has('no-mail') ? 'No mail was sent.' : 'The customer gets it by mail.',
        ].join('\n'),
      };
    },
  },
  {
    words: 'license revoke',
    usage: 'ID --reason TEXT',
    options: { reason: { type: 'string' } },
    async run(app, args) {
      const licenseId = operand(args, 0, 'ID');
      await revokeLicense(app, { licenseId, by: BY_CLI, reason: required(args, 'reason') });
      return { json: await shownLicense(app, licenseId), text: `Revoked ${licenseId}. Its next install is refused.` };
    },
  },
  {
    words: 'license show',
    usage: 'ID',
    async run(app, args) {
      const json = await shownLicense(app, operand(args, 0, 'ID'));
      return { json, text: JSON.stringify(json, null, 2) };
    },
  },
  {
    words: 'credential issue',
    usage: '--license ID [--license ID …] [--label TEXT]',
    options: { license: { type: 'string', multiple: true }, label: { type: 'string' } },
    async run(app, args) {
      const licenseIds = args.texts('license');
      if (licenseIds.length === 0) throw new WrongUsage('--license is missing.');
      return issued(await issueCredentialFor(app, { licenseIds, label: args.text('label'), by: BY_CLI }));
    },
  },
  {
    words: 'credential rotate',
    usage: 'ID [--overlap-days N]',
    options: { 'overlap-days': { type: 'string' } },
    async run(app, args) {
      const overlapDays = wholeNumber(args.text('overlap-days') ?? '0', 'overlap-days');
      return issued(await rotateCredential(app, { credentialId: operand(args, 0, 'ID'), by: BY_CLI, overlapDays }));
    },
  },
  {
    words: 'credential revoke',
    usage: 'ID --reason TEXT',
    options: { reason: { type: 'string' } },
    async run(app, args) {
      const credential = await revokeCredential(app, {
        credentialId: operand(args, 0, 'ID'),
        by: BY_CLI,
        reason: required(args, 'reason'),
      });
      return {
        json: { credential: { id: credential.id, username: credential.username, revokedAt: credential.revokedAt } },
        text: `Revoked ${credential.username}. Its next request is refused.`,
      };
    },
  },
  {
    words: 'credential list',
    usage: '[--customer MAIL]',
    options: { customer: { type: 'string' } },
    async run(app, args) {
      const mail = args.text('customer');
      const customers = mail
        ? [await knownCustomer(app, mail)]
        : await app.db.customer.findMany({ orderBy: { createdAt: 'asc' } });
      const lists = await Promise.all(customers.map((customer) => credentialsOfCustomer(app, customer.id)));
      const credentials = lists.flat();
      return {
        json: { credentials },
        text: credentials
          .map((each) => `${each.id}  ${each.username}  ${each.standing}  ${each.label ?? ''}`)
          .join('\n'),
      };
    },
  },
  {
    words: 'customer show',
    usage: 'MAIL',
    async run(app, args) {
      const customer = await knownCustomer(app, operand(args, 0, 'MAIL'));
      const licenses = (await licensesOfCustomer(app, customer.id)).map(shown);
      const credentials = await credentialsOfCustomer(app, customer.id);
      const json = { customer, licenses, credentials };
      return { json, text: JSON.stringify(json, null, 2) };
    },
  },
  {
    words: 'staff invite',
    usage: 'MAIL --role owner|support|auditor',
    options: { role: { type: 'string' } },
    async run(app, args) {
      const role = required(args, 'role');
      if (role !== 'owner' && role !== 'support' && role !== 'auditor') {
        throw new WrongUsage('--role is owner, support or auditor.');
      }
      const email = operand(args, 0, 'MAIL');
      const staff = await inviteStaff(app, { email, role, by: BY_CLI });
      return { json: { staff: { id: staff.id, role } }, text: `${email} is ${role} now and gets a link to sign in.` };
    },
  },
];

async function knownCustomer(app: App, mail: string) {
  const customer = await findCustomer(app, mail);
  if (!customer) throw new CustomerUnknown(mail);
  return customer;
}

async function shownLicense(app: App, id: string) {
  const view = await findLicense(app, id);
  if (!view) throw new LicenseUnknown(id);
  return { license: shown(view) };
}

function shown({ license, product, packages, standing, sentence, purchase }: LicenseView) {
  return {
    ...license,
    product: { id: product.id, slug: product.slug, name: product.name },
    packages,
    standing,
    sentence,
    purchase,
  };
}

function issued({ credential, secret }: Awaited<ReturnType<typeof rotateCredential>>) {
  return {
    json: { credential: { id: credential.id, username: credential.username, secret: secret.reveal() } },
    text: `Credential ${credential.username} (${credential.id}), secret ${secret.reveal()} (shown this once).`,
  };
}
