'use client';

import { Button } from '../_ui/button';
import { CodeBlock } from '../_ui/code-block';
import { CopyButton } from '../_ui/copy-button';
import { Dialog, SheetPanel } from '../_ui/dialog';
import { Notice } from '../_ui/notice';
import { Tab, TabList, TabPanel, Tabs } from '../_ui/tabs';
import type { Revealed } from './actions';

/** One secret over the whole page; leaving asks once. Fetched before a secret is made, not with the page. */
export default function SecretSheet({
  revealed,
  leaving,
  setLeaving,
  leave,
}: {
  revealed: Revealed;
  leaving: boolean;
  setLeaving: (leaving: boolean) => void;
  leave: () => void;
}) {
  return (
    <Dialog open onOpenChange={(open) => !open && (leaving ? leave() : setLeaving(true))}>
      <SheetPanel
        side="full"
        title="Your new secret"
        description="It is on this page only, and only now. We keep no copy that could be shown again."
        className="sm:px-[max(1.5rem,calc(50vw-360px))] sm:pt-16"
      >
        <dl className="flex flex-col gap-4">
          <Value name="Username" text={revealed.username} />
          <Value name="Secret" text={revealed.secret} />
        </dl>
        <Tabs defaultValue={revealed.ways[0]?.name} className="mt-8">
          <TabList aria-label="Ways to use it">
            {revealed.ways.map((way) => (
              <Tab key={way.name} value={way.name}>
                {way.name}
              </Tab>
            ))}
          </TabList>
          {revealed.ways.map((way) => (
            <TabPanel key={way.name} value={way.name}>
              <p className="mb-3 text-ink-soft text-sm">{way.where}</p>
              <CodeBlock code={way.code} what={way.name} />
            </TabPanel>
          ))}
        </Tabs>
        <div className="mt-8 border-t pt-5 pb-2">
          {leaving ? (
            <Notice tone="warning" role="alert" title="Leave without a copy?">
              <p>Once this is closed, the secret cannot be shown again. You would have to rotate once more.</p>
              <div className="mt-3 flex flex-wrap gap-3">
                <Button look="primary" onClick={() => setLeaving(false)} autoFocus>
                  Back to the secret
                </Button>
                <Button onClick={leave}>I have it, close</Button>
              </div>
            </Notice>
          ) : (
            <Button look="primary" onClick={() => setLeaving(true)}>
              Done
            </Button>
          )}
        </div>
      </SheetPanel>
    </Dialog>
  );
}

function Value({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt className="text-ink-soft text-sm">{name}</dt>
      <dd className="mt-1 flex items-center gap-2 rounded border bg-sunken py-1.5 pr-1.5 pl-4">
        <code className="min-w-0 flex-1 break-all text-base">{text}</code>
        <CopyButton text={text} what={`the ${name.toLowerCase()}`} label />
      </dd>
    </div>
  );
}
