/* Tasks that take over a part of the daemon: starting hosts, starting tasks, scheduling, tracing. */
#include "conform.h"

/* Tags of the messages, as in PVM's pvmproto.h. */
#define SM_FIRST ((int)0x80040001)
#define SM_SPAWN (SM_FIRST + 0)
#define SM_TASK (SM_FIRST + 3)
#define SM_CONFIG (SM_FIRST + 4)
#define SM_ADDHOST (SM_FIRST + 5)
#define SM_DELHOST (SM_FIRST + 6)
#define SM_NOTIFY (SM_FIRST + 9)
#define SM_TASKX (SM_FIRST + 10)
#define SM_SCHED (SM_FIRST + 13)
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

/* What a task asks that enters after a resource manager has registered goes to that. */
static void resource_manager(void) {
  struct pvmhostinfo *host = NULL;
  struct pvmminfo info;
  int child, flags, count, answer[2], reply, wid;
  char text[1024];
  CALL(pvm_setopt(PvmResvTids, 1));
  CALL(pvm_reg_rm(&host));
  IS(host != NULL && host->hi_tid == pvm_tidtohost(pvm_mytid()));
  CALL(start("-asks", 1, &child));
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
/* And what one asks that has entered before? */
static void manager_late(void) {
  struct pvmhostinfo *host = NULL;
  struct pvmminfo info;
  int child;
  CALL(pvm_setopt(PvmResvTids, 1));
  CALL(start("-asks", 1, &child));
  CALL(hear(child, 3));
  CALL(pvm_reg_rm(&host));
  tell(child, 1, 0);
  ID(comes(child, -1));
  pvm_getminfo(pvm_getrbuf(), &info);
  IS(info.tag == SM_SPAWN);
  pvm_kill(child);
}
static void asks(void) {
  int tid = 77, values[2];
  char *argv[2] = {"one argument", NULL};
  tell(pvm_parent(), 3, 0);
  pvm_recv(pvm_parent(), 1);
  values[0] = pvm_spawn("a program", argv, PvmTaskDefault, "a place", 1, &tid);
  values[1] = tid;
  pvm_initsend(PvmDataDefault);
  pvm_pkint(values, 2, 1);
  pvm_send(pvm_parent(), 2);
}

/* All else that a manager is asked, and how its answers are read. */
static int asker;
static int asked(int what, int tag) {
  struct pvmminfo info;
  tell(asker, 1, what);
  ID(comes(asker, tag));
  pvm_getminfo(pvm_getrbuf(), &info);
  CALL(info.len);
  return info.wid;
}
static void answers(int tag, int wid) {
  struct pvmminfo info;
  int values[3] = {0, 0, 0}, i;
  pvm_getminfo(pvm_getsbuf(), &info);
  info.wid = wid;
  pvm_setminfo(pvm_getsbuf(), &info);
  CALL(pvm_send(asker, tag));
  ID(comes(asker, 2));
  pvm_upkint(values, 3, 1);
  for (i = 0; i < 3; i++) CALL(values[i]);
}
static void pack_ints(int count, int a, int b, int c, int d) {
  int values[4];
  values[0] = a, values[1] = b, values[2] = c, values[3] = d;
  pvm_pkint(values, count, 1);
}
static void show_names(void) {
  char text[64];
  int count = 0, i;
  CALL(pvm_upkint(&count, 1, 1));
  CALL(count);
  for (i = 0; i < count; i++) {
    CALL(pvm_upkstr(text));
    TEXT(text);
  }
}
static void show_ints(void) {
  int value;
  while (pvm_upkint(&value, 1, 1) == 0) CALL(value);
}
static void manager_answers(void) {
  int wid;
  pvm_setopt(PvmResvTids, 1);
  start("-asks-all", 1, &asker);
  CALL(pvm_reg_rm(NULL));
  wid = asked(1, SM_CONFIG);
  pvm_initsend(PvmDataDefault);
  pack_ints(1, PvmDenied, 0, 0, 0);
  answers(SM_CONFIG, wid);
  wid = asked(1, SM_CONFIG);
  pvm_initsend(PvmDataDefault);
  pack_ints(3, 1, 1, 0x40000, 0);
  pvm_pkstr("a host");
  pvm_pkstr("an arch");
  pack_ints(2, 55, 66, 0, 0);
  answers(SM_CONFIG, wid);
  wid = asked(2, SM_TASK);
  show_ints();
  pvm_initsend(PvmDataDefault);
  pack_ints(1, PvmNoHost, 0, 0, 0);
  answers(SM_TASK, wid);
  wid = asked(2, SM_TASK);
  pvm_initsend(PvmDataDefault);
  pack_ints(1, 0, 0, 0, 0);
  pack_ints(4, pvm_mytid(), 0, 0x40000, 6);
  pvm_pkstr("a program");
  pack_ints(1, 4711, 0, 0, 0);
  answers(SM_TASK, wid);
  wid = asked(3, SM_ADDHOST);
  show_names();
  pvm_initsend(PvmDataDefault);
  pack_ints(3, 2, 1, 0x80000, 0);
  pvm_pkstr("one");
  pvm_pkstr("an arch");
  pack_ints(3, 55, 66, PvmNoHost, 0);
  pvm_pkstr("");
  pvm_pkstr("");
  pack_ints(2, 0, 0, 0, 0);
  answers(SM_ADDHOST, wid);
  wid = asked(4, SM_DELHOST);
  show_names();
  pvm_initsend(PvmDataDefault);
  pack_ints(3, 2, 0, PvmNoHost, 0);
  answers(SM_DELHOST, wid);
  wid = asked(5, SM_NOTIFY);
  CALL(wid);
  show_ints();
  ID(comes(asker, 2));
  wid = asked(6, SM_SCHED);
  pvm_initsend(PvmDataDefault);
  pack_ints(1, PvmDenied, 0, 0, 0);
  answers(SM_SCHED, wid);
}
static void asks_all(void) {
  int what, n = 0, arches = 0, values[3], infos[2], none = NO_TASK;
  char *names[2] = {"one", "two"};
  struct pvmhostinfo *hosts;
  struct pvmtaskinfo *tasks;
  while ((what = hear(pvm_parent(), 1)) > 0) {
    values[1] = values[2] = 0;
    if (what == 1 && (values[0] = pvm_config(&n, &arches, &hosts)) == 0) values[1] = n, values[2] = hosts[0].hi_speed;
    if (what == 2 && (values[0] = pvm_tasks(0, &n, &tasks)) == 0) values[1] = n, values[2] = tasks[0].ti_pid;
    if (what == 3 || what == 4) {
      values[0] = what == 3 ? pvm_addhosts(names, 2, infos) : pvm_delhosts(names, 2, infos);
      values[1] = infos[0], values[2] = infos[1];
    }
    if (what == 5) values[0] = pvm_notify(PvmTaskExit, 33, 1, &none);
    if (what == 6) values[0] = pvm_reg_rm(NULL);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(values, 3, 1);
    pvm_send(pvm_parent(), 2);
  }
}

/* What a manager has the daemon do: SM_EXEC, and what it hears of its tasks. To a daemon's own tid. */
static void manager_orders(void) {
  struct pvmminfo info;
  struct pvmhostinfo *host;
  int buf, tids[3] = {0, 0, 0}, values[6], i, ended, zero[6] = {0, 0, 0, 0, 0, 0};
  const char *programs[2];
  programs[0] = conform_program, programs[1] = "no-such-program";
  pvm_setopt(PvmResvTids, 1);
  CALL(pvm_reg_rm(&host));
  for (i = 0; i < 2; i++) {
    buf = pvm_initsend(PvmDataDefault);
    pack_ints(1, pvm_mytid(), 0, 0, 0);
    pvm_pkstr((char *)programs[i]);
    pack_ints(3, PvmTaskDefault, 2, 1, 0);
    pvm_pkstr("-nobody");
    pvm_pkint(zero, 6, 1);
    pack_ints(3, 0, 0, 2, 0);
    pvm_getminfo(buf, &info);
    info.wid = 78 + i;
    pvm_setminfo(buf, &info);
    CALL(pvm_send(host->hi_tid | 0x80000000, SM_FIRST + 1));
    ID(comes(-1, SM_FIRST + 2));
    pvm_getminfo(pvm_getrbuf(), &info);
    CALL(info.wid);
    CALL(pvm_upkint(tids, 3, 1));
    CALL(tids[0]);
    if (i == 1) CALL(tids[1]);
    if (i == 1) CALL(tids[2]);
    if (i == 1) break;
    IS(tids[1] > 0 && tids[2] > 0 && tids[1] != tids[2]);
    for (ended = 0; ended < 2; ended++) {
      ID(comes(-1, SM_TASKX));
      CALL(pvm_upkint(values, 6, 1));
      IS(values[0] == tids[1] || values[0] == tids[2]);
      CALL(values[1]);
    }
    CALL(pvm_upkint(values, 1, 1));
  }
}

/* What SM_ADD cannot add: how many hosts were asked for, how many architectures came, and a code for each host. */
static void manager_adds(void) {
  struct pvmminfo info;
  struct pvmhostinfo *host;
  int buf, values[4] = {-1, -1, -1, -1};
  pvm_setopt(PvmResvTids, 1);
  CALL(pvm_reg_rm(&host));
  buf = pvm_initsend(PvmDataDefault);
  pack_ints(1, 2, 0, 0, 0);
  pvm_pkstr("no-such-host.invalid");
  pvm_pkstr("another.invalid");
  pvm_getminfo(buf, &info);
  info.wid = 80;
  pvm_setminfo(buf, &info);
  CALL(pvm_send(host->hi_tid | 0x80000000, SM_FIRST + 7));
  ID(comes(-1, SM_FIRST + 8));
  pvm_getminfo(pvm_getrbuf(), &info);
  CALL(info.wid);
  CALL(pvm_upkint(values, 3, 1));
  CALL(values[0]);
  CALL(values[1]);
  IS(values[2] < 0);
}

static void tracer(void) {
  CALL(pvm_reg_tracer(0, 100, 0, 101, "", 0, 0));
  CALL(pvm_reg_tracer(0, 100, 0, 101, "", 0, 0));
}

static const struct part PARTS[] = {
    {"pvm_reg_hoster", hoster}, {"pvm_reg_tasker", tasker}, {"pvm_reg_rm", resource_manager}, {"manager-late", manager_late},
    {"-asks", asks}, {"second-tasker", second_tasker},            {"pvm_reg_tracer", tracer}, {"-registers", registers},
    {"manager-answers", manager_answers}, {"-asks-all", asks_all}, {"manager-orders", manager_orders},
    {"manager-adds", manager_adds},
};
CONFORM(PARTS)
