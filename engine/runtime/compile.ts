import type { Program } from './program.ts';

const compiled = new WeakMap<Program, WebAssembly.Module>();

/**
 * Compiles a program, once.
 * @throws {WebAssembly.CompileError} if V8 refuses what metering made, which would be its mistake.
 */
export function compileProgram(program: Program): WebAssembly.Module {
  const module = compiled.get(program) ?? new WebAssembly.Module(program.copyBytes());
  compiled.set(program, module);
  return module;
}
