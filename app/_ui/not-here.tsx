import { paths } from '../../lib/paths';
import { ButtonLink } from './button';

/** What a page that is not there says, inside whatever frame stands around it. */
export function NotHere() {
  return (
    <div className="mx-auto max-w-[680px]">
      <h1 className="font-semibold text-xl tracking-tight">There is no page here</h1>
      <p className="mt-2 text-ink-soft">
        The address may be mistyped, or what stood here is not for you to see or not for sale any more.
      </p>
      <div className="mt-6 flex flex-wrap gap-3">
        <ButtonLink href={paths.home()} look="primary">
          See all products
        </ButtonLink>
        <ButtonLink href={paths.dashboard()}>Your licenses</ButtonLink>
      </div>
    </div>
  );
}
