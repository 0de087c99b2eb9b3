import { render } from '@react-email/render';
import { createElement, type ReactElement } from 'react';
import {
  CredentialRotatedMail,
  credentialRotatedSubject,
  credentialRotatedText,
} from '../../emails/credential-rotated';
import {
  LicenseIssuedMail,
  type LicenseIssuedProps,
  licenseIssuedSubject,
  licenseIssuedText,
} from '../../emails/license-issued';
import { LicenseRefundedMail, licenseRefundedSubject, licenseRefundedText } from '../../emails/license-refunded';
import { SignInMail, signInSubject, signInText } from '../../emails/sign-in';
import { MINUTE } from '../kit/clock';
import { formatMoney } from '../kit/money';
import { absolute, paths } from '../paths';
import { installLines, projectLines } from './install-lines';
import type { Message, MessageOf } from './messages';

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

/** What a mail says besides its message. The same facts give the same bytes, so that a second try is the same mail. */
export interface Letterhead {
  appUrl: string;
  /** `MAIL_FROM`; its display name heads the mail. */
  from: string;
  createdAt: Date;
}

/** Subject, text part and HTML part of a message, secrets included. */
export async function renderMail(message: Message, head: Letterhead): Promise<RenderedMail> {
  const { subject, text, element } = written(message, head);
  return { subject, text, html: await render(element) };
}

interface Written {
  subject: string;
  text: string;
  element: ReactElement;
}

function written(message: Message, head: Letterhead): Written {
  const shop = shopName(head);
  switch (message.kind) {
    case 'license-issued': {
      const props = licenseIssuedProps(message, head);
      return {
        subject: licenseIssuedSubject(props),
        text: licenseIssuedText(props),
        element: createElement(LicenseIssuedMail, props),
      };
    }
    case 'license-refunded': {
      const { licenses, amountMinor, currency, refundedAt } = message.props;
      const props = {
        shop,
        because: `You receive this mail because an order made with ${message.to} at ${shop} was refunded.`,
        productNames: distinct(licenses.map((license) => license.productName)),
        licenseIds: licenses.map((license) => license.licenseId),
        packages: distinct(licenses.flatMap((license) => license.packages)),
        amount: formatMoney(amountMinor, currency),
        refundedAt: dayAndTime(new Date(refundedAt)),
        dashboardUrl: absolute(head.appUrl, paths.dashboard()),
      };
      return {
        subject: licenseRefundedSubject(props),
        text: licenseRefundedText(props),
        element: createElement(LicenseRefundedMail, props),
      };
    }
    case 'credential-rotated': {
      const { credentialId, username, label, replacedUsername, by, rotatedAt, overlapEndsAt } = message.props;
      const props = {
        shop,
        because: `You receive this mail because ${message.to} stands in the account that holds this credential.`,
        username,
        replacedUsername,
        label,
        by,
        rotatedAt: dayAndTime(new Date(rotatedAt)),
        overlapEndsAt: overlapEndsAt && dayAndTime(new Date(overlapEndsAt)),
        credentialUrl: absolute(head.appUrl, paths.dashboardCredential(credentialId)),
      };
      return {
        subject: credentialRotatedSubject(props),
        text: credentialRotatedText(props),
        element: createElement(CredentialRotatedMail, props),
      };
    }
    case 'sign-in': {
      const expiresAt = new Date(message.props.expiresAt);
      const props = {
        shop,
        because: `You receive this mail because somebody asked to sign in to ${shop} as ${message.to}.`,
        link: message.secrets.link.reveal(),
        minutes: Math.round((expiresAt.getTime() - head.createdAt.getTime()) / MINUTE),
        expiresAt: dayAndTime(expiresAt),
      };
      return {
        subject: signInSubject(props),
        text: signInText(props),
        element: createElement(SignInMail, props),
      };
    }
  }
}

function licenseIssuedProps(message: MessageOf<'license-issued'>, head: Letterhead): LicenseIssuedProps {
  const { because, licenses, credentials, bindTo } = message.props;
  const shop = shopName(head);
  const nameOf = new Map(licenses.map((license) => [license.licenseId, license.productName]));
  const productNames = (ids: string[]) => distinct(ids.flatMap((id) => nameOf.get(id) ?? []));
  // The first package of each product before the second of any: a bundle must not crowd out its neighbour.
  const depth = Math.max(0, ...licenses.map((license) => license.packages.length));
  const packages = distinct(
    Array.from({ length: depth }, (_, place) => licenses.flatMap((license) => license.packages[place] ?? [])).flat(),
  );
  const project = projectLines({ appUrl: head.appUrl, packages });
  const required = project.require?.split(' ').length ?? 2;
  return {
    shop,
    because: {
      purchase: `You receive this mail because ${message.to} bought this at ${shop}.`,
      staff: `You receive this mail because ${shop} issued this license to ${message.to}.`,
      import: `You receive this mail because ${shop} moved the licenses of ${message.to} to a new repository.`,
    }[because],
    licenses: licenses.map(({ productName, standing }) => ({ productName, standing })),
    bind: bindTo && {
      username: bindTo.username,
      label: bindTo.label,
      links: credentials.map(({ credentialId, licenseIds }) => ({
        productNames: productNames(licenseIds),
        url: absolute(head.appUrl, paths.bindCredential(credentialId)),
      })),
    },
    credentials: credentials.map(({ credentialId, username, licenseIds, label }) => {
      const secret = message.secrets[credentialId]?.reveal();
      if (secret === undefined) throw new Error(`The mail about ${credentialId} was promised without its secret.`);
      const { authJson, configBasic, configBearer } = installLines({
        appUrl: head.appUrl,
        username,
        secret,
        packages,
      });
      return {
        username,
        secret,
        label,
        productNames: productNames(licenseIds),
        authJson,
        configBasic,
        configBearer,
        url: absolute(head.appUrl, paths.dashboardCredential(credentialId)),
      };
    }),
    ...project,
    packagesBeyond: packages.length - (required - 2),
    dashboardUrl: absolute(head.appUrl, paths.dashboard()),
  };
}

/** The display name of `Acme <shop@acme.test>`; without one, the host that the shop stands at. */
function shopName({ from, appUrl }: Letterhead): string {
  const name = /^\s*"?([^"<]*?)"?\s*</.exec(from)?.[1];
  return name || new URL(appUrl).hostname;
}

function distinct<T>(values: T[]): T[] {
  return [...new Set(values)];
}

const DAY_AND_TIME = { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit' } as const;

/** `3 May 2027 at 10:00 UTC`: a mail does not know its reader's zone. */
function dayAndTime(instant: Date): string {
  return `${new Intl.DateTimeFormat('en-GB', { ...DAY_AND_TIME, timeZone: 'UTC' }).format(instant)} UTC`;
}
