/**
 * The paper's own figures: R. Konuru and others, "A Migratable User-Level Process Package for PVM", 1997; two
 * HP 9000/720.
 *
 * Source: its Tables X, XII, XIV, XV and XVII; units are ours. Tables IX and XVI are missing in our copy, and so are the
 * first two sizes of Table X: 4 and 16 bytes is our reading. Of the switch section 4.2.1 says that half a process switch would still be
 * more than ten times a ULP switch, and that a null call takes 0.65 µs; section 4.4 of the overhead that it is 3.9 %.
 */
type Series = Readonly<Record<number, number>>;

/** One-way local message by bytes, µs (Table X). */
export const LOCAL_MESSAGE_US: { readonly pvm: Series; readonly upvm: Series } = {
  pvm: { 4: 1400, 16: 1420, 512: 1610, 1000: 1850, 10000: 6550, 100000: 47_360 },
  upvm: { 4: 120, 16: 120, 512: 140, 1000: 140, 10000: 390, 100000: 5550 },
};

/** Once around a ring of so many VPs on one node, µs (Table XII). */
export const RING_US: { readonly pvm: Series; readonly upvm: Series } = {
  pvm: { 2: 2550, 4: 5640, 6: 8420, 8: 11_160, 10: 14_350, 14: 21_500, 20: 32_860, 24: 42_850 },
  upvm: { 2: 260, 4: 560, 6: 820, 8: 1150, 10: 1330, 14: 1900, 20: 2870, 24: 3500 },
};

/** Laplace grid solver by VPs on one node, Mflops (Table XIV); alone it made 2.79. */
export const LAPLACE_MFLOPS: { readonly alone: number; readonly pvm: Series; readonly upvm: Series } = {
  alone: 2.79,
  pvm: { 2: 2.75, 3: 2.68, 4: 2.63, 5: 2.57, 6: 2.54, 7: 2.5, 8: 2.45, 9: 2.42, 10: 2.38, 11: 2.34 },
  upvm: { 2: 2.79, 3: 2.69, 4: 2.68, 5: 2.67, 6: 2.66, 7: 2.65, 8: 2.59, 9: 2.58, 10: 2.58, 11: 2.56 },
};

/** Laplace grid solver by VPs on two nodes, Mflops (Table XV). */
export const LAPLACE_TWO_MFLOPS: { readonly pvm: Series; readonly upvm: Series } = {
  pvm: { 2: 5.19, 3: 3.84, 4: 4.84, 5: 4.1, 6: 4.75, 7: 4.15, 8: 4.44, 9: 4.11, 10: 4.41, 11: 3.99 },
  upvm: { 2: 5.02, 3: 3.93, 4: 4.96, 5: 4.3, 6: 4.94, 7: 4.32, 8: 4.63, 9: 4.41, 10: 4.63, 11: 4.26 },
};

/** What UPVM adds to PVM's time for a ring of as many VPs as nodes, % (section 4.4 for Table XVI). */
export const OVERHEAD_PERCENT = 3.9;

/** Migration of a ULP with so many MB of data, s (Table XVII). */
export const MIGRATION_S: Readonly<
  Record<string, { readonly obtrusive: number; readonly migration: number; readonly tcp: number }>
> = {
  "0.3": { obtrusive: 1.1, migration: 1.18, tcp: 0.27 },
  "0.5": { obtrusive: 1.32, migration: 1.42, tcp: 0.47 },
  "1.0": { obtrusive: 1.91, migration: 1.98, tcp: 0.92 },
  "1.6": { obtrusive: 2.55, migration: 2.67, tcp: 1.4 },
  "2.1": { obtrusive: 3.19, migration: 3.28, tcp: 1.88 },
  "2.9": { obtrusive: 4.24, migration: 4.47, tcp: 2.51 },
};
