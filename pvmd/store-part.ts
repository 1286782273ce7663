/**
 * The part of a pvmd that has the control store: the master's, for application processes and other pvmds.
 */
import type { Caller, MakePart } from "./pvmd.ts";
import { type Seat, StoreServer } from "./store-server.ts";

export const storePart: MakePart = ({ store, vm }) => {
  if (store === undefined) return {};
  const server = new StoreServer(store, vm);
  const seats = new Map<Caller, Seat>();
  return {
    handlers: (caller) => {
      const seat = server.seat(() => caller.rpc);
      seats.set(caller, seat);
      return seat.handlers;
    },
    ended: (caller) => {
      seats.get(caller)?.leave();
      seats.delete(caller);
    },
  };
};
