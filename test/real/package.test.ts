/** The package as a user has it: started by an old Node, and installed under node_modules, where only dist/ runs. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "uvu";
import { root } from "../command.ts";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  version: string;
  files: string[];
  dependencies: Record<string, string>;
};
const BIN = join(root, "bin/upvm.js");

/** Runs Node; `as` makes it say that it is another version. */
function node(args: readonly string[], options: { cwd?: string; as?: string; tried?: boolean } = {}) {
  const script = `Object.defineProperty(process, "versions", { value: { node: "${options.as}" } })`;
  const pretend =
    options.as === undefined ? [] : ["--import", `data:text/javascript,${encodeURIComponent(script)}`];
  const env: NodeJS.ProcessEnv = { ...process.env };
  delete env["UPVM_NODE_TRIED"];
  if (options.tried === true) env["UPVM_NODE_TRIED"] = "1";
  const done = spawnSync(process.execPath, [...pretend, ...args], {
    cwd: options.cwd ?? root,
    env,
    encoding: "utf8",
  });
  return { code: done.status, out: done.stdout, err: done.stderr };
}

test("an old Node starts the newer one beside the package, and hands over its exit code", () => {
  assert.deepEqual(node([BIN, "--version"], { as: "20.1.0" }), {
    code: 0,
    out: `${manifest.version}\n`,
    err: "",
  });
  assert.equal(node([BIN, "frobnicate"], { as: "20.1.0" }).code, 2);
});

test("an old Node with no newer one beside it is told which it needs", () => {
  const { code, out, err } = node([BIN, "--version"], { as: "20.1.0", tried: true });
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /^upvm: Cannot run on Node 20\.1\.0: it needs Node 24 or newer\n {2}install one/);
});

test("what the engines field asks for is what the command checks", () => {
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    engines: { node: string };
  };
  const major = /NODE_MAJOR = (\d+)/.exec(readFileSync(BIN, "utf8"))?.[1];
  assert.equal(engines.node, `>=${major}`);
});

test("installed under node_modules it compiles and runs both languages, as a command and as a library", () => {
  const folder = mkdtempSync(join(tmpdir(), "upvm-installed-"));
  try {
    const installed = install(folder);
    const ring = (language: string) => join(installed, `guest/examples/ring.${language}`);
    const bin = join(installed, "bin/upvm.js");
    assert.equal(node([bin, "--version"], { cwd: folder }).out, `${manifest.version}\n`);
    const printed = "3 ULPs, 20 rounds: 60 went round, right\n";
    for (const language of ["ts", "c"]) {
      cpSync(ring(language), join(folder, `ring.${language}`));
      cpSync(join(installed, "guest/examples/shared"), join(folder, "shared"), { recursive: true });
      const { code, out, err } = node([bin, "run", `ring.${language}`, "-n", "3", "--", "20"], {
        cwd: folder,
      });
      assert.deepEqual([code, out], [0, printed], err);
    }
    const script = `import { run } from "upvm";
      const { ok } = await run("ring.ts", { ulps: 3, args: ["20"] });
      console.log(ok);`;
    writeFileSync(join(folder, "use.mjs"), script);
    assert.equal(node(["use.mjs"], { cwd: folder }).out, `${printed}true\n`);
    assert.match(node([bin, "bench", "nonsense"], { cwd: folder }).err, /Cannot measure nonsense/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Lays out what `npm install` would: the package's files with a fresh dist/, and its dependencies. */
function install(folder: string): string {
  const modules = join(folder, "node_modules");
  const installed = join(modules, "upvm");
  mkdirSync(installed, { recursive: true });
  for (const name of [...manifest.files, "package.json"]) {
    const from = join(root, name);
    if (name !== "dist" && existsSync(from)) cpSync(from, join(installed, name), { recursive: true });
  }
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  const built = node([
    join(root, "node_modules/typescript/bin/tsc"),
    ...["-p", "tsconfig.build.json", "--outDir", join(installed, "dist")],
  ]);
  assert.equal(built.code, 0, built.out);
  return installed;
}

test.run();
