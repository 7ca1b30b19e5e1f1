/**
 * What holds the process of an executor back. Each layer is there or is not, on the machine at hand;
 * none is claimed that was not seen to hold.
 */
export interface ProcessLayers {
  /** Node's permission model: no file, child, thread, addon or WASI. Node's own code enforces it. */
  readonly permissionModel: boolean;
  /** The permission model refuses the network as well (Node 25 on). */
  readonly networkPermission: boolean;
  /**
   * The kernel gives the process no new descriptor: no file, socket, pipe or device, however it is
   * asked (`RLIMIT_NOFILE` 0, set when the process is ready for its first job).
   */
  readonly noDescriptors: boolean;
  /** The kernel starts no process or thread for it (`RLIMIT_NPROC` 0; void for root itself). */
  readonly noChildren: boolean;
  /** The process is in a network namespace of its own, in which there is no network. */
  readonly networkNamespace: boolean;
  /** The process belongs to nobody, where its parent is root; else to the parent's user. */
  readonly unprivilegedUser: boolean;
  /** Nothing that the process could execute gives it a privilege (`PR_SET_NO_NEW_PRIVS`). */
  readonly noNewPrivileges: boolean;
  /** The kernel ends the process with its parent, in the middle of a run too. */
  readonly endsWithParent: boolean;
}

/** Nothing holds: what layers are added to. */
export const NO_LAYERS: ProcessLayers = Object.freeze({
  permissionModel: false,
  networkPermission: false,
  noDescriptors: false,
  noChildren: false,
  networkNamespace: false,
  unprivilegedUser: false,
  noNewPrivileges: false,
  endsWithParent: false,
});

/** Whether something keeps the process from files. */
export function barsFiles(layers: ProcessLayers): boolean {
  return layers.permissionModel || layers.noDescriptors;
}
