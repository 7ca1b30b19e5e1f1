// The host interface `mashin@1` for executors written in AssemblyScript.
// All text on the host's side is UTF-8; all documents are JSON.

@external("mashin", "get_input_len")
declare function get_input_len(): i32;

@external("mashin", "get_input")
declare function get_input(ptr: usize): void;

@external("mashin", "set_output")
declare function set_output(ptr: usize, len: i32): void;

@external("mashin", "context_len")
declare function context_len(key: usize, keyLen: i32): i32;

@external("mashin", "context_read")
declare function context_read(key: usize, keyLen: i32, out: usize): i32;

@external("mashin", "call_machine")
declare function call_machine(json: usize, len: i32): void;

/** The input document. */
export function readInput(): string {
  const bytes = new ArrayBuffer(get_input_len());
  get_input(changetype<usize>(bytes));
  return String.UTF8.decode(bytes);
}

/** One top-level value of the context as JSON text, or null when there is no such key. */
export function contextValue(key: string): string | null {
  const name = String.UTF8.encode(key);
  const len = context_len(changetype<usize>(name), name.byteLength);
  if (len < 0) return null;
  const bytes = new ArrayBuffer(len);
  context_read(changetype<usize>(name), name.byteLength, changetype<usize>(bytes));
  return String.UTF8.decode(bytes);
}

/** Calls another machine; the parameters are the directive's JSON without its type. */
export function callMachine(parameters: string): void {
  const bytes = String.UTF8.encode(parameters);
  call_machine(changetype<usize>(bytes), bytes.byteLength);
}

/** The output document of a plan that succeeded; `result` is JSON text. */
export function succeed(result: string): void {
  setOutput('{"result":' + result + "}");
}

/** The output document of a plan that failed; `message` is JSON text. */
export function fail(message: string): void {
  setOutput('{"error":{"message":' + message + "}}");
}

function setOutput(document: string): void {
  const bytes = String.UTF8.encode(document);
  set_output(changetype<usize>(bytes), bytes.byteLength);
}
