/**
 * Adding hosts: the words of the command that starts a pvmd on another host, which then joins.
 *
 * Owns: the words. ssh is the hoster to begin with; any other command takes its place that starts `WORDS...` on HOST when
 * it is called as `COMMAND HOST WORDS...`, with the key on its standard input: no word holds a secret. Pure.
 */
import { isLoopback, parseAddress } from "../net/address.ts";
import { LIMITS } from "../wire/limits.ts";

export interface HosterOptions {
  /** As the user wrote it: HOST or USER@HOST. */
  readonly host: string;
  /** The hoster's words, with spaces between them; undefined: ssh. */
  readonly hoster?: string | undefined;
  /** What starts upvm there; undefined: `upvm`. */
  readonly remote?: string | undefined;
  /** Where the master listens. */
  readonly address: string;
}

/** Asks nothing: a pvmd has no terminal. */
const SSH = "ssh -o BatchMode=yes";

/** What the host is called in the virtual machine: its name without the user's. */
export function hostNameOf(host: string): string {
  return host.replace(/^.*@/, "");
}

/** A hoster has ended, and its host is not there. */
export function whyNotAdded({ code, text }: { readonly code: number; readonly text: string }): string {
  const said = text.trim();
  if (code !== 0) return said === "" ? `its hoster ended with ${code}, and said nothing` : said;
  const none = "its hoster has ended, and the host has not joined";
  return said === "" ? `${none}; upvm add --help tells what a hoster has to do` : `${none}: ${said}`;
}

/** @returns the words to run, or why not */
export function hosterWords({ host, hoster, remote, address }: HosterOptions): readonly string[] | string {
  const name = hostNameOf(host);
  // A name that begins with "-" would be an option of the hoster.
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/.test(host) || name.length > LIMITS.hostNameLength)
    return "that is no host's name";
  if (hoster === undefined && isLoopback(parseAddress(address)) && name !== "localhost")
    return `only its own machine reaches this virtual machine, at ${address.replace(/^tcp:/, "")}: start it with --listen at an address that others reach`;
  const words = (text: string): string[] => text.split(" ").filter((word) => word !== "");
  const join = address.replace(/^tcp:/, "");
  // The hosts of a job reach each other directly: one that listens for its own machine alone would be of no use.
  const start = ["start", "--join", join, "--listen", "auto", "--key-file", "-", "--name", name];
  return [...words(hoster ?? SSH), host, ...words(remote ?? "upvm"), ...start];
}
