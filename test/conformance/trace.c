/*
 * Trace events: what a task gets that traces others. It reads records as PVM's own tracer does, by the descriptions in them.
 *
 * PVM handles messages of its daemon and of message handlers with its own routines, which make events too when the mask has
 * them: where that happens the masks here leave them out.
 */
#include "conform.h"
#include <pvmtev.h>

enum { TAG = 99, NAMES = 200, KINDS = 3 * 256, FIELDS = 32 };

/* What the messages have told of their own form. */
static char *data_name[NAMES];
static struct {
  char *name;
  int count, datum[FIELDS], kind[FIELDS];
} form[KINDS];

static int number(void) {
  int value = -4711;
  pvm_upkint(&value, 1, 1);
  return value;
}
static char *text(void) {
  static char room[5000];
  room[0] = '\0';
  pvm_upkstr(room);
  return room;
}

/* Data whose value is another each time, or another on each machine. */
static int varies(const char *name) {
  static const char *names[] = {
    "TS", "TU", "TID", "PT", "MT", "DST", "SRC", "GT", "TT", "MB", "MSB", "MRB", "MDL", "NTL", "STL", "SIB", "PDA", "TGS", "TGU",
    "TN", "SE", "CXN", "CXS", "CXF", "MHI", "TNT", "TW", "CR", "CD", "IST", "RST"};
  int i;
  for (i = 0; i < LENGTH(names); i++)
    if (strcmp(names[i], name) == 0) return 1;
  return 0;
}

/* One piece of data. */
static void piece(const char *name, int kind, int shown) {
  int i, n = 1, hidden = !shown || varies(name);
  if (kind & TEV_DATA_ARRAY) n = number();
  if (shown) printf(" %s", name);
  if (shown && (kind & TEV_DATA_ARRAY)) printf("[%d]", n);
  for (i = 0; i < n; i++) {
    int v;
    long address;
    const char *t;
    switch (kind & ~TEV_DATA_ARRAY) {
      case TEV_DATA_INT:
        v = number();
        if (hidden) break;
        if (code_name(v) != NULL) printf("=%s", code_name(v));
        else printf("=%d", v);
        break;
      case TEV_DATA_LONG:
        pvm_upklong(&address, 1, 1);
        if (shown) printf("=%s", address == 0 ? "NULL" : "address");
        break;
      case TEV_DATA_STRING:
        t = text();
        if (!hidden) printf("=\"%s\"", t);
        break;
      default: printf("?kind %d", kind);
    }
  }
}

/* Index of an event's form: entry, exit or neither. */
static int form_of(int event) {
  int id = event & 0xff;
  return id + (event & TEV_EVENT_ENTRY ? 256 : event & TEV_EVENT_EXIT ? 512 : 0);
}

/* Number of the event that was read last. */
static int last_event;

/* An event, with its description or after one. Its name. */
static const char *event(int mark, int shown) {
  int code = number(), at = form_of(code), i;
  last_event = code;
  if (mark == TEV_MARK_EVENT_DESC) {
    form[at].name = strdup(text());
    form[at].count = 0;
  }
  if (form[at].name == NULL) return "an event without description";
  if (shown) printf("%s %s:", code & TEV_EVENT_ENTRY ? "begins" : code & TEV_EVENT_EXIT ? "returns" : "once", form[at].name);
  if (mark == TEV_MARK_EVENT_DESC) {
    int datum;
    while ((datum = number()) != TEV_MARK_EVENT_DESC_END && datum >= 0 && form[at].count < FIELDS) {
      i = form[at].count++;
      form[at].datum[i] = datum;
      form[at].kind[i] = number();
      piece(data_name[datum], form[at].kind[i], shown);
    }
  } else {
    for (i = 0; i < form[at].count; i++) piece(data_name[form[at].datum[i]], form[at].kind[i], shown);
    if (number() != TEV_MARK_EVENT_RECORD_END) printf(" no end");
  }
  if (shown) printf("\n");
  return form[at].name;
}

/* One message. Whether it says that the task has ended. */
static int read_message(int bufid, int shown) {
  int bytes, tag, tid, mark, ended = 0;
  pvm_bufinfo(bufid, &bytes, &tag, &tid);
  mark = number();
  /* The daemon's events come in between: only the last one is in a certain place. */
  if (tid != pvm_mytid() && tid < 0) shown = 0;
  if (mark == TEV_MARK_DATA_ID) {
    int id;
    while ((id = number()) >= 0 && id < NAMES) {
      data_name[id] = strdup(text());
      text();
    }
  } else if (mark == TEV_MARK_EVENT_BUFFER) {
    if (shown) printf("several events\n");
    while ((mark = number()) != TEV_MARK_EVENT_BUFFER_END && mark != -4711) event(mark, shown);
    if (shown) printf("end of several\n");
  } else if (mark == TEV_MARK_EVENT_DESC || mark == TEV_MARK_EVENT_RECORD) {
    ended = strcmp(event(mark, shown), "endtask") == 0 && tag == TAG;
  } else printf("mark %d\n", mark);
  return ended;
}

/* What a task in a role is heard to do, to its end. Once it is in pvm_recv it is sent two messages. */
static void trace(const char *role) {
  int kid, bufid;
  CALL(start(role, 1, &kid));
  while ((bufid = comes(-1, -1)) > 0) {
    if (read_message(bufid, 1)) break;
    if (last_event != TEV_RECV + TEV_EVENT_ENTRY || strcmp(role, "-handler") != 0) continue;
    tell(kid, 33, 1);
    tell(kid, 34, 2);
  }
  IS(bufid > 0);
}

static void set_all(Pvmtmask mask) {
  int i;
  TEV_MASK_INIT(mask);
  for (i = 0; i <= TEV_MAX; i++) TEV_MASK_SET(mask, i);
}
/* Has the parent trace this task from now on. */
static void trace_me(int options, int bytes) {
  Pvmtmask mask;
  pvm_mytid();
  set_all(mask);
  quiet();
  pvm_settmask(PvmTaskSelf, mask);
  pvm_setopt(PvmSelfTraceTid, pvm_parent());
  pvm_setopt(PvmSelfTraceCode, TAG);
  if (bytes > 0) pvm_setopt(PvmSelfTraceBuffer, bytes);
  pvm_setopt(PvmSelfTraceOptions, options);
}

static void masks(void) {
  Pvmtmask mask;
  pvm_mytid();
  CALL(pvm_gettmask(PvmTaskSelf, mask));
  TEXT(mask);
  CALL(pvm_gettmask(PvmTaskChild, mask));
  TEXT(mask);
  TEV_MASK_SET(mask, TEV_SEND);
  TEV_MASK_SET(mask, TEV_ADDHOSTS);
  TEV_MASK_SET(mask, TEV_RECV);
  CALL(pvm_settmask(PvmTaskChild, mask));
  TEV_MASK_INIT(mask);
  CALL(pvm_gettmask(PvmTaskChild, mask));
  TEXT(mask);
  IS(TEV_MASK_CHECK(mask, TEV_SEND) != 0);
  IS(TEV_MASK_CHECK(mask, TEV_NRECV) != 0);
  TEV_MASK_UNSET(mask, TEV_SEND);
  IS(TEV_MASK_CHECK(mask, TEV_SEND) != 0);
  set_all(mask);
  TEXT(mask);
  CALL(pvm_settmask(2, mask));
  CALL(pvm_settmask(-1, mask));
  CALL(pvm_gettmask(2, mask));
  CALL(pvm_gettmask(PvmTaskSelf, mask));
  TEXT(mask);
}

static void work_messages(void) {
  int ints[3] = {1, 2, 3}, bytes, tag, tid, old;
  double reals[2] = {1, 2};
  struct timeval limit = conform_time(0, 1000);
  struct pvmminfo info;
  trace_me(PvmTraceFull, 0);
  pvm_getrbuf();
  pvm_initsend(PvmDataRaw);
  pvm_pkint(ints, 3, 1);
  pvm_pkdouble(reals, 1, 2);
  pvm_pkstr("text");
  pvm_pkint(ints, -1, 1);
  pvm_initsend(PvmDataDefault);
  pvm_pkint(ints, 2, 1);
  pvm_pkuint((unsigned *)ints, 1, 1);
  pvm_send(pvm_mytid(), 5);
  pvm_recv(-1, 5);
  pvm_upkint(ints, 2, 1);
  pvm_upkuint((unsigned *)ints, 1, 1);
  pvm_upkint(ints, 1, 1);
  pvm_bufinfo(pvm_getrbuf(), &bytes, &tag, &tid);
  pvm_nrecv(-1, 6);
  pvm_trecv(-1, 6, &limit);
  pvm_probe(-1, 6);
  pvm_send(pvm_mytid(), 7);
  pvm_trecv(pvm_mytid(), 7, NULL);
  old = pvm_setsbuf(pvm_mkbuf(PvmDataDefault));
  pvm_freebuf(pvm_setsbuf(old));
  pvm_setrbuf(pvm_setrbuf(0));
  pvm_getminfo(pvm_getsbuf(), &info);
  pvm_setminfo(pvm_getsbuf(), &info);
  pvm_psend(pvm_mytid(), 8, ints, 3, PVM_INT);
  pvm_precv(-1, 8, ints, 3, PVM_INT, &tid, &tag, &bytes);
  pvm_psend(pvm_mytid(), 8, ints, 3, 77);
  pvm_mcast(ints, 0, 9);
  pvm_packf("%d %2d", 4, ints);
  pvm_unpackf("%d", ints);
  pvm_exit();
}
static void messages(void) { trace("-messages"); }

static void work_rest(void) {
  int context, *tids, n, archs, value = 3, result[2];
  struct pvmhostinfo *hosts;
  struct pvmtaskinfo *tasks;
  struct pvmmboxinfo *boxes;
  trace_me(PvmTraceFull, 0);
  pvm_mytid();
  pvm_parent();
  pvm_setopt(PvmAutoErr, 0);
  pvm_getopt(PvmAutoErr);
  pvm_siblings(&tids);
  pvm_config(&n, &archs, &hosts);
  pvm_tasks(pvm_mytid(), &n, &tasks);
  pvm_mstat("nosuch");
  pvm_pstat(pvm_mytid());
  context = pvm_newcontext();
  pvm_setcontext(77);
  pvm_getcontext();
  pvm_setcontext(PvmBaseContext);
  pvm_freecontext(context);
  pvm_joingroup("traced");
  pvm_getinst("traced", pvm_mytid());
  pvm_gettid("traced", 0);
  pvm_gsize("traced");
  pvm_gsize("nosuch");
  pvm_barrier("traced", 1);
  pvm_gather(result, &value, 1, PVM_INT, 11, "traced", 0);
  pvm_scatter(result, &value, 1, PVM_INT, 11, "traced", 0);
  pvm_reduce(PvmSum, &value, 1, PVM_INT, 11, "traced", 0);
  pvm_lvgroup("traced");
  pvm_initsend(PvmDataDefault);
  pvm_putinfo("trace of this", pvm_getsbuf(), PvmMboxDefault);
  pvm_recvinfo("trace of this", 0, PvmMboxDefault);
  pvm_getmboxinfo("trace of this", &n, &boxes);
  pvm_delinfo("trace of this", 0, PvmMboxDefault);
  pvm_recvinfo("trace of this", 0, PvmMboxDefault);
  pvm_notify(PvmHostAdd, 12, 0, NULL);
  pvm_notify(PvmHostAdd | PvmNotifyCancel, 12, 0, NULL);
  pvm_recvf(NULL);
  pvm_perror("traced");
  pvm_exit();
}
static void rest(void) { trace("-rest"); }

static int take(int mid) {
  (void)mid;
  pvm_parent();
  return 0;
}
/* A handler runs in the middle of a receive. */
static void work_handler(void) {
  Pvmtmask mask;
  int i;
  static const int inside[] = {TEV_SETSBUF, TEV_SETRBUF, TEV_SETCONTEXT, TEV_FREEBUF};
  pvm_addmhf(-1, 33, -1, take);
  trace_me(PvmTraceFull, 0);
  set_all(mask);
  for (i = 0; i < LENGTH(inside); i++) TEV_MASK_UNSET(mask, inside[i]);
  pvm_settmask(PvmTaskSelf, mask);
  pvm_recv(-1, 34);
  pvm_exit();
}
static void handler(void) { trace("-handler"); }

static void work_buffer(void) {
  int i;
  trace_me(PvmTraceFull, 300);
  for (i = 0; i < 12; i++) pvm_getrbuf();
  pvm_exit();
}
static void buffer(void) { trace("-buffer"); }

static void work_sums(void) {
  int i;
  trace_me(PvmTraceCount, 0);
  for (i = 0; i < 5; i++) pvm_getrbuf();
  pvm_getsbuf();
  pvm_exit();
}
static void sums(void) { trace("-sums"); }
static void work_times(void) {
  trace_me(PvmTraceTime, 0);
  pvm_getsbuf();
  pvm_exit();
}
static void times(void) { trace("-times"); }

/* Place, mask and kind come from the parent. What is here is the task's alone, but for its beginning. */
static void work_child(void) {
  Pvmtmask mask;
  pvm_mytid();
  pvm_gettmask(PvmTaskSelf, mask);
  if (TEV_MASK_CHECK(mask, TEV_GETRBUF) && !TEV_MASK_CHECK(mask, TEV_MYTID)) pvm_getrbuf();
  pvm_gettmask(PvmTaskChild, mask);
  if (TEV_MASK_CHECK(mask, TEV_GETRBUF)) pvm_getrbuf();
  pvm_exit();
}
static void children(void) {
  Pvmtmask mask;
  pvm_mytid();
  TEV_MASK_INIT(mask);
  TEV_MASK_SET(mask, TEV_GETRBUF);
  TEV_MASK_SET(mask, TEV_EXIT);
  CALL(pvm_settmask(PvmTaskChild, mask));
  pvm_setopt(PvmTraceTid, pvm_mytid());
  pvm_setopt(PvmTraceCode, TAG);
  trace("-child");
  CALL(pvm_setopt(PvmTraceOptions, PvmTraceFull));
  trace("-child");
}

static const struct part parts[] = {
  {"masks", masks}, {"messages", messages}, {"rest", rest}, {"handler", handler}, {"buffer", buffer}, {"sums", sums}, {"times", times},
  {"children", children}, {"-messages", work_messages}, {"-rest", work_rest}, {"-handler", work_handler}, {"-buffer", work_buffer},
  {"-sums", work_sums}, {"-times", work_times}, {"-child", work_child},
};
CONFORM(parts)
