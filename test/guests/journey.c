/* A program with all that a task can have, for tests that stop and move it anywhere: it prints what it computes. */
#include <math.h>
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 6, SIZE = 24, RING = 7, HANDLED = 99, LATE = 55 };

typedef struct node {
  struct node *next;
  unsigned value;
} node;

static unsigned state = 12345;
static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];
static int handled, nested;
static node *list;

static unsigned next_random(void) {
  state ^= state << 13;
  state ^= state >> 17;
  return state ^= state << 5;
}

static int by_value(const void *x, const void *y) {
  unsigned u = *(const unsigned *)x, v = *(const unsigned *)y;
  return u < v ? -1 : u > v;
}
static int downwards(const void *x, const void *y) { return by_value(y, x); }
static int (*const orders[])(const void *, const void *) = {by_value, downwards};

/* Grows and shrinks a list: its nodes point at each other all over the memory. */
static unsigned churn(void) {
  unsigned sum = 0;
  for (int i = 0; i < 500; i++) {
    if (next_random() % 3 != 0) {
      node *one = malloc(sizeof *one);
      one->next = list;
      one->value = next_random();
      list = one;
    } else if (list != NULL) {
      node *one = list;
      list = one->next;
      free(one);
    }
  }
  for (node *one = list; one != NULL; one = one->next) sum = sum * 31 + one->value;
  return sum;
}

/* A loop without calls. */
static double multiply(void) {
  double sum = 0;
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      a[i][j] = (double)(state % 1000 + i) / (j + 1);
      b[i][j] = i == j ? 1.0009 : 1.0 / (i + j + 3);
    }
  for (int times = 0; times < 3; times++) {
    for (int i = 0; i < SIZE; i++)
      for (int j = 0; j < SIZE; j++) {
        double dot = 0;
        for (int k = 0; k < SIZE; k++) dot += a[i][k] * b[k][j];
        c[i][j] = dot;
      }
    memcpy(a, c, sizeof a);
  }
  for (int i = 0; i < SIZE; i++) sum += sqrt(fabs(c[i][SIZE - 1 - i]));
  return sum;
}

/* Deep recursion, with a value in each frame. */
static unsigned deep(int depth, unsigned value) {
  if (depth == 0) return value;
  unsigned mine = value * 2654435761u + depth;
  return deep(depth - 1, mine) ^ mine;
}

static int on_message(int bufid) {
  int value = 0;
  nested++;
  pvm_upkint(&value, 1, 1);
  for (int i = 0; i < 20000; i++) value = value * 1103515245 + 12345;
  handled += value & 15;
  nested--;
  return bufid != 0;
}

int main(int argc, char **argv) {
  int count, *tids, me = pvm_mytid(), index = 0;
  unsigned numbers[200];
  FILE *file = NULL;
  char name[40];
  count = pvm_siblings(&tids);
  while (tids[index] != me) index++;
  int to = tids[(index + 1) % count], from = tids[(index + count - 1) % count];
  state += 7 * index;
  pvm_addmhf(-1, HANDLED, -1, on_message);
  snprintf(name, sizeof name, "out/%d.txt", index);
  if (argc > 1 && (file = fopen(name, "w+")) == NULL) return 3;
  for (int round = 0; round < ROUNDS; round++) {
    struct timeval soon = {0, 1500};
    unsigned sum = churn(), other = 0;
    double product = multiply(), theirs = 0;
    for (int i = 0; i < 200; i++) numbers[i] = next_random();
    qsort(numbers, 200, sizeof *numbers, orders[round % 2]);
    printf("%d %d: ", index, round);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&round, 1, 1);
    pvm_send(to, HANDLED);
    pvm_initsend(PvmDataDefault);
    pvm_pkuint(&sum, 1, 1);
    pvm_pkuint(numbers, 200, 1);
    pvm_pkdouble(&product, 1, 1);
    pvm_send(to, RING);
    pvm_recv(from, RING);
    pvm_upkuint(&other, 1, 1);
    pvm_upkuint(numbers, 100, 1);
    if (round % 4 == 1) usleep(1000);
    pvm_upkuint(numbers + 100, 100, 1);
    pvm_upkdouble(&theirs, 1, 1);
    if (pvm_trecv(-1, LATE, &soon) != 0) return 4;
    printf("%08x %08x %a %a", sum, other ^ numbers[(round * 17) % 200], product, theirs);
    printf(" %08x\n", deep(50 + 10 * round, sum));
    if (file != NULL) fprintf(file, "%d %08x %a\n", round, sum, product);
  }
  /* All of its handled messages have come before the last of these. */
  pvm_initsend(PvmDataRaw);
  pvm_send(to, 1);
  pvm_recv(from, 1);
  printf("%d: handled %d, nested %d\n", index, handled, nested);
  if (file != NULL) {
    unsigned check = 0;
    rewind(file);
    for (int one = fgetc(file); one != EOF; one = fgetc(file)) check = check * 33 + one;
    printf("%d: file %08x\n", index, check);
    fclose(file);
  }
  pvm_exit();
  return 0;
}
