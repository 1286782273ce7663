/** What the store in etcd does when its own leases have ended there. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "uvu";
import { StoreError } from "../../pvmd/control-store.ts";
import { CODE, EtcdCalls, type EtcdEdge } from "../../pvmd/etcd-calls.ts";
import { EtcdStore } from "../../pvmd/etcd-store.ts";
import { LIMITS } from "../../wire/limits.ts";
import { put } from "../store-contract.ts";
import { Clock } from "../store-fixture.ts";

/** An etcd that has no key and any lease, until it loses them; each of its answers comes a turn later. */
class Leases {
  readonly there = new Set<string>();
  granted = 0;
  renewed: string[] = [];
  private readonly clock = new Clock();

  open(): Promise<EtcdStore> {
    let ids = 0;
    const edge: EtcdEdge = {
      post: async (url, _token, body) => {
        await setImmediate();
        return this.answer(new URL(url).pathname, JSON.parse(body));
      },
      stream: () => () => {},
      after: this.clock.after,
      id: () => ++ids,
    };
    return EtcdStore.open(new EtcdCalls(["http://a"], undefined, edge), "r/");
  }

  /** Until all leases that are kept have been renewed. */
  async round(): Promise<void> {
    this.renewed = [];
    await this.clock.pass(LIMITS.holderMs / 3);
    for (let n = 0; n < 10; n++) await setImmediate();
  }

  private answer(path: string, asked: { ID?: string; success?: { request_put?: { lease?: string } }[] }) {
    const header = { revision: "1" };
    const { ID = "" } = asked;
    const ok = (result: object) => ({ status: 200, text: JSON.stringify({ header, ...result }) });
    if (path === "/v3/kv/range") return ok({});
    if (path === "/v3/lease/grant") {
      this.granted += 1;
      this.there.add(ID);
      return ok({});
    }
    if (path === "/v3/lease/keepalive") {
      this.renewed.push(ID);
      return ok({ result: { TTL: this.there.has(ID) ? "9" : "0" } });
    }
    if (path === "/v3/lease/revoke") {
      this.there.delete(ID);
      return ok({});
    }
    assert.equal(path, "/v3/kv/txn");
    if (this.there.has(asked.success?.[0]?.request_put?.lease ?? "")) return ok({ succeeded: true });
    return { status: 404, text: JSON.stringify({ code: CODE.notFound, message: "lease not found" }) };
  }
}

test("transactions that find their client's lease gone at once are one new client, whose lease alone is renewed", async () => {
  const etcd = new Leases();
  const store = await etcd.open();
  assert.equal(etcd.granted, 1);
  etcd.there.clear();
  const ask = () => store.txn([], [put("a", "1")]);
  const ended = await Promise.allSettled([ask(), ask(), ask()]);
  for (const end of ended) {
    assert.ok(end.status === "rejected" && end.reason instanceof StoreError);
    assert.equal(end.reason.outcome, "unknown");
  }
  assert.equal(etcd.granted, 2);
  await etcd.round();
  assert.deepEqual(etcd.renewed, [...etcd.there]);
  assert.ok(await ask());
  await store.close();
  assert.deepEqual([...etcd.there], []);
});

test.run();
