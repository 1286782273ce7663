/**
 * How this host starts Node, for its daemon and its application processes.
 *
 * Owns: that, and nothing else. Usually it is the Node that runs already. Where the system cannot start that one by its file
 * alone, such as a Node of another processor type under an emulator, UPVM_NODE says how: a command and its first arguments,
 * between spaces. A daemon gives it on to what it starts.
 */
export function nodeCommand(): readonly [string, ...string[]] {
  const [command, ...words] = (process.env["UPVM_NODE"] ?? "").split(" ").filter((word) => word !== "");
  return command === undefined ? [process.execPath] : [command, ...words];
}
