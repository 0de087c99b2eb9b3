import type { GateEvent, Journal, PreparedEvent } from '../../lib/ports/journal';

/** What an ordinary install leaves in the log. */
export function aGateEvent(facts: Partial<GateEvent> = {}): GateEvent {
  return {
    action: 'metadata.read',
    verdict: 'admitted',
    reason: null,
    ip: '203.0.113.9',
    userAgent: 'Composer/2.8.1 (Linux; 6.1.0; PHP 8.3.1; cURL 8.5.0; Platform-PHP 8.2; CI)',
    username: 'lk-forms-pro-a1b2c3d4',
    credentialId: 'crd_0000000000000001',
    licenseId: 'lic_0000000000000001',
    customerId: 'cus_0000000000000001',
    package: 'acme/forms-pro',
    version: null,
    ...facts,
  };
}

/** Resolves once the event is in the file; rejects with what kept it out. */
export function appended(journal: Journal, event: GateEvent | PreparedEvent = aGateEvent()): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.append(event, (error) => (error ? reject(error) : resolve()));
  });
}
