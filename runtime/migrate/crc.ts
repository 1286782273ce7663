/**
 * CRC-32 of bytes that come in pieces (IEEE 802.3, as in gzip and PNG).
 *
 * Owns: the table. For what describes an image; a memory's pages are as many as the network's own checksums are for.
 */
const POLYNOMIAL = 0xedb88320;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
  return crc >>> 0;
});

/** Goes on from `crc`, 0 at first. @returns an unsigned number */
export function crc32(bytes: Uint8Array, crc = 0): number {
  let sum = ~crc;
  for (let i = 0; i < bytes.length; i++) sum = TABLE[(sum ^ bytes[i]!) & 0xff]! ^ (sum >>> 8);
  return ~sum >>> 0;
}
