'use client';

import { RotateCw } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '../_ui/button';
import { Confirm } from '../_ui/confirm';
import { Tooltip } from '../_ui/tooltip';
import { rotateNow } from './actions';
import { readyToReveal, useReveal } from './secret-reveal';

/** Asks, replaces the credential, and hands the new secret to the sheet that shows it once. */
export function RotateNow({
  credentialId,
  name,
  consequence,
  refused,
}: {
  credentialId: string;
  name: string;
  consequence: ReactNode;
  /** Why this viewer may not, or null. */
  refused: string | null;
}) {
  const reveal = useReveal();
  if (refused) {
    return (
      <Tooltip says={refused}>
        {/* Not `disabled`: a disabled button takes no focus, and its reason could be read by nobody. */}
        <Button aria-disabled title={refused}>
          <RotateCw aria-hidden />
          Rotate now
        </Button>
      </Tooltip>
    );
  }
  return (
    <Confirm
      trigger={
        <Button>
          <RotateCw aria-hidden />
          Rotate now
        </Button>
      }
      title={`Rotate “${name}” now?`}
      act="Rotate now"
      acting="Rotating"
      action={async (previous, form) => {
        await readyToReveal();
        return rotateNow(previous, form);
      }}
      fields={{ credentialId }}
      onDone={reveal}
    >
      {consequence}
    </Confirm>
  );
}
