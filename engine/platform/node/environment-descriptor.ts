import type { EnvironmentDescriptor, Evidence, IsolationMode } from '../../attestation/types.ts';
import type { Whitelist } from '../../whitelist/types.ts';
import type { RunningBuild } from './build-hash.ts';

/** What an environment descriptor is made of that this process cannot tell by itself. */
export interface EnvironmentFacts {
  /** As {@link checkBuild} found it. */
  readonly build: RunningBuild;
  /** The whitelist by which the gate decides here. */
  readonly whitelist: Pick<Whitelist, 'name' | 'version' | 'hash'>;
  readonly isolation: IsolationMode;
  readonly evidence?: Evidence | undefined;
}

/** Describes the environment of this process. */
export function describeEnvironment({
  build,
  whitelist,
  isolation,
  evidence,
}: EnvironmentFacts): EnvironmentDescriptor {
  const { node, v8, electron } = process.versions;
  return {
    runtime: { name: 'touchstone', version: build.version },
    engine:
      electron === undefined
        ? { name: 'node', version: node, v8 }
        : { name: 'electron', version: electron, v8 },
    build: { hash: build.hash, signer: build.signer },
    whitelist: { name: whitelist.name, version: whitelist.version, hash: whitelist.hash },
    platform: { os: process.platform, arch: process.arch },
    isolation,
    ...(evidence !== undefined && { evidence }),
  };
}
