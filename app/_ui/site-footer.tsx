import { vendorName } from './brand';
import { Width, type widths } from './width';

export function SiteFooter({ width = 'wide' }: { width?: keyof typeof widths }) {
  return (
    <footer className="mt-auto pt-16">
      <Width is={width} className="flex flex-wrap justify-between gap-x-6 gap-y-1 border-t py-6 text-ink-soft text-sm">
        <p>Sold by {vendorName}</p>
        <p>Licenses and downloads by Latchkey</p>
      </Width>
    </footer>
  );
}
