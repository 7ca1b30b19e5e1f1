// What the benchmarks use of their peers, so that the type check needs none of them installed.

declare module '@extism/extism' {
  interface PluginOutput {
    text(): string;
  }

  interface Plugin {
    call(name: string, input: string): Promise<PluginOutput | null>;
    close(): Promise<void>;
  }

  export default function createPlugin(
    module: WebAssembly.Module,
    options: { readonly runInWorker: boolean },
  ): Promise<Plugin>;
}

declare module 'wasm-metering' {
  const metering: {
    /** Adds an import `metering.usegas`, called with the cost of each stretch of code. */
    meterWASM(
      bytes: Uint8Array,
      options: { readonly meterType: 'i32' | 'i64' },
    ): Uint8Array<ArrayBuffer>;
  };
  export default metering;
}
