import {
  type AnsweredRequest,
  createEndpoint,
  DEFAULT_ENDPOINT_LIMITS,
  type EndpointLimits,
} from './endpoint.ts';
import { type ListenOptions, LOOPBACK_NAMES, listen } from './listen.ts';
import {
  createMachineService,
  DEFAULT_SERVICE_LIMITS,
  type MachineServiceOptions,
  type ServiceLimits,
} from './machine-service.ts';

/** An organisation's endpoint for calls of its machines by others. */
export interface MachineServerOptions extends ListenOptions, Omit<MachineServiceOptions, 'limits'> {
  /** The bearer token that callers must have; none unless given. */
  readonly token?: string | undefined;
  /** In place of the default ones. */
  readonly limits?: Partial<ServiceLimits & EndpointLimits>;
  /** Is told of each request once it is answered. */
  readonly onAnswered?: (answered: AnsweredRequest) => void;
  /** Is told of what nobody foresaw. */
  readonly onError?: (error: unknown) => void;
}

export interface MachineServer {
  readonly url: string;
  /**
   * Takes no more requests, and resolves when the calls under way are answered and recorded.
   * @param signal cancels them; they are recorded as cancelled.
   */
  stop(signal: AbortSignal): Promise<void>;
}

/**
 * Serves machines until it is stopped. Nonces are forgotten a day after they were used.
 * @throws {InputError} as `listen`; what the nonces' store throws.
 */
export async function startMachineServer(options: MachineServerOptions): Promise<MachineServer> {
  const { services, nonces, tls, token, limits, onAnswered, onError } = options;
  const forget = () => nonces.prune(Math.floor(Date.now() / 1_000));
  await forget();
  const service = createMachineService({
    ...options,
    limits: { ...DEFAULT_SERVICE_LIMITS, ...limits },
  });
  const endpoint = createEndpoint({
    ...{ service, token, onAnswered, onError },
    crypto: services.crypto,
    hosts: tls === undefined ? LOOPBACK_NAMES : undefined,
    limits: { ...DEFAULT_ENDPOINT_LIMITS, ...limits },
  });
  const listening = await listen(options, endpoint.listener);
  const forgetting = setInterval(() => forget().catch((error) => onError?.(error)), HOUR).unref();
  return {
    url: listening.url,
    stop: async (signal) => {
      clearInterval(forgetting);
      listening.close();
      await endpoint.drain(signal);
      await listening.end();
    },
  };
}

const HOUR = 3_600_000;
