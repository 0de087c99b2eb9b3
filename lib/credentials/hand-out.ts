import type { Actor } from '../audit/events';
import { findProduct } from '../catalog/products';
import type { Credential, License } from '../db/generated/client';
import { transact } from '../db/transact';
import { customerForEmail, EmailUnreadable, parseEmail } from '../identity/customers';
import { DomainError } from '../kit/errors';
import type { Secret } from '../kit/secret';
import { issueLicense } from '../licenses/issue';
import { standingSentence } from '../licenses/license';
import { sendLater } from '../mail/deliver';
import type { Needs } from '../ports/app';
import { workingCredential } from './find';
import { issueCredential, mintSecrets } from './issue';

export class ProductUnknown extends DomainError {
  constructor(readonly slug: string) {
    super('product-unknown', `There is no product "${slug}".`);
  }
}

interface Gift {
  email: string;
  productSlug: string;
  /** False: whoever asks hands the secret over by other means. */
  mail: boolean;
  by: Actor;
}

/**
 * Gives a customer a license and a credential for it by hand of staff: a gift, a migration, a replacement.
 *
 * @throws {EmailUnreadable} {ProductUnknown}; nothing is made then
 */
export async function handOutLicense(
  app: Needs<'db' | 'clock' | 'env' | 'keys' | 'passwords'>,
  { email, productSlug, mail, by }: Gift,
): Promise<{ license: License; credential: Credential; secret: Secret; productName: string }> {
  const address = parseEmail(email);
  if (!address) throw new EmailUnreadable(email);
  const product = await findProduct(app, productSlug);
  if (!product) throw new ProductUnknown(productSlug);
  const [minted] = await mintSecrets(app, 1);
  if (!minted) throw new Error('No secret was made.');
  return transact(app, async (tx) => {
    const customer = await customerForEmail(app, tx, { email: address, by });
    const bindTo = await workingCredential(app, tx, customer.id);
    const license = await issueLicense(app, tx, { customerId: customer.id, product, origin: 'staff', by });
    const credential = await issueCredential(app, tx, minted, {
      customerId: customer.id,
      licenseIds: [license.id],
      productSlug: product.slug,
      by,
    });
    if (mail) {
      await sendLater(app, tx, {
        kind: 'license-issued',
        to: address,
        customerId: customer.id,
        dedupeKey: license.id,
        props: {
          because: 'staff',
          licenses: [
            {
              licenseId: license.id,
              productName: product.name,
              standing: standingSentence(license, app.clock.now()),
              packages: product.packageNames,
            },
          ],
          credentials: [
            {
              credentialId: credential.id,
              username: credential.username,
              licenseIds: [license.id],
              label: credential.label,
            },
          ],
          bindTo,
        },
        secrets: { [credential.id]: minted.secret },
      });
    }
    return { license, credential, secret: minted.secret, productName: product.name };
  });
}
