/**
 * Colours for a terminal: few, and none of them carries a meaning that the words do not.
 *
 * Pure. Whether the other end shows colours is the caller's to know (Edge.colour).
 */

/** ANSI "select graphic rendition" codes: on, off. Source: ECMA-48, 8.3.117. */
const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  cyan: [36, 39],
} as const;
export type Style = keyof typeof STYLES;
export type Paint = (style: Style, text: string) => string;

/** A painter that does nothing unless `on`. */
export function painter(on: boolean): Paint {
  if (!on) return (_style, text) => text;
  return (style, text) => `\x1b[${STYLES[style][0]}m${text}\x1b[${STYLES[style][1]}m`;
}
