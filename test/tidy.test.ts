/**
 * Rules of the house that a machine can check: who imports whom, what is a dependency, sizes, links, types, format.
 *
 * The rules and their reasons are in CONTRIBUTING.md.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { test } from "uvu";

const root = join(import.meta.dirname, "..");
/** Lines of one file; the house's aim is 400. */
const LINES_MAX = 500;

/** Folders of shipped code → folders that their files may import from, beside themselves. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  "runtime/link": ["wire"],
  "runtime/heap": ["wire"],
  "runtime/scheduler": ["wire", "runtime/heap"],
  "runtime/migrate": ["wire", "runtime/heap", "runtime/scheduler"],
  "runtime/kernel": ["wire", "runtime/heap", "runtime/scheduler"],
  "runtime/pvm": ["wire", "runtime/heap", "runtime/scheduler", "runtime/migrate", "runtime/kernel"],
  net: ["wire"],
  pvmd: ["wire", "net"],
  upvm: [
    "wire",
    "net",
    "pvmd",
    "runtime/link",
    "runtime/heap",
    "runtime/scheduler",
    "runtime/migrate",
    "runtime/kernel",
    "runtime/pvm",
  ],
};
const CODE_FOLDERS = ["wire", "runtime", "net", "pvmd", "upvm", "bench", "test", "scripts", "bin", "guest"];

/** All code files, as paths from the package's root with "/" between folders. */
const files = CODE_FOLDERS.filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)),
  )
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => /\.(ts|js|c|h)$/.test(path) && !path.includes("node_modules"))
  .sort();
const text = (path: string): string => readFileSync(join(root, path), "utf8");
const manifest = JSON.parse(text("package.json")) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  scripts: Record<string, string>;
};

/** Code without its comments: what is said there is not done. */
function code(path: string): string {
  return text(path)
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/^\s*\/\/.*$/gm, "");
}

/** What a file imports, statically, dynamically or by URL (worker threads). */
function imports(path: string): string[] {
  const forms = [
    /(?<!^import type [^;]*)\bfrom\s+"([^"]+)"/gm,
    /^import\s+"([^"]+)"/gm,
    /\bimport\(\s*"([^"]+)"/g,
    /new URL\(\s*["`](\.[^"`$]+)/g,
  ];
  return forms.flatMap((form) => [...code(path).matchAll(form)].map((match) => match[1]!));
}

/** AssemblyScript: compiled, and imported by nobody. */
const isGuest = (path: string): boolean => /(^|\/)(guests?|assembly)\//.test(path);
/** Files of folders that ship, and only those that run on the host. */
const shipped = files.filter((path) => /^(wire|runtime|net|pvmd|upvm)\//.test(path) && !isGuest(path));
const folderOf = (path: string): string => (/^runtime\/[^/]+(?=\/)|^[^/]+/.exec(path) ?? [""])[0];

test("imports between folders point one way", () => {
  const wrong: string[] = [];
  for (const path of shipped) {
    const folder = folderOf(path);
    const allowed = MAY_IMPORT[folder];
    if (allowed === undefined) wrong.push(`${path}: its folder has no row in MAY_IMPORT`);
    for (const target of imports(path).filter((name) => name.startsWith("."))) {
      const to = folderOf(normalize(join(dirname(path), target)).replaceAll("\\", "/"));
      if (to !== folder && !allowed?.includes(to)) wrong.push(`${path} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("only main.ts and node-*.ts touch Node", () => {
  const wrong: string[] = [];
  for (const path of shipped) {
    if (/(^|\/)(main|node-[^/]*)\.ts$/.test(path)) continue;
    for (const name of imports(path)) {
      if (name.startsWith("node:") && !name.startsWith("node:assert")) wrong.push(`${path} imports ${name}`);
    }
    const bare = code(path).replace(/(["'`])(?:\\.|(?!\1).)*\1/gs, '""');
    // A parameter or field of that name is no global.
    const own = /[(,{]\s*process\s*[:,)]|(const|readonly) process\b/.test(bare);
    const global = own ? null : /(?<![.\w])(process|Buffer|require)\s*[.([]/.exec(bare);
    if (global !== null && !path.endsWith(".d.ts")) wrong.push(`${path} uses ${global[1]}`);
  }
  assert.deepEqual(wrong, []);
});

/** Packages that no code imports, and what uses them in its place. */
const TOOLS: Readonly<Record<string, () => boolean>> = {
  typescript: () => /\btsc\b/.test(manifest.scripts["build"] ?? ""),
  "@biomejs/biome": () => /\bbiome\b/.test(manifest.scripts["lint"] ?? ""),
  "@types/node": () => text("tsconfig.json").includes('"types": ["node"]'),
  node: () => text("bin/upvm.js").includes('"node", "bin"'),
};

/** "@scope/name/sub" → "@scope/name". */
const packageOf = (name: string): string => name.split("/", name.startsWith("@") ? 2 : 1).join("/");
const imported = (among: readonly string[]): Set<string> =>
  new Set(
    among
      .flatMap(imports)
      .filter((name) => !name.startsWith(".") && !name.startsWith("node:"))
      .map(packageOf),
  );

test("every dependency is used: by shipped code, or as a development dependency by tests and tools", () => {
  const used = imported(
    files.filter((path) => /^(wire|runtime|net|pvmd|upvm|bench)\//.test(path) && !isGuest(path)),
  );
  const usedAnywhere = imported(files.filter((path) => !isGuest(path)));
  const unused = [
    ...Object.keys(manifest.dependencies).filter((name) => !used.has(name)),
    ...Object.keys(manifest.devDependencies).filter((name) => !usedAnywhere.has(name) && !TOOLS[name]?.()),
  ];
  assert.deepEqual(unused, []);
  const known = { ...manifest.dependencies, ...manifest.devDependencies, upvm: "" };
  // Not of tests: programs in their strings import what they like.
  const usedOutside = imported(files.filter((path) => !isGuest(path) && !path.startsWith("test/")));
  assert.deepEqual(
    [...usedOutside].filter((name) => !Object.hasOwn(known, name)),
    [],
  );
});

test("every dependency has a row in docs/DEPENDENCIES.md, and every row is a dependency", () => {
  const rows = [...text("docs/DEPENDENCIES.md").matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]!);
  const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  assert.deepEqual(rows.sort(), names.sort());
});

test("versions are exact, and the lock file names no host", () => {
  for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies }))
    assert.match(version, /^\d/);
  assert.doesNotMatch(text("package-lock.json"), /"resolved": "http/);
});

test("files are short", () => {
  const long = files
    .map((path) => [path, text(path).split("\n").length] as const)
    .filter(([, n]) => n > LINES_MAX);
  assert.deepEqual(long, []);
});

test("links in the documents lead somewhere", () => {
  const documents = [
    ...readdirSync(root),
    ...["docs", "bench", "guest"].flatMap((folder) =>
      existsSync(join(root, folder)) ? readdirSync(join(root, folder)).map((name) => join(folder, name)) : [],
    ),
  ].filter((path) => path.endsWith(".md"));
  const broken: string[] = [];
  for (const path of documents) {
    for (const [, link] of text(path).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link!)) continue;
      const [file = "", anchor] = link!.split("#");
      const target = file === "" ? join(root, path) : join(root, dirname(path), file);
      if (!existsSync(target)) broken.push(`${path}: ${link}`);
      else if (anchor !== undefined && !anchors(target).has(anchor)) broken.push(`${path}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});

/** Names of a document's headings, as GitHub makes them. */
function anchors(path: string): Set<string> {
  const headings = [...readFileSync(path, "utf8").matchAll(/^#+ (.*)$/gm)].map((match) => match[1]!);
  return new Set(
    headings.map((title) =>
      title
        .toLowerCase()
        .replace(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** Runs a tool of node_modules and returns what it complains about. */
function complaints(script: string, ...args: string[]): string {
  const done = spawnSync(process.execPath, [join(root, "node_modules", script), ...args], {
    cwd: root,
    encoding: "utf8",
  });
  return done.status === 0 ? "" : `${done.stdout}${done.stderr}`;
}

test("types are sound", () => {
  assert.equal(complaints("typescript/bin/tsc", "--noEmit"), "");
});

test("format and lint rules are kept", () => {
  assert.equal(
    complaints("@biomejs/biome/bin/biome", "ci", "--colors=off", relative(process.cwd(), root) || "."),
    "",
  );
});

test.run();
