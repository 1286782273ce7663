/** The machine of one host: config, mstat, addhosts, delhosts, hostsync, archcode, start_pvmd, halt. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { party } from "../machine-actors.ts";
import type { Actor } from "../one-thread.ts";

const BAD_PARAM = PVM_ERROR.PvmBadParam.code;
const INFOS = 0x700;

function one() {
  const base = party(1);
  const [a] = base.actors as [Actor];
  return {
    ...base,
    a,
    hosts: async (name: string, hosts: readonly string[]) => {
      hosts.forEach((host, i) => {
        a.view.setInt32(0x300 + 4 * i, a.text(host, 0x400 + 32 * i), true);
      });
      const result = await base.ask(a, name, 0x300, hosts.length, INFOS);
      return [result, ...hosts.map((_, i) => a.view.getInt32(INFOS + 4 * i, true))];
    },
  };
}

test("pvm_config: the host, its daemon's tid, architecture and data signature", async () => {
  const { a, ask, end } = one();
  assert.equal(await ask(a, "pvm_config_get", 0x100, 1, 0x200, 64), 1);
  assert.deepEqual(
    [0x100, 0x104, 0x108].map((at) => a.view.getInt32(at, true)),
    [0x40000, 1000, 0x408841],
  );
  assert.equal(new TextDecoder().decode(a.bytes.slice(0x200, 0x20a)), "here\0WASM\0");
  assert.equal(await ask(a, "pvm_config_get", 0, 0, 0, 0), 1);
  assert.equal(await ask(a, "pvm_config_get", 0xfffc, 1, 0, 0), BAD_PARAM);
  assert.equal(a.call("pvm_archcode", a.text("WASM")), 0x408841);
  assert.equal(a.call("pvm_archcode", a.text("SUN4")), PVM_ERROR.PvmNotFound.code);
  assert.equal(a.call("pvm_archcode", 0), BAD_PARAM);
  assert.equal(a.call("pvm_start_pvmd", 0, 0, 0), PVM_ERROR.PvmDupHost.code);
  end();
});

test("pvm_mstat knows its host by name and as `.`, no other", async () => {
  const { a, ask, errors, end } = one();
  assert.equal(await ask(a, "pvm_mstat", a.text("here")), 0);
  assert.equal(await ask(a, "pvm_mstat", a.text(".")), 0);
  assert.equal(await ask(a, "pvm_mstat", a.text("there")), PVM_ERROR.PvmNoHost.code);
  assert.deepEqual(errors(), []);
  assert.equal(await ask(a, "pvm_mstat", a.text("")), BAD_PARAM);
  assert.equal(await ask(a, "pvm_mstat", 0), BAD_PARAM);
  assert.equal(errors().length, 2);
  end();
});

test("pvm_addhosts and pvm_delhosts: a code for each host, none added, none removed", async () => {
  const { a, ask, hosts, machine, end } = one();
  machine.reachable.push("there");
  const { PvmDupHost, PvmNoHost, PvmCantStart } = PVM_ERROR;
  assert.deepEqual(await hosts("pvm_addhosts", ["here", "nowhere", "there", ""]), [
    0,
    PvmDupHost.code,
    PvmNoHost.code,
    PvmCantStart.code,
    BAD_PARAM,
  ]);
  assert.deepEqual(await hosts("pvm_delhosts", ["here", "there"]), [0, BAD_PARAM, PvmNoHost.code]);
  for (const name of ["pvm_addhosts", "pvm_delhosts"]) {
    assert.equal(await ask(a, name, 0x300, 0, INFOS), BAD_PARAM);
    assert.equal(await ask(a, name, 0x300, -1, INFOS), BAD_PARAM);
    assert.equal(await ask(a, name, 0, 1, INFOS), BAD_PARAM);
    assert.equal(await ask(a, name, 0x300, 1, 0), 0, "infos may be NULL");
  }
  end();
});

test("pvm_hostsync: the host's clock, and the caller's minus it", async () => {
  const { a, ask, errors, end } = one();
  const time = (at: number) => [Number(a.view.getBigInt64(at, true)), a.view.getInt32(at + 8, true)];
  assert.equal(await ask(a, "pvm_hostsync", 0x40000, 0x100, 0x120), 0);
  assert.deepEqual(time(0x100), [1_700_000_000, 250_000]);
  assert.deepEqual(time(0x120), [-1, 750_000], "a quarter of a second behind");
  assert.equal(await ask(a, "pvm_hostsync", a.tid, 0, 0), 0);
  assert.equal(await ask(a, "pvm_hostsync", 0xc0000, 0x100, 0), PVM_ERROR.PvmNoHost.code);
  assert.deepEqual(errors(), ["pvm_host_sync(): No such host"]);
  end();
});

test("pvm_halt ends all: it never returns", async () => {
  const { a, ask, machine, end } = one();
  assert.equal(await ask(a, "pvm_halt"), undefined);
  assert.ok(machine.halted);
  end();
});

test.run();
