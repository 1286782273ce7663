/* Posted sends and receives, between three; requests.ts is the same program and prints the same. Rank 0 prints. */
#include <stdio.h>
#include <upvm.h>

enum { GO = 90, MANY = 60 };

static int *tids, rank;

static double work(int rounds) {
  double sum = 0;
  for (int i = 1; i < rounds; i++) sum += 1.0 / i;
  return sum;
}

/* Tells another that it may send. */
static void go(int to) { pvm_psend(tids[to], GO, &to, 1, PVM_INT); }
static void await_go(void) {
  int any;
  pvm_precv(tids[0], GO, &any, 1, PVM_INT, NULL, NULL, NULL);
}

static void send(int tag, int value) { pvm_psend(tids[0], tag, &value, 1, PVM_INT); }

/* Others send when they are told; 0 posts before, and waits in another order. */
static void first(void) {
  struct upvm_request any, one, wide, other;
  int from_any = 0, from_one = 0, from_wide = 0, from_other = 0;
  upvm_irecv(-1, 5, &from_any, 1, PVM_INT, &any);
  upvm_irecv(tids[1], 5, &from_one, 1, PVM_INT, &one);
  printf("posted: %d %d\n", upvm_test(&any), upvm_test(&one));
  go(1);
  work(20000);
  /* What fits both is for the one that was posted first. */
  int code = upvm_wait(&one);
  printf("waited: %d, %d then %d, tag %d, %d bytes, right sender %d\n", code, from_any, from_one, one.tag, one.bytes,
         any.tid == tids[1] && one.tid == tids[1]);
  printf("both done: %d %d\n", upvm_test(&any), upvm_test(&one));
  /* Neither pattern has all of the other. */
  upvm_irecv(tids[2], -1, &from_wide, 1, PVM_INT, &wide);
  upvm_irecv(-1, 7, &from_other, 1, PVM_INT, &other);
  go(2);
  code = upvm_wait(&other);
  printf("crossed: %d, %d is of the first, %d of the other\n", code, from_wide, from_other);
}

static void cut_and_cancelled(void) {
  struct upvm_request short_one, gone, bad;
  int room = 0, later = 0;
  upvm_irecv(tids[1], 8, &room, 1, PVM_INT, &short_one);
  upvm_irecv(tids[1], 8, &later, 1, PVM_INT, &gone);
  printf("cancelled: %d, again %d\n", upvm_cancel(&gone), upvm_cancel(&gone));
  go(1);
  upvm_wait(&short_one);
  pvm_recv(tids[1], 8);
  pvm_upkint(&later, 1, 1);
  printf("cut: %d of %d bytes; not posted any more: %d\n", room, short_one.bytes, later);
  printf("refused: %d %d\n", upvm_isend(tids[1], 8, &room, -1, PVM_INT, &bad) == PvmBadParam, upvm_wait(&bad) == PvmBadParam);
}

/* A request keeps the context that it was posted in. */
static void contexts(void) {
  struct upvm_request mine;
  int value = 0, theirs = 0, context = 77, before = pvm_setcontext(context);
  upvm_irecv(tids[2], 9, &value, 1, PVM_INT, &mine);
  pvm_setcontext(before);
  go(2);
  pvm_precv(tids[2], 9, &theirs, 1, PVM_INT, NULL, NULL, NULL);
  upvm_wait(&mine);
  printf("contexts: %d and %d\n", theirs, value);
}

/* Everyone to everyone, computing meanwhile. */
static void many(void) {
  static struct upvm_request in[3][MANY], out[3][MANY];
  static int got[3][MANY], data[3][MANY];
  int sum = 0, failed = 0;
  double computed = 0;
  for (int i = 0; i < MANY; i++)
    for (int k = 0; k < 3; k++) failed += upvm_irecv(tids[k], 10, &got[k][i], 1, PVM_INT, &in[k][i]) < 0;
  for (int i = 0; i < MANY; i++)
    for (int k = 0; k < 3; k++) {
      data[k][i] = rank * 1000 + i;
      failed += upvm_isend(tids[k], 10, &data[k][i], 1, PVM_INT, &out[k][i]) < 0;
      computed += work(100);
    }
  for (int i = MANY - 1; i >= 0; i--)
    for (int k = 0; k < 3; k++) failed += upvm_wait(&in[k][i]) < 0 || upvm_wait(&out[k][i]) < 0;
  for (int i = 0; i < MANY; i++)
    for (int k = 0; k < 3; k++) failed += got[k][i] != k * 1000 + i, sum += got[k][i];
  if (rank == 0) printf("many: %d, %d wrong, %.3f\n", sum, failed, computed);
}

int main(void) {
  pvm_siblings(&tids);
  while (tids[rank] != pvm_mytid()) rank++;
  if (rank == 0) {
    first();
    cut_and_cancelled();
    contexts();
  } else {
    await_go();
    if (rank == 1) {
      int two[2] = {81, 82};
      send(5, 51), send(5, 52);
      await_go();
      pvm_psend(tids[0], 8, two, 2, PVM_INT);
      send(8, 83);
    } else {
      send(7, 71), send(7, 72);
      await_go();
      send(9, 91);
      pvm_setcontext(77);
      send(9, 92);
      pvm_setcontext(0);
    }
  }
  many();
  return 0;
}
