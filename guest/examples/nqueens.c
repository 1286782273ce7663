/*
 * The queens problem: in how many ways can n queens stand on an n x n board without attacking each other?
 *
 *     upvm run guest/examples/nqueens.c --ulps 8 [-- N]     (N from 1 to 16, 12 unless told otherwise)
 *
 * Shows a search whose parts differ in size: the master (ULP 0) places the queens of the first two rows in all ways, and
 * deals these boards to workers as they bring back the counts of the last. It prints the sum, and the exit code is 0 if
 * that is the known number, and for boards up to 10 x 10 what the master counts alone. One ULP counts alone. The time
 * goes to standard error.
 */
#include <pvm3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BOARD = 1, COUNTED = 2, STOP = 3 };
enum { LARGEST = 16, CHECKED = 10 };

/* Ways for n = 0 … 16: sequence A000170 of the On-Line Encyclopedia of Integer Sequences. */
static const int known[LARGEST + 1] = {1,   1,   0,    0,    2,     10,    4,      40,      92,
                                       352, 724, 2680, 14200, 73712, 365596, 2279184, 14772512};

/* Columns that are taken, and the columns that the diagonals of earlier queens reach in the next row, as bits. */
struct board {
  uint32_t columns, left, right;
};

static struct board with_queen(struct board board, uint32_t column) {
  return (struct board){board.columns | column, (board.left | column) << 1, (board.right | column) >> 1};
}

/* Ways to place the remaining queens. */
static int count_from(struct board board, uint32_t all) {
  if (board.columns == all) return 1;
  int ways = 0;
  for (uint32_t open = all & ~(board.columns | board.left | board.right); open != 0; open &= open - 1) {
    ways += count_from(with_queen(board, open & -open), all);
  }
  return ways;
}

/* The boards with the first two rows filled. Returns how many there are. */
static int first_two_rows(int n, struct board boards[LARGEST * LARGEST]) {
  uint32_t all = (1u << n) - 1;
  struct board empty = {0, 0, 0};
  int count = 0;
  for (int a = 0; a < n; a++) {
    struct board one = with_queen(empty, 1u << a);
    uint32_t open = all & ~(one.columns | one.left | one.right);
    for (; open != 0; open &= open - 1) boards[count++] = with_queen(one, open & -open);
  }
  return count;
}

/* A worker counts from the boards that come until it is told to stop. */
static void work(int master, uint32_t all) {
  for (;;) {
    int length, tag, tid;
    pvm_bufinfo(pvm_recv(master, -1), &length, &tag, &tid);
    if (tag == STOP) return;
    struct board board;
    pvm_upkuint(&board.columns, 1, 1);
    pvm_upkuint(&board.left, 1, 1);
    pvm_upkuint(&board.right, 1, 1);
    int ways = count_from(board, all);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&ways, 1, 1);
    pvm_send(master, COUNTED);
  }
}

static void deal(int worker, struct board board) {
  pvm_initsend(PvmDataDefault);
  pvm_pkuint(&board.columns, 1, 1);
  pvm_pkuint(&board.left, 1, 1);
  pvm_pkuint(&board.right, 1, 1);
  pvm_send(worker, BOARD);
}

/* The master deals the boards and adds up the counts. */
static int by_workers(const int *tids, int ulps, const struct board *boards, int count) {
  int next = 0, ways = 0;
  for (int i = 1; i < ulps && next < count; i++) deal(tids[i], boards[next++]);
  for (int done = 0; done < count; done++) {
    int length, tag, worker, part;
    pvm_bufinfo(pvm_recv(-1, COUNTED), &length, &tag, &worker);
    pvm_upkint(&part, 1, 1);
    ways += part;
    if (next < count) deal(worker, boards[next++]);
  }
  pvm_initsend(PvmDataDefault);
  pvm_mcast(tids, ulps, STOP);
  return ways;
}

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  int *tids;
  int ulps = pvm_siblings(&tids);
  int master = pvm_mytid() == tids[0];
  int n = argc > 1 ? atoi(argv[1]) : 12;
  if (n < 1 || n > LARGEST) {
    if (master) fprintf(stderr, "N is 1 to %d\n", LARGEST);
    return 2;
  }
  uint32_t all = (1u << n) - 1;
  if (!master) {
    work(tids[0], all);
    return 0;
  }

  double start = milliseconds();
  struct board empty = {0, 0, 0}, boards[LARGEST * LARGEST];
  /* A board of one row has no second one to deal. */
  int count = n > 1 ? first_two_rows(n, boards) : 0;
  int ways = ulps > 1 ? by_workers(tids, ulps, boards, count) : 0;
  if (ulps == 1 || n == 1) ways = count_from(empty, all);
  fprintf(stderr, "%.1f ms\n", milliseconds() - start);
  int right = ways == known[n] && (n > CHECKED || ways == count_from(empty, all));
  printf("%d queens: %d ways, %s\n", n, ways, right ? "right" : "WRONG");
  return right ? 0 : 1;
}
