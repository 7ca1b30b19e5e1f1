/** The package brings no types. `decode` answers its syntax tree, whose shape is checked on use. */
declare module '@webassemblyjs/wasm-parser' {
  export function decode(
    bytes: ArrayBuffer,
    options: {
      readonly ignoreCodeSection: boolean;
      readonly ignoreDataSection: boolean;
      readonly ignoreCustomNameSection: boolean;
    },
  ): unknown;
}
