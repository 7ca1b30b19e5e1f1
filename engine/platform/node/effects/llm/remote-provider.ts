import { isLoopback, type RemoteProvider } from '../../../../governance/agency.ts';
import type { Secrets } from '../../../../governance/secret.ts';
import { createGuardedClient, type NetworkOptions } from '../network/guarded-client.ts';
import { createModelEndpoint } from './model-endpoint.ts';
import type { ModelProvider } from './model-provider.ts';
import { createOllamaProvider } from './ollama.ts';
import { createOpenAiProvider } from './openai.ts';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/** Serves the models of a provider over HTTP: its endpoint is reached, and nothing else. */
export function createRemoteProvider(
  provider: RemoteProvider,
  secrets: Secrets,
  options: NetworkOptions,
): ModelProvider {
  const { host, hostname, protocol } = new URL(provider.endpoint);
  const client = createGuardedClient(
    {
      hosts: [host],
      addresses: [...provider.addresses, ...(isLoopback(hostname) ? LOOPBACK : [])],
      plainHttp: protocol === 'http:',
      redirects: 0,
      // Prompts and answers have bounds of their own.
      requestBytes: Number.MAX_SAFE_INTEGER,
      responseBytes: Number.MAX_SAFE_INTEGER,
    },
    options,
  );
  const endpoint = createModelEndpoint(provider, client, secrets);
  return provider.kind === 'openai'
    ? createOpenAiProvider(endpoint, provider)
    : createOllamaProvider(endpoint);
}
