/* Tasks that take over a part of the daemon: starting hosts, starting tasks, scheduling, tracing. */
#include "conform.h"

/* Tags of the messages, as in PVM's pvmproto.h. */
#define SM_FIRST ((int)0x80040001)
#define SM_SPAWN (SM_FIRST + 0)
#define SM_CONFIG (SM_FIRST + 4)
#define SM_TASKX (SM_FIRST + 10)
#define SM_STTASK (SM_FIRST + 16)

static void show_tag(const char *what, int tag) { printf("%s: SM_FIRST + %d\n", what, tag - SM_FIRST); }

/* Registers as what its parent says and tells how that went. */
static void registers(void) {
  int what = hear(pvm_parent(), 1), code = -1;
  if (what == 0) code = pvm_reg_hoster();
  if (what == 1) code = pvm_reg_tasker();
  tell(pvm_parent(), 2, code);
}
static void hoster(void) {
  int tid;
  start("-registers", 1, &tid);
  CALL(pvm_reg_hoster());
  CALL(pvm_reg_hoster());
  tell(tid, 1, 0);
  CALL(hear(tid, 2));
}

/* The task that is asked to start another says that it is gone: the one that waits for it hears so. */
static void tasker(void) {
  int tid, asked, flags, count, i, status[6] = {0, 0, 0, 0, 0, 0}, code, source;
  char *argv[3] = {"-nobody", "an argument", NULL};
  char text[1024];
  CALL(pvm_setopt(PvmResvTids, 1));
  CALL(pvm_reg_tasker());
  CALL(pvm_spawn((char *)conform_program, argv, PvmTaskDefault, "", 1, &tid));
  IS(tid > 0);
  CALL(pvm_notify(PvmTaskExit, 9, 1, &tid));
  ID(comes(-1, SM_STTASK));
  pvm_bufinfo(pvm_getrbuf(), NULL, &code, &source);
  show_tag("tag", code);
  IS(source == pvm_tidtohost(pvm_mytid()));
  CALL(pvm_upkint(&asked, 1, 1));
  IS(asked == tid);
  CALL(pvm_upkint(&flags, 1, 1));
  CALL(flags);
  CALL(pvm_upkstr(text));
  IS(strstr(text, conform_program) != NULL);
  CALL(pvm_upkint(&count, 1, 1));
  CALL(count);
  for (i = 0; i < count; i++) {
    pvm_upkstr(text);
    if (i > 0) TEXT(text);
  }
  CALL(pvm_upkint(&count, 1, 1));
  IS(count > 0);
  CALL(pvm_pstat(tid));
  pvm_initsend(PvmDataDefault);
  status[0] = tid;
  status[1] = 3 << 8;
  pvm_pkint(status, 6, 1);
  CALL(pvm_send(source, SM_TASKX));
  IS(hear(-1, 9) == tid);
  CALL(pvm_pstat(tid));
  CALL(pvm_reg_tasker());
}

/* A second one takes the place of the first? What it is told. */
static void second_tasker(void) {
  int tid;
  start("-registers", 1, &tid);
  CALL(pvm_reg_tasker());
  tell(tid, 1, 1);
  CALL(hear(tid, 2));
}

/* What a task asks after a resource manager has registered goes to that. */
static void resource_manager(void) {
  struct pvmhostinfo *host = NULL;
  struct pvmminfo info;
  int child, flags, count, answer[2], reply, wid;
  char text[1024];
  CALL(pvm_setopt(PvmResvTids, 1));
  CALL(start("-asks", 1, &child));
  CALL(pvm_reg_rm(&host));
  IS(host != NULL && host->hi_tid == pvm_tidtohost(pvm_mytid()));
  tell(child, 1, 0);
  ID(comes(child, SM_SPAWN));
  pvm_getminfo(pvm_getrbuf(), &info);
  show_tag("tag", info.tag);
  IS(info.wid != 0);
  wid = info.wid;
  CALL(pvm_upkstr(text));
  TEXT(text);
  CALL(pvm_upkint(&flags, 1, 1));
  CALL(flags);
  CALL(pvm_upkstr(text));
  TEXT(text);
  CALL(pvm_upkint(&count, 1, 1));
  CALL(count);
  CALL(pvm_upkint(&count, 1, 1));
  CALL(count);
  CALL(pvm_upkstr(text));
  TEXT(text);
  reply = pvm_initsend(PvmDataDefault);
  answer[0] = 1, answer[1] = PvmOutOfRes;
  pvm_pkint(answer, 2, 1);
  pvm_getminfo(reply, &info);
  info.wid = wid;
  pvm_setminfo(reply, &info);
  CALL(pvm_send(child, SM_SPAWN));
  CALL(hear(child, 2));
  CALL(told());
}
static void asks(void) {
  int tid = 77, values[2];
  char *argv[2] = {"one argument", NULL};
  pvm_recv(pvm_parent(), 1);
  values[0] = pvm_spawn("a program", argv, PvmTaskDefault, "a place", 1, &tid);
  values[1] = tid;
  pvm_initsend(PvmDataDefault);
  pvm_pkint(values, 2, 1);
  pvm_send(pvm_parent(), 2);
}

static void tracer(void) {
  CALL(pvm_reg_tracer(0, 100, 0, 101, "", 0, 0));
  CALL(pvm_reg_tracer(0, 100, 0, 101, "", 0, 0));
}

static const struct part PARTS[] = {
    {"pvm_reg_hoster", hoster}, {"pvm_reg_tasker", tasker}, {"pvm_reg_rm", resource_manager},
    {"-asks", asks}, {"second-tasker", second_tasker},            {"pvm_reg_tracer", tracer}, {"-registers", registers},
};
CONFORM(PARTS)
