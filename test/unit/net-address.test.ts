import assert from "node:assert/strict";
import { test } from "uvu";
import { addressText, isLoopback, parseAddress } from "../../net/address.ts";
import { UpvmError } from "../../wire/errors.ts";

test("an address is read and written the same", () => {
  for (const [text, address] of [
    ["unix:/run/a b", { kind: "unix", path: "/run/a b" }],
    ["tcp:127.0.0.1:0", { kind: "tcp", host: "127.0.0.1", port: 0 }],
    ["tls:[fe80::1%eth0]:65535", { kind: "tls", host: "fe80::1%eth0", port: 65_535 }],
    ["tcp:host1.lab:7", { kind: "tcp", host: "host1.lab", port: 7 }],
  ] as const) {
    assert.deepEqual(parseAddress(text), address);
    assert.equal(addressText(address), text);
  }
});

test("what is no address is refused, and says why", () => {
  for (const [text, pattern] of [
    ["", /another form/],
    ["host1:7", /another form/],
    ["tcp:host1", /another form/],
    ["tcp:::1:7", /another form/],
    ["udp:host1:7", /another form/],
    ["tcp:host1:65536", /65536 is no port/],
    ["unix:", /no path/],
    [`unix:/${"x".repeat(103)}`, /104 bytes, a Unix socket's has 103/],
  ] as const) {
    assert.throws(
      () => parseAddress(text),
      (error: unknown) =>
        error instanceof UpvmError && error.code === "BAD_ADDRESS" && pattern.test(error.message),
    );
  }
});

test("loopback is what no other machine can reach", () => {
  for (const text of ["unix:/x", "tcp:127.0.0.1:1", "tcp:127.9.9.9:1", "tls:[::1]:1", "tcp:localhost:1"])
    assert.ok(isLoopback(parseAddress(text)), text);
  for (const text of [
    "tcp:0.0.0.0:1",
    "tcp:[::]:1",
    "tcp:10.0.0.1:1",
    "tcp:localhost.evil.org:1",
    "tcp:127.0.0.1.nip.io:1",
  ])
    assert.ok(!isLoopback(parseAddress(text)), text);
});

test.run();
