/**
 * A host that is reached by ssh, for tests: this machine, by a server of its own for each connection, with keys that are thrown
 * away. No port is used: the client runs the server as its way there.
 *
 * Owns: the keys and the configuration, in a folder that the caller removes.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";

/** Debian's place: it is in no user's PATH. */
const SSHD = "/usr/sbin/sshd";

/**
 * @param folder  exists, and is the user's alone
 * @returns the words of an ssh that knows the host `name`; or why there is none
 */
export function sshTo(name: string, folder: string): { readonly ssh: string } | { readonly why: string } {
  const at = (file: string): string => join(folder, file);
  for (const key of ["host-key", "user-key"]) {
    const made = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at(key)], {
      encoding: "utf8",
    });
    if (made.status !== 0) return { why: `ssh-keygen: ${made.error?.message ?? made.stderr.trim()}` };
  }
  copyFileSync(at("user-key.pub"), at("authorized"));
  writeFileSync(at("known"), `${name} ${readFileSync(at("host-key.pub"), "utf8")}`);
  const server = { HostKey: at("host-key"), AuthorizedKeysFile: at("authorized"), ...SERVER };
  writeFileSync(at("sshd-config"), lines(server));
  const able = spawnSync(SSHD, ["-t", "-f", at("sshd-config")], { encoding: "utf8" });
  if (able.status !== 0) return { why: `sshd: ${able.error?.message ?? able.stderr.trim()}` };
  const client = {
    HostKeyAlias: name,
    User: userInfo().username,
    IdentityFile: at("user-key"),
    IdentitiesOnly: "yes",
    UserKnownHostsFile: at("known"),
    GlobalKnownHostsFile: "none",
    StrictHostKeyChecking: "yes",
    ProxyCommand: `${SSHD} -i -f ${at("sshd-config")}`,
  };
  writeFileSync(at("ssh-config"), `Host ${name}\n${lines(client)}`);
  return { ssh: `ssh -F ${at("ssh-config")} -o BatchMode=yes -o LogLevel=ERROR` };
}

const SERVER = {
  StrictModes: "no",
  UsePAM: "no",
  PasswordAuthentication: "no",
  PermitRootLogin: "prohibit-password",
  PidFile: "none",
};

function lines(options: Readonly<Record<string, string>>): string {
  return Object.entries(options)
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");
}
