/**
 * Puts this package's own command where npx looks for it in a checkout: node_modules/.bin/upvm.
 *
 * npm links the commands of dependencies, not of the package itself. Without the link, `npx upvm` would ask the
 * registry. Runs as the `prepare` script, with whatever Node there is: plain JavaScript.
 */
import { chmodSync, existsSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, "node_modules", ".bin");
const link = join(folder, "upvm");

// Without dependencies (`npm pack` of a bare checkout, `npm ci --omit=dev` in a container) there is no folder.
if (existsSync(folder)) {
  chmodSync(join(root, "bin", "upvm.js"), 0o755);
  rmSync(link, { force: true });
  if (process.platform === "win32")
    writeFileSync(`${link}.cmd`, '@node "%~dp0\\..\\..\\bin\\upvm.js" %*\r\n');
  else symlinkSync(join("..", "..", "bin", "upvm.js"), link);
}
