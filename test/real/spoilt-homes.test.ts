/** Homes that somebody has spoilt while their pvmd is in service: what cannot be done is refused by name, and goes again. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import { ModuleStore } from "../../upvm/node-module-store.ts";
import { EXIT } from "../../wire/errors.ts";
import { withHosts } from "../hosts.ts";

/** Only their messages are of interest. */
const BUG = /bug/;

test("a program that cannot be kept, and a key that is gone, are why a job does not begin; then one does", () =>
  withHosts(async (hosts) => {
    await hosts.all("a", "b");
    const [modules, key] = [join(hosts.home("a"), "modules"), join(hosts.home("b"), "key")];
    const program = join(hosts.home("a"), "hello.wat");
    writeFileSync(program, `(module (memory (export "memory") 1) (func (export "_start")))`);
    const run = (...words: string[]) => hosts.on("a", ["run", ...words, program]);

    writeFileSync(modules, "no folder");
    const { code, err } = await run();
    assert.equal(
      err,
      `upvm: Cannot keep the program on the virtual machine's first host: ${modules}: it is no folder\n`,
    );
    assert.equal(code, EXIT.failed);
    rmSync(modules);

    renameSync(key, `${key}.gone`);
    const keyless = await run("--hosts", "b");
    assert.equal(keyless.code, EXIT.failed);
    assert.match(keyless.err, /Cannot take the key from .*\/b\/key: no such file/);
    renameSync(`${key}.gone`, key);

    assert.equal((await run("--hosts", "a,b")).code, EXIT.ok);
    for (const name of ["a", "b"]) assert.ok(!BUG.test(readFileSync(join(hosts.home(name), "log"), "utf8")));
  }));

test("what cannot be written to a module store is told of; what is there and cannot be dropped harms nobody", () =>
  withHosts(async (hosts) => {
    const home = hosts.home("a");
    const store = new ModuleStore(home);
    const wasm = new Uint8Array([1, 2, 3]);
    const hash = store.hashOf(wasm);
    assert.equal(store.keep(store.hashOf(new Uint8Array()), wasm), "the module's hash is another");
    // A folder in the module's place.
    mkdirSync(join(home, "modules", `${hash}.wasm`), { recursive: true });
    assert.equal(store.keep(hash, wasm), `${join(home, "modules")}: it is a folder`);
    assert.equal(await store.find(hash), undefined);
    rmSync(join(home, "modules"), { recursive: true });
    assert.equal(store.keep(hash, wasm), undefined);
    assert.deepEqual(await store.find(hash), wasm);
  }));

test.run();
