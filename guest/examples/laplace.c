/*
 * Laplace's equation on a 128 x 128 grid by Gauss-Jacobi sweeps (the paper's section 4.3.2, Tables XIV and XV).
 *
 *     upvm run guest/examples/laplace.c --ulps 4 [-- --sweeps 5000] [--no-check]
 *
 * Shows neighbours that exchange arrays: each ULP has a block of columns and gets its neighbours' edge columns every
 * 10 sweeps, so there are (N-1) * 2 * 500 messages. In between the edges are old, so the result depends on N, but not
 * on anything else. ULP 0 repeats the work alone, with the same blocks, and for up to 11 ULPs also knows what PVM,
 * Open MPI and MPICH computed; the exit code is 0 if all sums are the same to the last bit and digit. The speed goes to
 * standard error.
 */
#include <math.h>
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GRID = 128, SWEEPS = 5000, EXCHANGE = 10 };
enum { READY = 10, GO = 11, TO_LEFT = 20, TO_RIGHT = 21, SUM = 30 };
#define COLUMN_BYTES (GRID * sizeof(double))
#define FLOPS_PER_SWEEP (4.0 * (GRID - 2) * (GRID - 2))

/* Sums of the grid after 5000 sweeps, by number of ULPs, from C programs on PVM, Open MPI and MPICH. */
static const double oracle[] = {
    0,             616400.162849, 610848.567073, 606316.678372, 602328.110153, 598787.570833,
    595126.473302, 591587.612490, 588061.094028, 584680.409443, 581771.270291, 578736.589641,
};
enum { ORACLES = sizeof oracle / sizeof oracle[0] };

/* The columns first … first + width - 1 of the grid, and one column more on each side. */
struct block {
  int first, width;
  double *now, *next;
};

/* Zero, and on the grid's edges 100 on the left, 0 on the right, 50 at the top, 25 at the bottom. */
static double *initial(const struct block *block) {
  double *values = calloc((block->width + 2) * GRID, sizeof(double));
  for (int c = 0; c < block->width + 2; c++) {
    int column = block->first + c - 1;
    if (column == GRID - 1) continue;
    if (column == 0) {
      for (int row = 0; row < GRID; row++) values[c * GRID + row] = 100;
    } else {
      values[c * GRID] = 50;
      values[c * GRID + GRID - 1] = 25;
    }
  }
  return values;
}

static struct block block_of(int count, int index) {
  int base = GRID / count, larger = GRID % count;
  struct block block = {index * base + (index < larger ? index : larger), base + (index < larger), NULL, NULL};
  block.now = initial(&block);
  block.next = initial(&block);
  return block;
}

/* What has come from the neighbours holds for the sweeps that follow, whichever of the two arrays is read. */
static void keep_edges(struct block *block) {
  int far = (block->width + 1) * GRID;
  memcpy(block->next, block->now, COLUMN_BYTES);
  memcpy(block->next + far, block->now + far, COLUMN_BYTES);
}

/* One sweep: every inner point becomes the mean of its four neighbours. */
static void sweep(struct block *block) {
  for (int c = 1; c <= block->width; c++) {
    int column = block->first + c - 1;
    if (column == 0 || column == GRID - 1) continue;
    const double *restrict middle = block->now + c * GRID;
    const double *restrict left = middle - GRID, *restrict right = middle + GRID;
    double *restrict to = block->next + c * GRID;
    for (int row = 1; row < GRID - 1; row++) {
      to[row] = 0.25 * (left[row] + right[row] + middle[row - 1] + middle[row + 1]);
    }
  }
  double *swept = block->next;
  block->next = block->now;
  block->now = swept;
}

static double sum_of(const struct block *block) {
  double sum = 0;
  for (int i = GRID; i < (block->width + 1) * GRID; i++) sum += block->now[i];
  return sum;
}

/* Sends both edges and receives both neighbours'. Returns how many messages were sent. */
static int exchange(struct block *block, const int *tids, int count, int index) {
  int left = index > 0, right = index < count - 1;
  if (left) {
    pvm_initsend(PvmDataDefault);
    pvm_pkdouble(block->now + GRID, GRID, 1);
    pvm_send(tids[index - 1], TO_LEFT);
  }
  if (right) {
    pvm_initsend(PvmDataDefault);
    pvm_pkdouble(block->now + block->width * GRID, GRID, 1);
    pvm_send(tids[index + 1], TO_RIGHT);
  }
  if (left) {
    pvm_recv(tids[index - 1], TO_RIGHT);
    pvm_upkdouble(block->now, GRID, 1);
  }
  if (right) {
    pvm_recv(tids[index + 1], TO_LEFT);
    pvm_upkdouble(block->now + (block->width + 1) * GRID, GRID, 1);
  }
  keep_edges(block);
  return left + right;
}

/* The same without messages: all blocks in one memory. */
static double sequential(int count, int sweeps) {
  struct block *blocks = malloc(count * sizeof *blocks);
  for (int i = 0; i < count; i++) blocks[i] = block_of(count, i);
  for (int done = 0; done < sweeps; done++) {
    if (done % EXCHANGE == 0) {
      for (int i = 0; i + 1 < count; i++) {
        struct block *a = &blocks[i], *b = &blocks[i + 1];
        memcpy(b->now, a->now + a->width * GRID, COLUMN_BYTES);
        memcpy(a->now + (a->width + 1) * GRID, b->now + GRID, COLUMN_BYTES);
      }
      for (int i = 0; i < count; i++) keep_edges(&blocks[i]);
    }
    for (int i = 0; i < count; i++) sweep(&blocks[i]);
  }
  double sum = sum_of(&blocks[0]);
  for (int i = 1; i < count; i++) sum += sum_of(&blocks[i]);
  return sum;
}

/* Everybody starts together, so that the time is the work's. */
static void start_together(const int *tids, int count, int index) {
  pvm_initsend(PvmDataDefault);
  if (index == 0) {
    for (int i = 1; i < count; i++) pvm_recv(tids[i], READY);
    pvm_mcast(tids, count, GO);
  } else {
    pvm_send(tids[0], READY);
    pvm_recv(tids[0], GO);
  }
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

/* Prints what was computed. Returns the exit code. */
static int report(int count, int sweeps, int sent, double sum, int check) {
  int right = sent == (count - 1) * 2 * ((sweeps + EXCHANGE - 1) / EXCHANGE);
  if (check && sequential(count, sweeps) != sum) right = 0;
  if (sweeps == SWEEPS && count < ORACLES && fabs(sum - oracle[count]) > 1e-6) right = 0;
  printf("%d x %d grid, %d sweeps, %d ULPs, %d messages\n", GRID, GRID, sweeps, count, sent);
  printf("sum %.6f, %s\n", sum, right ? "right" : "WRONG");
  return right ? 0 : 1;
}

int main(int argc, char **argv) {
  int *tids;
  int count = pvm_siblings(&tids);
  int me = pvm_mytid(), index = 0;
  while (tids[index] != me) index++;
  int sweeps = SWEEPS, check = 1;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--sweeps") == 0 && i + 1 < argc) sweeps = atoi(argv[++i]);
    if (strcmp(argv[i], "--no-check") == 0) check = 0;
  }
  if (count > GRID) {
    if (index == 0) fprintf(stderr, "there are %d columns: not enough for %d ULPs\n", GRID, count);
    return 2;
  }

  struct block block = block_of(count, index);
  start_together(tids, count, index);
  double start = seconds();
  int sent = 0;
  for (int done = 0; done < sweeps; done++) {
    if (done % EXCHANGE == 0) sent += exchange(&block, tids, count, index);
    sweep(&block);
  }
  double sum = sum_of(&block);
  if (index != 0) {
    pvm_initsend(PvmDataDefault);
    pvm_pkdouble(&sum, 1, 1);
    pvm_pkint(&sent, 1, 1);
    pvm_send(tids[0], SUM);
    return 0;
  }
  for (int i = 1; i < count; i++) {
    double part;
    int messages;
    pvm_recv(tids[i], SUM);
    pvm_upkdouble(&part, 1, 1);
    pvm_upkint(&messages, 1, 1);
    sum += part;
    sent += messages;
  }
  fprintf(stderr, "%.1f Mflops\n", FLOPS_PER_SWEEP * sweeps / (seconds() - start) / 1e6);
  return report(count, sweeps, sent, sum, check);
}
