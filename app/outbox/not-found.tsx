import { NotHere } from '../_ui/not-here';

export default function NotFound() {
  return <NotHere />;
}
