import {
  type CallAnswer,
  type CallRequest,
  MAX_CALL_DEPTH,
  type OfferRequest,
  offeredCall,
} from '../../../attestation/exchange.ts';
import { attest, attestationHash } from '../../../attestation/record.ts';
import type { AttestationRecord, EnvironmentDescriptor } from '../../../attestation/types.ts';
import { AdmissionError } from '../../../gate/admit.ts';
import { governedRun, type RunReport, type RunServices } from '../../../governed/run.ts';
import { serializeReceipt } from '../../../provenance/receipt.ts';
import type { NonceStore } from '../../../voucher/nonce-store.ts';
import type { Whitelist } from '../../../whitelist/types.ts';
import type { RunInterpreter } from '../effects/interpreter.ts';
import { limitsOf, projectSettings } from '../execution.ts';
import { createCallSlots, tooBusy } from './call-slots.ts';
import { createOffers, type OutstandingOffer } from './offers.ts';
import type { AdmittedMachine, ServedMachine } from './served-machine.ts';
import { ServiceRefusal } from './service-refusal.ts';

/** What machines are served with. */
export interface MachineServiceOptions {
  /** By the names that callers know them by. */
  readonly machines: ReadonlyMap<string, ServedMachine>;
  readonly services: RunServices;
  /** What this environment says of itself, with the whitelist that its gate decides by. */
  readonly describe: (whitelist: Whitelist) => EnvironmentDescriptor;
  /** Remembers nonces beyond the end of the process. */
  readonly nonces: NonceStore;
  /** Makes what governs one call: by this organisation's policy as it is then. */
  readonly openInterpreter: () => Promise<RunInterpreter>;
  readonly limits: ServiceLimits;
}

export interface ServiceLimits {
  /** Milliseconds that a call may take. */
  readonly callMs: number;
  /** Milliseconds for which an offer can be taken up. */
  readonly offerMs: number;
  /** Calls of each depth that run at once. */
  readonly running: number;
  /** Calls of each depth that wait beside them. */
  readonly waiting: number;
}

export const DEFAULT_SERVICE_LIMITS: ServiceLimits = Object.freeze({
  callMs: 60_000,
  offerMs: 300_000,
  running: 8,
  waiting: 32,
});

/**
 * How long a nonce is remembered, in seconds. A call cannot be repeated after that either: its offer was
 * taken up, or is none of this process.
 */
const NONCE_SECONDS = 86_400;

/** Names the nonces of offers and calls among those of vouchers. */
const ISSUER = 'touchstone/exchange/1';

/** Offers machines to other organisations, and runs them for those that took an offer up. */
export interface MachineService {
  /** @throws {ServiceRefusal} */
  offer(machine: string, request: OfferRequest): Promise<AttestationRecord>;
  /**
   * Runs a machine, governed by this organisation's own policy. No input reaches an executor that the
   * gate does not admit as it is now.
   * @throws {ServiceRefusal}; what `governedRun` throws.
   */
  call(machine: string, request: CallRequest, signal: AbortSignal): Promise<CallAnswer>;
}

export function createMachineService(options: MachineServiceOptions): MachineService {
  const { machines, services, describe, nonces, limits } = options;
  const { crypto, environment } = services;
  const now = () => performance.now();
  const offers = createOffers(limits.offerMs, now);
  const slots = createCallSlots(limits.running, limits.waiting);

  const admittedNow = async (name: string): Promise<AdmittedMachine> => {
    const machine = machines.get(name);
    if (machine === undefined) {
      throw new ServiceRefusal(404, 'unknown-machine', 'no machine of this name is served here');
    }
    const found = await machine.current();
    if (!('refused' in found)) return found;
    throw new ServiceRefusal(409, 'not-admitted', 'the gate here does not admit this machine now');
  };
  const expiry = () => Math.ceil(Date.now() / 1_000) + NONCE_SECONDS;
  const refuseSpent = async (nonce: string) => {
    if (await nonces.isSpent({ issuer: ISSUER, nonce }, expiry())) throw replayed();
  };
  const spend = async (nonce: string) => {
    if ((await nonces.spend({ issuer: ISSUER, nonce }, expiry())) === 'spent') throw replayed();
  };

  return {
    offer: async (name, { nonce }) => {
      const admitted = await admittedNow(name);
      await spend(nonce);
      const { certificate, subject, whitelist } = admitted;
      const record = await attest(
        crypto,
        {
          certificate,
          executor: subject.executor,
          environment: describe(whitelist),
          receipts: [],
          call: offeredCall(crypto, name, nonce),
        },
        environment,
      );
      offers.add(attestationHash(crypto, record), { machine: name, record, admitted });
      return record;
    },

    call: async (name, { nonce, offer: hash, input, depth }, callerSignal) => {
      if (depth > MAX_CALL_DEPTH) {
        const message = `calls nest ${MAX_CALL_DEPTH} deep at most`;
        throw new ServiceRefusal(409, 'too-deep', message);
      }
      await refuseSpent(nonce);
      const time = AbortSignal.timeout(limits.callMs);
      const signal = AbortSignal.any([callerSignal, time]);
      const release = await slots.acquire(depth, signal).catch((error) => {
        throw error === time.reason ? tooBusy() : error;
      });
      try {
        const offer = offers.take(hash, name);
        if (offer === undefined) {
          const message = 'this is no offer that is open: ask for another one';
          throw new ServiceRefusal(409, 'offer-expired', message);
        }
        await spend(nonce);
        const confirm = async () => {
          if ((await admittedNow(name)) !== offer.admitted) throw changed();
        };
        return await answer(options, offer, { nonce, input, depth, signal, confirm });
      } finally {
        release();
      }
    },
  };
}

/** A call that may be made. */
interface OpenCall extends Pick<CallRequest, 'nonce' | 'input' | 'depth'> {
  readonly signal: AbortSignal;
  /** Refuses an executor that is not admitted as it was when it was offered. */
  readonly confirm: () => Promise<void>;
}

async function answer(
  { services, openInterpreter, limits }: MachineServiceOptions,
  { record, admitted }: OutstandingOffer,
  call: OpenCall,
): Promise<CallAnswer> {
  const { crypto, environment } = services;
  const interpreter = await openInterpreter();
  let report: RunReport;
  try {
    await call.confirm(); // late: what is opened before takes its time
    report = await run(services, interpreter, admitted, limits, call);
  } catch (error) {
    if (error instanceof AdmissionError) throw changed();
    throw error;
  } finally {
    await interpreter.close();
  }
  const { receipt, status, output = null } = report;
  const attestation = await attest(
    crypto,
    {
      certificate: record.certificate,
      executor: record.executor,
      environment: record.environment,
      receipts: [crypto.sha256(serializeReceipt(receipt))],
      call: {
        nonce: call.nonce,
        inputHash: receipt.inputHash,
        outputHash: receipt.outputHash,
        status,
      },
    },
    environment,
  );
  return { status, output, attestation, receipt };
}

function run(
  services: RunServices,
  { means, policyFor }: RunInterpreter,
  { subject, executor }: AdmittedMachine,
  { callMs }: ServiceLimits,
  { input, depth, signal }: OpenCall,
): Promise<RunReport> {
  const { name, manifest } = subject;
  const limits = limitsOf(subject, {});
  return governedRun(services, {
    ...{ executor, name, depth, signal, means },
    version: manifest?.version ?? '0',
    input: { context: input },
    limits: { ...limits, timeoutMs: Math.min(limits.timeoutMs, callMs) },
    ...(manifest && projectSettings(manifest)),
    policy: policyFor(subject),
    events: () => {},
  });
}

function replayed(): ServiceRefusal {
  return new ServiceRefusal(409, 'replayed', 'this nonce was used before: choose another one');
}

function changed(): ServiceRefusal {
  const message = 'the machine changed since it was offered: ask for another offer';
  return new ServiceRefusal(409, 'offer-expired', message);
}
