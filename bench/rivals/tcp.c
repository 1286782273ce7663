/*
 * One-way message between two processes over TCP on loopback, microseconds: half of a round trip.
 *
 *     tcp BATCHES [BYTES...]
 */
#define OVER_TCP
#include "sockets.c"
