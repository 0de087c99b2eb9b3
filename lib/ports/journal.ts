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

/** An event whose facts were encoded once, to be appended again and again; each time it gets its own instant and id. */
export interface PreparedEvent {
  /** The facts as the journal writes them, behind instant and id. */
  readonly encoded: Uint8Array;
}

/** The durable local file that an event is in before its answer leaves. */
export interface Journal {
  /**
   * Appends an event. All events of one event-loop turn share one write(2); then each `written` is called.
   *
   * @param written called with null once the event is in the file, or with the error that kept it out: answer 503 then
   */
  append(event: GateEvent | PreparedEvent, written: (error: Error | null) => void): void;
  prepare(event: GateEvent): PreparedEvent;
  /** True while events cannot be written, reserve included. */
  readonly full: boolean;
}
