/**
 * What the virtual machine has for a ULP that has moved: it goes after it, to the process that has it.
 *
 * Owns: how an answer, a message, a signal for a ULP goes from process to process. Answers are taken by application.ts.
 */
import type { Addressed } from "../runtime/migrate/freezer.ts";
import { FRAME } from "../wire/protocol.ts";
import { PVM_CONSTANT } from "../wire/pvm.ts";
import { encodeAnswer } from "../wire/ulp-requests.ts";
import type { PeerLinks } from "./peer-links.ts";

const NOTHING = (): void => {};

/** Sends them on, in order. */
export function forwardParcels(
  links: PeerLinks,
  tid: number,
  to: number,
  parcels: readonly Addressed[],
): void {
  for (const parcel of parcels) {
    if (parcel.kind === "stop") {
      links.send(to, { type: FRAME.ULP_SIGNAL, a: tid >>> 0, b: 0, c: parcel.signum, body: [] });
    } else if (parcel.kind === "notice") {
      const { src, tag, context, wid, data } = parcel;
      const encoding = PVM_CONSTANT.PvmDataDefault;
      const mail = { to: tid, src, tag, context, wid, encoding, bytes: data.length, pieces: [data] };
      links.mail(to, { ...mail, release: NOTHING }, 0);
    } else if (parcel.kind === "answer") {
      const { body, bytes } = encodeAnswer({ kind: parcel.of, tid, serial: parcel.serial }, parcel.answer);
      const json = new TextEncoder().encode(JSON.stringify(body));
      links.send(to, { type: FRAME.ULP_ANSWER, a: tid >>> 0, b: 0, c: json.length, body: [json, bytes] });
    }
    // Tasks are made by engines only where one process is the whole machine.
  }
}
