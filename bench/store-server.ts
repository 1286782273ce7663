/** A process with the built-in control store for others: prints its address, ends with its first link. For store.ts. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listen } from "../net/node-links.ts";
import { Rpc } from "../net/rpc.ts";
import { MemoryStore } from "../pvmd/memory-store.ts";
import { StoreServer } from "../pvmd/store-server.ts";
import type { RPC } from "../wire/rpc.ts";

const server = new StoreServer(new MemoryStore(() => performance.now()), "bench");
const listener = await listen(
  {
    address: `unix:${join(tmpdir(), `upvm-bench-store-${process.pid}`)}`,
    identity: () => ({ role: "pvmd", vm: "bench", host: "master" }),
    key: new Uint8Array(32).fill(7),
  },
  (link) => {
    const seat = server.seat(() => rpc);
    const rpc: Rpc = new Rpc<typeof RPC>(link, seat.handlers);
    link.onClose(() => {
      seat.leave();
      void listener.close();
    });
  },
);
process.stdout.write(`${listener.address}\n`);
