/*
 * C library of PVM programs: the routines that hand out memory of the program, over imports that fill what they are
 * given. Compiled and linked with every C program; the linker drops what it does not use.
 *
 * Owns: one list of siblings, one of tasks, one text. Each stays as it is until its routine is called again.
 */
#include <pvm3.h>
#include <pvmtev.h>
#include <stdlib.h>

enum { ROW_INTS = 5, TEXT_BYTES = 256, FIRST_ROWS = 64, TRIES = 8 };

int pvm_siblings(int **tids) {
  static int *list;
  pvm_trace_begin(TEV_SIBLINGS, NULL, 0);
  int count = pvm_siblings_get(NULL, 0);
  if (count >= 0 && tids != NULL) {
    int *room = realloc(list, sizeof(int) * (count > 0 ? count : 1));
    if (room == NULL) return pvm_trace_end(TEV_SIBLINGS, PvmNoMem, 0, 0);
    *tids = list = room;
    count = pvm_siblings_get(list, count);
  }
  return pvm_trace_end(TEV_SIBLINGS, count, (int)(long)list, 0);
}

/*
 * Rows of `pvm_tasks_get` in a block of their own; their number in `*count`, or an error in it. Mostly one question is
 * enough: a resource manager is asked each time.
 */
static int *task_rows(int where, int *count) {
  for (int room = FIRST_ROWS, tries = 0;; tries++) {
    int *rows = malloc(sizeof(int) * ROW_INTS * room);
    int got = rows == NULL ? PvmNoMem : pvm_tasks_get(where, rows, room);
    *count = got < room ? got : room;
    if (got <= room || tries == TRIES) return rows;
    free(rows);
    room = got;
  }
}

static int list_tasks(int where, int *ntask, struct pvmtaskinfo **taskp) {
  /* The rows, then their names, in one block. */
  static struct pvmtaskinfo *list;
  int count;
  int *rows = task_rows(where, &count);
  if (count < 0) {
    free(rows);
    return count;
  }
  struct pvmtaskinfo *room = realloc(list, (sizeof *list + TEXT_BYTES) * (count > 0 ? count : 1));
  if (room == NULL) {
    free(rows);
    return PvmNoMem;
  }
  list = room;
  char *names = (char *)(list + count);
  for (int i = 0; i < count; i++) {
    const int *row = rows + i * ROW_INTS;
    char *name = names + i * TEXT_BYTES;
    if (pvm_task_name(row[0], name, TEXT_BYTES) < 0) name[0] = '\0';
    list[i] = (struct pvmtaskinfo){row[0], row[1], row[2], row[3], name, row[4]};
  }
  free(rows);
  *ntask = count;
  if (taskp != NULL) *taskp = list;
  return PvmOk;
}

int pvm_tasks(int where, int *ntask, struct pvmtaskinfo **taskp) {
  int count = -1;
  pvm_trace_begin(TEV_TASKS, NULL, where);
  int code = list_tasks(where, &count, taskp);
  if (code >= 0 && ntask != NULL) *ntask = count;
  return pvm_trace_end(TEV_TASKS, code, count, 0);
}

char *pvm_strerror(void) {
  static char text[TEXT_BYTES];
  if (pvm_strerror_get(text, TEXT_BYTES) < 0) text[0] = '\0';
  return text;
}

int pvm_getnoresets(int **tids, int *ntid) {
  static int *list;
  int count = pvm_noresets_get(NULL, 0);
  if (count < 0) return count;
  int *room = realloc(list, sizeof(int) * (count > 0 ? count : 1));
  if (room == NULL) return pvm_fail("pvm_getnoresets", PvmNoMem);
  list = room;
  int there = pvm_noresets_get(list, count);
  if (tids != NULL) *tids = list;
  if (ntid != NULL) *ntid = there < count ? there : count;
  return PvmOk;
}

int pvm_getmwid(int bufid) {
  struct pvmminfo info;
  int code = pvm_getminfo(bufid, &info);
  return code < 0 ? code : info.wid;
}

int pvm_setmwid(int bufid, int waitid) {
  struct pvmminfo info;
  int code = pvm_getminfo(bufid, &info);
  if (code < 0) return code;
  info.wid = waitid;
  return pvm_setminfo(bufid, &info);
}

typedef int (*match_function)(int bufid, int tid, int tag);

int (*pvm_recvf(int (*func)(int bufid, int tid, int tag)))(int bufid, int tid, int tag) {
  /* The address of a function is its index in the program's table. */
  return (match_function)(long)pvm_recvf_set((int)(long)func);
}
