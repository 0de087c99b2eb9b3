/** What the gate decided about one request, as it stands in the audit log. */
export interface GateEvent {
  action: 'repository.read' | 'metadata.read' | 'archive.downloaded' | 'install.reported';
  verdict: 'admitted' | 'refused';
  reason: string | null;
  ip: string | null;
  userAgent: string | null;
  username: string | null;
  credentialId: string | null;
  licenseId: string | null;
  customerId: string | null;
  package: string | null;
  version: string | null;
  /** How many requests a counted event stands for (429s); absent for every other. */
  count?: number;
}

/** The durable local file that an event is in before its answer leaves. */
export interface Journal {
  /**
   * Appends an event. All events of one event-loop turn share one write(2); then each `written` is called.
   *
   * @param written called with null once the event is in the file, or with the error that kept it out: answer 503 then
   */
  append(event: GateEvent, written: (error: Error | null) => void): void;
  /** True while events cannot be written, reserve included. */
  readonly full: boolean;
}
