/** Homes, keys, addresses and the hoster's words: what users write, and what becomes of it. */
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "uvu";
import { connectError } from "../../net/node-links.ts";
import { hosterWords, hostNameOf, whyNotAdded } from "../../pvmd/hoster.ts";
import { addressOf, announced, isLoopback, LOOPBACK, shownAddress } from "../../upvm/addresses.ts";
import { homeOf, keyOf, keyText } from "../../upvm/home.ts";
import { ownAddressTowards } from "../../upvm/node-own-address.ts";
import { LIMITS } from "../../wire/limits.ts";

const folderOf = (env: Parameters<typeof homeOf>[0]): string => homeOf(env, (path) => `/at/${path}`).folder;

test("a home is UPVM_HOME, else in the XDG state folder, else below HOME; a relative XDG folder does not count", () => {
  assert.equal(folderOf({ UPVM_HOME: "x", XDG_STATE_HOME: "/s", HOME: "/h" }), "/at/x");
  assert.equal(folderOf({ UPVM_HOME: "", XDG_STATE_HOME: "/s", HOME: "/h" }), "/at//s/upvm");
  assert.equal(folderOf({ XDG_STATE_HOME: "s", HOME: "/h" }), "/at//h/.local/state/upvm");
  assert.throws(() => folderOf({}), { code: "HOME_UNKNOWN" });
  const most = "h".repeat(LIMITS.socketPathBytes - "/at//socket".length);
  assert.equal(folderOf({ UPVM_HOME: most }), `/at/${most}`);
  assert.throws(() => folderOf({ UPVM_HOME: `${most}h` }), { code: "HOME_TOO_LONG" });
  assert.throws(
    () => folderOf({ UPVM_HOME: `${most.slice(1)}é` }),
    { code: "HOME_TOO_LONG" },
    "bytes count, not letters",
  );
});

test("a key is a line of hexadecimal digits, and nothing else is one", () => {
  const key = Uint8Array.from({ length: LIMITS.keyBytes }, (_, i) => i * 7);
  assert.deepEqual(keyOf(keyText(key)), key);
  assert.deepEqual(keyOf(`  ${keyText(key).toUpperCase()}\r\n`), key);
  const hex = keyText(key).trim();
  for (const text of ["", hex.slice(2), `${hex}00`, hex.replace("0", "g"), `${hex}\n${hex}`])
    assert.equal(keyOf(text), undefined, text);
});

test("addresses are HOST:PORT, with a kind before it or not", () => {
  assert.equal(addressOf("host1:4711"), "tcp:host1:4711");
  assert.equal(addressOf("tls:[::1]:0"), "tls:[::1]:0");
  for (const text of ["host1", "host1:", ":1", "host1:65536", "host1:1x", "udp:host1:1", "::1:4", "a:b:1"])
    assert.throws(() => addressOf(text), { code: "BAD_ADDRESS" }, text);
  // What is proposed is taken.
  const way = { hint: "tls: before it has nobody read along" };
  assert.throws(() => addressOf("unix:h/a/socket"), way);
  assert.equal(shownAddress("tcp:host1:1"), "host1:1");
  assert.equal(shownAddress("tls:host1:1"), "tls:host1:1");
  for (const text of ["tcp:127.0.0.1:1", "tls:localhost:1", "tcp:[::1]:1"]) assert(isLoopback(text), text);
  for (const text of ["tcp:10.0.0.1:1", "tcp:127.host:1", "tcp:localhost.org:1"])
    assert(!isLoopback(text), text);
  assert.equal(announced("tcp:0.0.0.0:5", "host1"), "tcp:host1:5");
  assert.equal(announced("tls:[::]:5", "host1"), "tls:host1:5");
  assert.equal(announced("tcp:10.0.0.1:5", "host1"), "tcp:10.0.0.1:5");
});

test("one that joins can listen at the address by which it reaches a host, with the same kind of link", async () => {
  assert.equal(await ownAddressTowards("tls:127.0.0.1:5"), "tls:127.0.0.1:0");
  assert.equal(await ownAddressTowards("tcp:no.such.invalid:5"), LOOPBACK);
  assert.equal(await ownAddressTowards("unix:/run/x"), LOOPBACK);
  // The system has no way there, whatever networks it has: it would listen in all of them.
  assert.equal(await ownAddressTowards("tcp:255.255.255.255:5"), LOOPBACK);
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  for (const { address, family, internal } of all)
    if (family === "IPv4" && !internal)
      assert.equal(await ownAddressTowards(`tcp:${address}:5`), `tcp:${address}:0`);
});

test("the hoster gets no secret and no option that a host's name could smuggle in", () => {
  const address = "tcp:10.0.0.1:5";
  const start = ["start", "--join", "10.0.0.1:5", "--listen", "auto", "--key-file", "-", "--name", "host2"];
  assert.equal(hostNameOf("me@host2"), "host2");
  assert.deepEqual(hosterWords({ host: "me@host2", address }), [
    "ssh",
    "-o",
    "BatchMode=yes",
    "me@host2",
    "upvm",
    ...start,
  ]);
  assert.deepEqual(hosterWords({ host: "host2", address, hoster: "rsh  -n", remote: "npx upvm" }), [
    ...["rsh", "-n", "host2", "npx", "upvm"],
    ...start,
  ]);
  for (const host of ["-oProxyCommand=x", "", "a b", "a;b", "$(x)", "a".repeat(65)])
    assert.equal(hosterWords({ host, address }), "that is no host's name", host);
  const loopback = "tcp:127.0.0.1:5";
  assert.match(
    String(hosterWords({ host: "host2", address: loopback })),
    /127\.0\.0\.1:5: start it with --listen/,
  );
  assert.equal(typeof hosterWords({ host: "localhost", address: loopback }), "object");
  assert.equal(typeof hosterWords({ host: "host2", address: loopback, hoster: "x" }), "object");
});

test("of a hoster that has ended without its host it is told how, and that the host is not there", () => {
  const none = "its hoster has ended, and the host has not joined";
  assert.equal(whyNotAdded({ code: 0, text: "" }), `${none}; upvm add --help tells what a hoster has to do`);
  assert.equal(whyNotAdded({ code: 0, text: "Welcome\n" }), `${none}: Welcome`);
  assert.equal(whyNotAdded({ code: 255, text: " no route\n" }), "no route");
  assert.equal(whyNotAdded({ code: 1, text: "" }), "its hoster ended with 1, and said nothing");
});

test("a daemon that does not answer at its home's socket is no question of the kind of link", () => {
  const hintAt = (address: string) =>
    connectError(address, { why: "broken", text: "late", late: false }).hint;
  assert.match(`${hintAt("unix:/home/me/socket")}`, /may be stopped or very busy; its log/);
  assert.match(`${hintAt("tcp:host1:1")}`, /same kind of link/);
});

test.run();
