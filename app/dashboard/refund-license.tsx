'use client';

import { useRouter } from 'next/navigation';
import type { ReactNode } from 'react';
import { Button } from '../_ui/button';
import { Confirm } from '../_ui/confirm';
import { Tooltip } from '../_ui/tooltip';
import { refundLicense } from './actions';

/** Gives the money for one license back, after saying what ends with it. `amount` as the buyer reads it: `€99`. */
export function RefundLicense({
  licenseId,
  name,
  amount,
  refused,
  children,
}: {
  licenseId: string;
  name: string;
  amount: string;
  /** Why this viewer may not, or null. */
  refused: string | null;
  /** The consequence. */
  children: ReactNode;
}) {
  const router = useRouter();
  if (refused) {
    return (
      <Tooltip says={refused}>
        {/* Not `disabled`: a disabled button takes no focus, and its reason could be read by nobody. */}
        <Button aria-disabled title={refused}>
          Refund {amount}
        </Button>
      </Tooltip>
    );
  }
  return (
    <Confirm
      trigger={<Button>Refund {amount}</Button>}
      title={`Refund ${amount} for “${name}”?`}
      act={`Refund ${amount}`}
      acting="Refunding"
      action={refundLicense}
      fields={{ licenseId }}
      onDone={() => router.refresh()}
    >
      {children}
    </Confirm>
  );
}
