/* Tasks: who one is, starting, watching and ending others, what they print. */
#include "conform.h"

/* Lives until it is told to end, or its parent does not tell it for long. */
static void waits(void) { comes(pvm_parent(), 1); }
static void ends(void) {}
static void end_all(int *tids, int count) {
  int i;
  for (i = 0; i < count; i++) tell(tids[i], 1, 0);
}

static void mytid(void) {
  int me;
  ID(me = pvm_mytid());
  IS(pvm_mytid() == me);
}

static void parent(void) {
  int tid;
  CALL(pvm_parent());
  CALL(start("-tells-parent", 1, &tid));
  IS(hear(tid, 1) == pvm_mytid());
}
static void tells_parent(void) { tell(pvm_parent(), 1, pvm_parent()); }

static void siblings(void) {
  int tids[3], mine[8], *list = NULL, i, n, same = 0;
  CALL(pvm_siblings(&list));
  IS(list != NULL && list[0] == pvm_mytid());
  CALL(start("-tells-siblings", 3, tids));
  ID(comes(tids[2], 1));
  n = told();
  CALL(n);
  pvm_upkint(mine, n, 1);
  for (i = 0; i < n && i < 3; i++) same += mine[i] == tids[i];
  CALL(same);
}
static void tells_siblings(void) {
  int *list, n = pvm_siblings(&list);
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&n, 1, 1);
  pvm_pkint(list, n, 1);
  pvm_send(pvm_parent(), 1);
}

static void spawn(void) {
  int tids[4] = {0, 0, 0, 0}, i, n = 0;
  char *argv[4] = {"-tells-arguments", "two words", "", NULL};
  char text[64];
  CALL(start("-waits", 3, tids));
  IS(tids[0] > 0 && tids[1] > 0 && tids[2] > 0);
  IS(tids[0] != tids[1] && tids[1] != tids[2] && tids[0] != pvm_mytid());
  end_all(tids, 3);
  CALL(pvm_spawn((char *)conform_program, argv, PvmTaskDefault, NULL, 1, tids));
  ID(comes(tids[0], 1));
  pvm_upkint(&n, 1, 1);
  CALL(n);
  for (i = 1; i < n; i++) {
    pvm_upkstr(text);
    TEXT(text);
  }
  CALL(pvm_spawn((char *)conform_program, argv, PvmTaskDefault, NULL, 1, NULL));
  ID(comes(-1, 1));
}
static char **arguments;
static int argument_count;
static void tells_arguments(void) {
  int i;
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&argument_count, 1, 1);
  for (i = 1; i < argument_count; i++) pvm_pkstr(arguments[i]);
  pvm_send(pvm_parent(), 1);
}

static void spawn_errors(void) {
  int tids[4] = {0, 0, 0, 0};
  char *argv[2] = {"-ends", NULL};
  char *program = (char *)conform_program;
  CALL(pvm_spawn("no-such-program", NULL, PvmTaskDefault, "", 2, tids));
  CALL(tids[0]);
  CALL(tids[1]);
  CALL(pvm_spawn("/no/such/program", NULL, PvmTaskDefault, "", 1, tids));
  CALL(tids[0]);
  CALL(pvm_spawn(program, argv, PvmTaskDefault, "", 0, tids));
  CALL(pvm_spawn(program, argv, PvmTaskDefault, "", -1, tids));
  CALL(pvm_spawn(program, argv, PvmTaskHost, "no-such-host", 1, tids));
  CALL(tids[0]);
  CALL(pvm_spawn(program, argv, PvmTaskArch, "NO SUCH ARCH", 2, tids));
  CALL(tids[0]);
  CALL(pvm_spawn(program, argv, PvmTaskHost | PvmHostCompl, ".", 1, tids));
  CALL(tids[0]);
  CALL(pvm_spawn(program, argv, PvmTaskHost, "", 1, tids));
  CALL(pvm_spawn(program, argv, PvmTaskHost, NULL, 1, tids));
  CALL(pvm_spawn(program, argv, PvmTaskArch, NULL, 1, tids));
  CALL(pvm_spawn("", argv, PvmTaskDefault, "", 1, tids));
  CALL(tids[0]);
}

static void spawn_where(void) {
  int tid, count, arches;
  struct pvmhostinfo *hosts;
  char *argv[2] = {"-waits", NULL};
  char *program = (char *)conform_program;
  pvm_config(&count, &arches, &hosts);
  CALL(pvm_spawn(program, argv, PvmTaskHost, hosts[0].hi_name, 1, &tid));
  IS(pvm_tidtohost(tid) == hosts[0].hi_tid);
  end_all(&tid, 1);
  CALL(pvm_spawn(program, argv, PvmTaskHost, ".", 1, &tid));
  end_all(&tid, 1);
  CALL(pvm_spawn(program, argv, PvmTaskArch, hosts[0].hi_arch, 1, &tid));
  end_all(&tid, 1);
  CALL(pvm_spawn(program, argv, PvmTaskHost | PvmHostCompl, "no-such-host", 1, &tid));
  end_all(&tid, 1);
  CALL(pvm_spawn(program, argv, PvmMppFront, "", 1, &tid));
  end_all(&tid, 1);
  CALL(pvm_spawn(program, argv, PvmTaskTrace, "", 1, &tid));
  end_all(&tid, 1);
}

static void no_spawn_parent(void) {
  int tid, me = pvm_mytid();
  char *argv[2] = {"-orphan", NULL};
  CALL(pvm_spawn((char *)conform_program, argv, PvmNoSpawnParent, "", 1, &tid));
  CALL(tell(tid, 1, me));
  CALL(hear(tid, 2));
  CALL(told());
}
static void orphan(void) {
  int whom, list_count, values[2], *list;
  pvm_recv(-1, 1);
  whom = told();
  list_count = pvm_siblings(&list);
  values[0] = pvm_parent(), values[1] = list_count;
  pvm_initsend(PvmDataDefault);
  pvm_pkint(values, 2, 1);
  pvm_send(whom, 2);
}

static void leave(void) {
  int tid, value = 3;
  ID(pvm_mytid());
  start("-leaves", 1, &tid);
  CALL(pvm_notify(PvmTaskExit, 9, 1, &tid));
  CALL(tell(tid, 1, 0));
  ID(comes(-1, 9));
  CALL(pvm_pstat(tid));
  CALL(pvm_exit());
  pvm_initsend(PvmDataDefault);
  CALL(pvm_pkint(&value, 1, 1));
  IS(pvm_mytid() > 0);
  CALL(pvm_exit());
  CALL(pvm_exit());
}
static void leaves(void) {
  pvm_recv(pvm_parent(), 1);
  pvm_exit();
}

/* Whoever has left joins again by the next call. */
static void rejoin(void) {
  int me = pvm_mytid(), count = 0;
  struct pvmtaskinfo *rows = NULL;
  pvm_joingroup("conform rejoin");
  to_self(5, 1);
  CALL(pvm_exit());
  IS(pvm_mytid() == me);
  CALL(pvm_parent());
  CALL(pvm_pstat(pvm_mytid()));
  CALL(pvm_tasks(pvm_mytid(), &count, &rows));
  IS(count == 1 && rows[0].ti_tid == pvm_mytid());
  CALL(pvm_nrecv(-1, 5));
  CALL(pvm_getinst("conform rejoin", pvm_mytid()));
  to_self(6, 2);
  CALL(hear(pvm_mytid(), 6));
  CALL(pvm_exit());
}

static void kill_task(void) {
  int tid, endless;
  CALL(start("-waits", 1, &tid));
  CALL(pvm_notify(PvmTaskExit, 9, 1, &tid));
  CALL(pvm_kill(tid));
  ID(comes(-1, 9));
  IS(told() == tid);
  CALL(pvm_pstat(tid));
  CALL(start("-endless", 1, &endless));
  CALL(hear(endless, 1));
  CALL(pvm_notify(PvmTaskExit, 9, 1, &endless));
  CALL(pvm_kill(endless));
  ID(comes(-1, 9));
  CALL(pvm_kill(0));
  CALL(pvm_kill(-1));
  CALL(pvm_kill(NO_TASK));
  CALL(pvm_kill(NO_HOST_TASK));
  CALL(pvm_kill(tid));
}
static void endless(void) {
  volatile int n = 0;
  tell(pvm_parent(), 1, 1);
  for (;;) n++;
}
static void kill_self(void) {
  int tid;
  start("-kills-itself", 1, &tid);
  CALL(pvm_notify(PvmTaskExit, 9, 1, &tid));
  CALL(tell(tid, 1, 0));
  ID(comes(-1, 9));
  CALL(pvm_nrecv(tid, 2));
}
static void kills_itself(void) {
  pvm_recv(pvm_parent(), 1);
  pvm_kill(pvm_mytid());
  tell(pvm_parent(), 2, 1);
}

static void send_signal(void) {
  int tid;
  CALL(start("-waits", 1, &tid));
  CALL(pvm_notify(PvmTaskExit, 9, 1, &tid));
  CALL(pvm_sendsig(tid, 15));
  ID(comes(-1, 9));
  IS(told() == tid);
  CALL(start("-waits", 1, &tid));
  CALL(pvm_notify(PvmTaskExit, 9, 1, &tid));
  CALL(pvm_sendsig(tid, 9));
  ID(comes(-1, 9));
  CALL(start("-waits", 1, &tid));
  CALL(pvm_sendsig(tid, 0));
  CALL(pvm_sendsig(tid, 18));
  CALL(pvm_pstat(tid));
  end_all(&tid, 1);
  CALL(pvm_sendsig(0, 15));
  CALL(pvm_sendsig(-1, 15));
  CALL(pvm_sendsig(NO_TASK, 15));
  CALL(pvm_sendsig(NO_HOST_TASK, 15));
}

static void show_tasks(int where, const int *tids, int count) {
  struct pvmtaskinfo *rows = NULL;
  int n = -1, i, j, known = 0;
  show("pvm_tasks", pvm_tasks(where, &n, &rows));
  for (i = 0; i < n; i++) {
    for (j = 0; j < count; j++) {
      if (rows[i].ti_tid != tids[j]) continue;
      known++;
      show_truth("child of mine", rows[i].ti_ptid == pvm_mytid());
      show_truth("its host", rows[i].ti_host == pvm_tidtohost(tids[j]));
      show_truth("its program", strcmp(rows[i].ti_a_out, conform_program) == 0);
      show_truth("its process", rows[i].ti_pid > 0);
    }
    if (rows[i].ti_tid == pvm_mytid()) {
      known++;
      show("my parent", rows[i].ti_ptid);
      show_truth("my program has a name", rows[i].ti_a_out[0] != 0);
    }
  }
  show("known", known);
}
static void tasks(void) {
  int tids[2], n;
  struct pvmtaskinfo *rows;
  start("-waits", 2, tids);
  show_tasks(0, tids, 2);
  show_tasks(tids[0], tids, 2);
  show_tasks(pvm_tidtohost(tids[0]), tids, 2);
  show_tasks(pvm_mytid(), tids, 2);
  CALL(pvm_tasks(0, &n, NULL));
  CALL(pvm_tasks(0, NULL, &rows));
  CALL(pvm_tasks(NO_TASK, &n, &rows));
  CALL(n);
  CALL(pvm_tasks(NO_HOST_TASK, &n, &rows));
  CALL(pvm_tasks(-1, &n, &rows));
  end_all(tids, 2);
}

static void pstat(void) {
  int tid;
  CALL(pvm_pstat(pvm_mytid()));
  CALL(start("-waits", 1, &tid));
  CALL(pvm_pstat(tid));
  CALL(pvm_notify(PvmTaskExit, 9, 1, &tid));
  end_all(&tid, 1);
  ID(comes(-1, 9));
  CALL(pvm_pstat(tid));
  CALL(pvm_pstat(NO_TASK));
  CALL(pvm_pstat(NO_HOST_TASK));
  CALL(pvm_pstat(0));
  CALL(pvm_pstat(-1));
}

static void export_names(void) {
  int tid;
  char text[64] = "";
  setenv("CONFORM_A", "value a", 1);
  setenv("CONFORM_B", "value b", 1);
  setenv("PVM_EXPORT", "", 1);
  CALL(pvm_export("CONFORM_A"));
  TEXT(getenv("PVM_EXPORT"));
  CALL(pvm_export("CONFORM_B"));
  CALL(pvm_export("CONFORM_B"));
  TEXT(getenv("PVM_EXPORT"));
  CALL(pvm_unexport("CONFORM_A"));
  CALL(pvm_unexport("CONFORM_A"));
  CALL(pvm_unexport("CONFORM_NEVER"));
  TEXT(getenv("PVM_EXPORT"));
  CALL(pvm_export("CONFORM_NOT_SET"));
  TEXT(getenv("PVM_EXPORT"));
  start("-tells-environment", 1, &tid);
  ID(comes(tid, 1));
  pvm_upkstr(text);
  TEXT(text);
  pvm_upkstr(text);
  TEXT(text);
  pvm_unexport("CONFORM_B");
  pvm_unexport("CONFORM_NOT_SET");
}
static void tells_environment(void) {
  const char *a = getenv("CONFORM_A"), *b = getenv("CONFORM_B");
  pvm_initsend(PvmDataDefault);
  pvm_pkstr((char *)(a ? a : "not there"));
  pvm_pkstr((char *)(b ? b : "not there"));
  pvm_send(pvm_parent(), 1);
}

static const struct part PARTS[] = {
    {"pvm_mytid", mytid},           {"pvm_parent", parent},           {"-tells-parent", tells_parent},
    {"pvm_siblings", siblings},     {"-tells-siblings", tells_siblings}, {"pvm_spawn", spawn},
    {"-tells-arguments", tells_arguments}, {"spawn-errors", spawn_errors}, {"spawn-where", spawn_where},
    {"PvmNoSpawnParent", no_spawn_parent}, {"-orphan", orphan},       {"pvm_exit", leave},
    {"-leaves", leaves},            {"rejoin", rejoin},               {"pvm_kill", kill_task},          {"-endless", endless},
    {"kill-self", kill_self},       {"-kills-itself", kills_itself},  {"pvm_sendsig", send_signal},
    {"pvm_tasks", tasks},           {"pvm_pstat", pstat},             {"pvm_export", export_names},
    {"-tells-environment", tells_environment},     {"-waits", waits},              {"-ends", ends},
};
int main(int argc, char **argv) {
  arguments = argv, argument_count = argc;
  return conform(argc, argv, PARTS, LENGTH(PARTS));
}
