import { runningApp } from '../lib/wiring';

/** The App of this process: the one that the front door left, or one built here where there is no front door. */
export const theApp = runningApp;
