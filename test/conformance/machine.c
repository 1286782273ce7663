/* The virtual machine: its hosts, their state, and notices of what happens. */
#include "conform.h"

static void waits(void) { comes(pvm_parent(), 1); }

static void config(void) {
  int hosts = -1, arches = -1;
  struct pvmhostinfo *rows = NULL;
  CALL(pvm_config(&hosts, &arches, &rows));
  CALL(hosts);
  CALL(arches);
  IS(rows[0].hi_tid == pvm_tidtohost(pvm_mytid()));
  IS(strlen(rows[0].hi_name) > 0);
  IS(pvm_archcode(rows[0].hi_arch) >= 0);
  CALL(rows[0].hi_speed);
  IS(rows[0].hi_dsig != 0);
  CALL(pvm_config(NULL, NULL, NULL));
}

static void mstat(void) {
  int hosts, arches;
  struct pvmhostinfo *rows;
  pvm_config(&hosts, &arches, &rows);
  CALL(pvm_mstat(rows[0].hi_name));
  CALL(pvm_mstat("no-such-host"));
  CALL(pvm_mstat(""));
  CALL(pvm_mstat(NULL));
}

static void tidtohost(void) {
  int tid;
  ID(pvm_tidtohost(pvm_mytid()));
  CALL(start("-waits", 1, &tid));
  IS(pvm_tidtohost(tid) == pvm_tidtohost(pvm_mytid()));
  tell(tid, 1, 0);
  CALL(pvm_tidtohost(0));
  CALL(pvm_tidtohost(-1));
  IS(pvm_tidtohost(NO_TASK) == pvm_tidtohost(pvm_mytid()));
  CALL(pvm_tidtohost(NO_HOST_TASK));
}

static void hostsync(void) {
  struct timeval there = {0, 0}, delta = {99, 99}, here;
  int host = pvm_tidtohost(pvm_mytid());
  gettimeofday(&here, NULL);
  CALL(pvm_hostsync(host, &there, &delta));
  IS(labs((long)(there.tv_sec - here.tv_sec)) < 60);
  IS(delta.tv_sec == 0 || delta.tv_sec == -1);
  IS(delta.tv_usec >= 0 && delta.tv_usec < 1000000);
  CALL(pvm_hostsync(host, NULL, NULL));
  CALL(pvm_hostsync(host, &there, NULL));
  CALL(pvm_hostsync(0, &there, &delta));
  CALL(pvm_hostsync(-1, &there, &delta));
  CALL(pvm_hostsync(pvm_mytid(), &there, &delta));
  CALL(pvm_hostsync(NO_HOST_TASK, &there, &delta));
}

static void addhosts(void) {
  int hosts, arches, info[2] = {0, 0};
  struct pvmhostinfo *rows;
  char *own[1], *none[1] = {"no-such-host.invalid"};
  pvm_config(&hosts, &arches, &rows);
  own[0] = rows[0].hi_name;
  CALL(pvm_addhosts(own, 1, info));
  IS(info[0] < 0);
  CALL(pvm_addhosts(none, 1, info));
  IS(info[0] < 0);
  CALL(pvm_addhosts(none, 0, info));
  CALL(pvm_addhosts(none, -1, info));
  CALL(pvm_addhosts(none, 1, NULL));
  pvm_config(&hosts, &arches, &rows);
  CALL(hosts);
}

static void delhosts(void) {
  int info[2] = {0, 0}, hosts, arches;
  struct pvmhostinfo *rows;
  char *none[1] = {"no-such-host"};
  CALL(pvm_delhosts(none, 1, info));
  CALL(info[0]);
  CALL(pvm_delhosts(none, 0, info));
  CALL(pvm_delhosts(none, -1, info));
  CALL(pvm_delhosts(none, 1, NULL));
  pvm_config(&hosts, &arches, &rows);
  CALL(hosts);
}

static void start_pvmd(void) {
  CALL(pvm_start_pvmd(0, NULL, 0));
  pvm_mytid();
  CALL(pvm_start_pvmd(0, NULL, 1));
  CALL(pvm_start_pvmd(-1, NULL, 0));
}

static void notify_exit(void) {
  int tids[3], i, sum = 0;
  CALL(start("-waits", 3, tids));
  CALL(pvm_notify(PvmTaskExit, 9, 3, tids));
  for (i = 0; i < 3; i++) tell(tids[i], 1, 0);
  for (i = 0; i < 3; i++) {
    int tid = hear(-1, 9);
    sum += tid == tids[0] || tid == tids[1] || tid == tids[2];
  }
  CALL(sum);
  IS(stays_away(-1, 9));
  CALL(pvm_notify(PvmTaskExit, 10, 1, tids));
  IS(hear(-1, 10) == tids[0]);
}

static void notify_errors(void) {
  int tid = pvm_mytid(), none = NO_TASK, bad = 0, host = NO_HOST_TASK;
  CALL(pvm_notify(0, 9, 1, &tid));
  CALL(pvm_notify(6, 9, 1, &tid));
  CALL(pvm_notify(-1, 9, 1, &tid));
  CALL(pvm_notify(PvmTaskExit, -1, 1, &tid));
  CALL(pvm_notify(PvmTaskExit, 9, 0, &tid));
  CALL(pvm_notify(PvmTaskExit, 9, -1, &tid));
  CALL(pvm_notify(PvmTaskExit, 9, 1, &bad));
  bad = -1;
  CALL(pvm_notify(PvmTaskExit, 9, 1, &bad));
  CALL(pvm_notify(PvmTaskExit, 9, 1, &none));
  IS(hear(-1, 9) == NO_TASK);
  CALL(pvm_notify(PvmTaskExit, 10, 1, &host));
  IS(hear(-1, 10) == NO_HOST_TASK);
  CALL(pvm_notify(PvmHostDelete, 11, 1, &tid));
}

static void notify_cancel(void) {
  int tids[2];
  CALL(start("-waits", 2, tids));
  CALL(pvm_notify(PvmTaskExit, 9, 2, tids));
  CALL(pvm_notify(PvmTaskExit | PvmNotifyCancel, 9, 1, tids));
  IS(hear(-1, 9) == tids[0]);
  IS(stays_away(-1, 9));
  CALL(pvm_notify(PvmTaskExit | PvmNotifyCancel, 9, 2, tids));
  IS(hear(-1, 9) == tids[1]);
  IS(stays_away(-1, 9));
  tell(tids[0], 1, 0);
  tell(tids[1], 1, 0);
  IS(stays_away(-1, 9));
}

/* The end of one's own is no notice. */
static void notify_hosts(void) {
  int host = pvm_tidtohost(pvm_mytid()), none = NO_HOST_TASK & ~0x3ffff;
  CALL(pvm_notify(PvmHostAdd, 9, 2, NULL));
  CALL(pvm_notify(PvmHostAdd, 9, 0, NULL));
  CALL(pvm_notify(PvmHostAdd, 9, -1, NULL));
  CALL(pvm_notify(PvmHostAdd, 9, 0, NULL));
  IS(stays_away(-1, 9));
  CALL(pvm_notify(PvmHostDelete, 10, 1, &host));
  IS(stays_away(-1, 10));
  CALL(pvm_notify(PvmHostDelete | PvmNotifyCancel, 10, 1, &host));
  IS(hear(-1, 10) == host);
  CALL(pvm_notify(PvmHostDelete, 11, 1, &none));
  IS(hear(-1, 11) == none);
}

static void notify_routes(void) {
  int tid;
  CALL(pvm_notify(PvmRouteAdd, 9, -1, NULL));
  CALL(start("-waits", 1, &tid));
  CALL(pvm_notify(PvmRouteDelete, 10, 1, &tid));
  CALL(tell(tid, 1, 0));
  CALL(pvm_notify(PvmRouteAdd, 9, 0, NULL));
}

static const struct part PARTS[] = {
    {"pvm_config", config},       {"pvm_mstat", mstat},         {"pvm_tidtohost", tidtohost},
    {"pvm_hostsync", hostsync},   {"pvm_addhosts", addhosts},   {"pvm_delhosts", delhosts},
    {"pvm_start_pvmd", start_pvmd}, {"pvm_notify", notify_exit}, {"notify-errors", notify_errors},
    {"PvmNotifyCancel", notify_cancel}, {"notify-hosts", notify_hosts}, {"notify-routes", notify_routes},
    {"-waits", waits},
};
CONFORM(PARTS)
