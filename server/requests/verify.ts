import { verifySubject } from '../../engine/platform/node/admission.ts';
import type { Verification } from '../protocol.ts';
import type { RequestServing } from './serving.ts';
import { CERTIFY_REMEDY, gateEnvironmentFor, subjectAt } from './subjects.ts';

/**
 * The gate's checks on the executor at a path. Runs nothing and writes nothing, so it needs no trust.
 * @throws {InputError} for an executor, certificate, whitelist, trust store or policy that cannot be used.
 */
export async function verifyAt(serving: RequestServing, path: string): Promise<Verification> {
  const subject = await subjectAt(serving, path);
  const environment = await gateEnvironmentFor(serving, subject);
  const request = { certificate: undefined, remedy: CERTIFY_REMEDY };
  const checks = await verifySubject(subject, environment, request);
  return { admitted: checks.every(({ ok }) => ok), checks };
}
