// What the library needs of a machine, on Node.

export { nodeCrypto } from './crypto.ts';
export { type DiscoveryOptions, discover, type Found } from './discovery.ts';
export {
  createFile,
  readDocument,
  readFileBounded,
  readModule,
  readTextFile,
  resolveInProject,
  writeFileAtomic,
} from './files.ts';
export { type FileNonceStoreOptions, fileNonceStore, NONCES_FOLDER } from './nonce-store.ts';
export {
  createProcessIsolation,
  type ProcessIsolation,
  type ProcessIsolationOptions,
} from './process-isolation.ts';
export type { ProcessLayers } from './process-layers.ts';
export { projectFiles } from './project-files.ts';
export { fileReceiptStore, RECEIPTS_FOLDER } from './receipt-store.ts';
export { fileRunJournal } from './run-journal.ts';
