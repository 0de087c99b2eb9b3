import Markdown from 'markdown-to-jsx/react';
import { Fragment } from 'react';

/** A vendor's text; made on the server, so it costs the browser no script. HTML in it is shown as it is typed. */
export function MarkdownText({ text }: { text: string }) {
  return (
    <div className="flex flex-col gap-4">
      <Markdown
        options={{
          disableParsingRawHTML: true,
          forceBlock: true,
          // Inside a page that has its own title, a heading of the text is a section's.
          overrides: {
            h1: { component: 'h2', props: { className: 'mt-2 font-semibold text-lg' } },
            h2: { props: { className: 'mt-2 font-semibold text-lg' } },
            h3: { props: { className: 'mt-2 font-semibold' } },
            ul: { props: { className: 'ml-5 flex list-disc flex-col gap-1' } },
            ol: { props: { className: 'ml-5 flex list-decimal flex-col gap-1' } },
            a: { props: { className: 'underline underline-offset-4', rel: 'nofollow' } },
            pre: { props: { className: 'overflow-x-auto rounded-md border bg-sunken p-3 text-sm', tabIndex: 0 } },
            code: { props: { className: 'font-mono text-[0.9em]' } },
          },
          wrapper: Fragment,
        }}
      >
        {text}
      </Markdown>
    </div>
  );
}
