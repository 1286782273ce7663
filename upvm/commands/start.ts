/** `upvm start`: a pvmd on this host, in the background. */
import { storeSpec } from "../../pvmd/open-store.ts";
import { EXIT, UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";
import { AUTO, addressOf, isLoopback, shownAddress } from "../addresses.ts";
import { usage } from "../args.ts";
import { command } from "../command.ts";
import { statusJson } from "./status.ts";

export const start = command({
  summary: "Start this host's daemon (pvmd): a virtual machine of its own, or one to join",
  about: [
    "Returns when the host is in service. The first pvmd of a virtual machine is its master: it makes the key, and prints how others join. The key file is the only thing they need; whoever has it may do everything.",
    "Everything of the host is in the folder UPVM_HOME; by default upvm in the user's XDG state folder. Two homes on one machine are two hosts.",
    "It listens on 127.0.0.1 unless --listen says otherwise: then with TLS if the address begins with tls:, else peers show each other that they have the key, and what they say is not encrypted.",
  ],
  args: {},
  flags: {
    name: { kind: "text", value: "NAME", help: "what the host is called", absent: "the machine's name" },
    listen: {
      kind: "text",
      value: "ADDR:PORT",
      help: "where other hosts reach this one; port 0: any that is free; auto, with --join: the address by which it reaches that host",
      absent: "127.0.0.1:0, this machine only",
    },
    join: { kind: "text", value: "ADDR:PORT", help: "a host of the virtual machine to join" },
    "key-file": {
      kind: "text",
      value: "FILE",
      help: "the virtual machine's key; -: standard input",
      absent: "a new one; with --join the home's, from the last time",
    },
    store: {
      kind: "text",
      value: "SPEC",
      help: "what the virtual machine keeps its state in: memory, or etcd:http://HOST:PORT[,HOST:PORT...]",
      absent: "memory, that of the first host",
    },
    "store-user": {
      kind: "text",
      value: "FILE",
      help: "a user of etcd: a file with NAME:PASSWORD; over http it can be read on the way",
    },
    "dead-after": {
      kind: "number",
      value: "SECONDS",
      whole: true,
      min: LIMITS.hostDeadLeastMs / 1000,
      max: LIMITS.hostDeadMostMs / 1000,
      help: `a host of which nothing is heard for so long is dead, and its tasks have ended: more for slow machines and far networks; from ${LIMITS.hostDeadLeastMs / 1000} to ${LIMITS.hostDeadMostMs / 1000}`,
      absent: `${LIMITS.hostDeadMs / 1000}`,
    },
    json: { kind: "switch", help: "print what upvm status --json does" },
  },
  examples: [
    "upvm start",
    "upvm start --listen 10.0.0.1:4711",
    "upvm start --store etcd:http://10.0.0.7:2379,10.0.0.8:2379",
    "upvm start --join 10.0.0.1:4711 --listen 10.0.0.2:0 --key-file key",
    "upvm start --join tls:host1:4711 --listen auto --key-file key",
    "ssh host1 cat .local/state/upvm/key | upvm start --join host1:4711 --key-file -",
  ],
  exits: {
    0: "in service",
    1: "not started, and why",
    2: "wrong usage",
    130: "interrupted, and nothing was started",
  },
  async run({ flags }, edge) {
    const join = flags.join === undefined ? undefined : addressOf(flags.join);
    const listen =
      flags.listen === undefined || flags.listen === AUTO ? flags.listen : addressOf(flags.listen);
    if (listen === AUTO && join === undefined)
      throw usage("--listen auto is for one that joins: a first host is told its address", "start");
    if (join?.endsWith(":0"))
      throw new UpvmError("BAD_ADDRESS", {
        ...{ address: join, why: "port 0 is nobody's" },
        hint: "upvm status on a host of that virtual machine tells its address",
      });
    const { name, store, "key-file": keyFile, "store-user": storeUser, "dead-after": deadAfter } = flags;
    if (join !== undefined && (store !== undefined || storeUser !== undefined))
      throw usage("--store is for the first host: who joins has its store", "start");
    if (join !== undefined && deadAfter !== undefined)
      throw usage("--dead-after is for the first host: who joins does as it says", "start");
    if (store !== undefined) storeSpec(store);
    const vm = await edge.vm();
    const deadMs = deadAfter === undefined ? undefined : deadAfter * 1000;
    const status = await vm.start({
      ...{ name, listen, join, keyFile, store, storeUser, deadMs },
      interrupts: () => edge.interrupts(),
    });
    if (flags.json) {
      edge.out(`${JSON.stringify(statusJson(status, vm.home))}\n`);
      return EXIT.ok;
    }
    edge.out(`${status.host} is in service in virtual machine ${status.vm}; its log is ${vm.home.logFile}\n`);
    if (join === undefined) {
      const { keyFile } = vm.home;
      const address = shownAddress(status.address);
      const isHere = isLoopback(status.address);
      const how = `--join ${address}${isHere ? "" : ` --listen ${AUTO}`} --key-file KEYFILE`;
      edge.out(`Others join with the key in ${keyFile}:\n  upvm start ${how}\n`);
      if (isHere)
        edge.out(
          "It is reached from this machine only; --listen with an address that others reach changes that.\n",
        );
    } else if (isLoopback(status.address) && !isLoopback(join)) {
      edge.err(
        "upvm: other hosts cannot reach this one: it listens on 127.0.0.1. --listen auto changes that.\n",
      );
    }
    return EXIT.ok;
  },
});
