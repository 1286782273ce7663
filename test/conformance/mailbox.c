/* The message box: putinfo, recvinfo, delinfo, getmboxinfo; insert, lookup, delete. Each case cleans up. */
#include "conform.h"

/* Puts one int under a name. */
static int put(const char *name, int value, int flags) {
  int buffer = pvm_mkbuf(PvmDataDefault), before = pvm_setsbuf(buffer), done;
  pvm_pkint(&value, 1, 1);
  pvm_setsbuf(before);
  done = pvm_putinfo((char *)name, buffer, flags);
  pvm_freebuf(buffer);
  return done;
}
/* What is under a name. */
static int get(const char *name, int index, int flags) {
  int value = -4711, buffer = pvm_recvinfo((char *)name, index, flags), before;
  if (buffer <= 0) return buffer;
  before = pvm_setrbuf(buffer);
  pvm_upkint(&value, 1, 1);
  pvm_setrbuf(before);
  pvm_freebuf(buffer);
  return value;
}

static void putinfo(void) {
  CALL(put("conform", 10, PvmMboxDefault));
  CALL(put("conform", 11, PvmMboxDefault));
  CALL(get("conform", 0, PvmMboxDefault));
  CALL(pvm_delinfo("conform", 0, PvmMboxDefault));
  CALL(put("", 10, PvmMboxDefault));
  CALL(pvm_putinfo(NULL, pvm_initsend(PvmDataDefault), PvmMboxDefault));
  CALL(get("", 0, PvmMboxDefault));
  CALL(pvm_delinfo("", 0, PvmMboxDefault));
}

static void overwritable(void) {
  CALL(put("conform", 10, PvmMboxOverWritable));
  CALL(put("conform", 11, PvmMboxOverWritable));
  CALL(get("conform", 0, PvmMboxDefault));
  CALL(put("conform", 12, PvmMboxDefault));
  CALL(get("conform", 0, PvmMboxDefault));
  CALL(put("conform", 13, PvmMboxOverWritable));
  CALL(get("conform", 0, PvmMboxDefault));
  CALL(pvm_delinfo("conform", 0, PvmMboxDefault));
}

static void multi_instance(void) {
  CALL(put("conform", 10, PvmMboxMultiInstance));
  CALL(put("conform", 11, PvmMboxMultiInstance));
  CALL(put("conform", 12, PvmMboxMultiInstance));
  CALL(put("conform", 13, PvmMboxDefault));
  CALL(get("conform", 0, PvmMboxDefault));
  CALL(get("conform", 1, PvmMboxDefault));
  CALL(get("conform", 2, PvmMboxDefault));
  CALL(get("conform", 3, PvmMboxDefault));
  CALL(pvm_delinfo("conform", 1, PvmMboxDefault));
  CALL(get("conform", 1, PvmMboxDefault));
  CALL(get("conform", 1, PvmMboxFirstAvail));
  CALL(get("conform", 3, PvmMboxFirstAvail));
  CALL(put("conform", 14, PvmMboxMultiInstance));
  CALL(get("conform", 1, PvmMboxDefault));
  CALL(pvm_delinfo("conform", 0, PvmMboxDefault));
  CALL(pvm_delinfo("conform", 1, PvmMboxDefault));
  CALL(pvm_delinfo("conform", 2, PvmMboxDefault));
  CALL(pvm_delinfo("conform", 3, PvmMboxDefault));
  CALL(put("conform", 15, PvmMboxMultiInstance | PvmMboxDirectIndex(7u)));
  CALL(get("conform", 7, PvmMboxDefault));
  CALL(put("conform", 16, PvmMboxMultiInstance | PvmMboxDirectIndex(7u)));
  CALL(pvm_delinfo("conform", 7, PvmMboxDefault));
}

static void recvinfo(void) {
  CALL(get("conform", 0, PvmMboxDefault));
  put("conform", 10, PvmMboxDefault);
  CALL(get("conform", 0, PvmMboxDefault));
  CALL(get("conform", 0, PvmMboxDefault));
  CALL(get("conform", 1, PvmMboxDefault));
  CALL(get("conform", -1, PvmMboxDefault));
  CALL(get("conform", -1, PvmMboxFirstAvail));
  CALL(get("conform", 0, PvmMboxReadAndDelete));
  CALL(get("conform", 0, PvmMboxDefault));
  CALL(get("conform", 0, PvmMboxReadAndDelete));
  CALL(get(NULL, 0, PvmMboxDefault));
}

/* The buffer of recvinfo is not the receive buffer until it is made so. */
static void recvinfo_buffer(void) {
  int buffer, tag, tid;
  put("conform", 10, PvmMboxDefault);
  CALL(pvm_getrbuf());
  ID(buffer = pvm_recvinfo("conform", 0, PvmMboxDefault));
  IS(pvm_getrbuf() == buffer);
  CALL(pvm_bufinfo(buffer, NULL, &tag, &tid));
  IS(tid == pvm_mytid());
  CALL(pvm_delinfo("conform", 0, PvmMboxDefault));
}

static void wait_for_info(void) {
  int tid, buffer;
  CALL(start("-puts-late", 1, &tid));
  CALL(tell(tid, 1, 0));
  ID(buffer = pvm_recvinfo("conform late", 0, PvmMboxWaitForInfo));
  pvm_setrbuf(buffer);
  CALL(told());
  CALL(tell(tid, 1, 0));
}
static void puts_late(void) {
  struct timeval some = conform_time(0, STAYS_AWAY_US);
  pvm_recv(pvm_parent(), 1);
  pvm_trecv(-1, 2, &some);
  put("conform late", 42, PvmMboxDefault);
  pvm_recv(pvm_parent(), 1);
  pvm_delinfo("conform late", 0, PvmMboxDefault);
}

/* What another task has put may be read, and not be deleted or replaced. */
static void rights(void) {
  int tid;
  CALL(start("-owner", 1, &tid));
  CALL(hear(tid, 1));
  CALL(get("conform locked", 0, PvmMboxDefault));
  CALL(pvm_delinfo("conform locked", 0, PvmMboxDefault));
  CALL(get("conform locked", 0, PvmMboxReadAndDelete));
  CALL(put("conform locked", 9, PvmMboxOverWritable));
  CALL(pvm_delinfo("conform open", 0, PvmMboxDefault));
  CALL(put("conform open", 9, PvmMboxOverWritable));
  CALL(get("conform open", 0, PvmMboxDefault));
  CALL(pvm_notify(PvmTaskExit, 3, 1, &tid));
  CALL(tell(tid, 2, 0));
  ID(comes(-1, 3));
  CALL(get("conform locked", 0, PvmMboxDefault));
  CALL(get("conform lasting", 0, PvmMboxDefault));
  CALL(pvm_delinfo("conform open", 0, PvmMboxDefault));
  CALL(pvm_delinfo("conform lasting", 0, PvmMboxDefault));
  CALL(get("conform lasting", 0, PvmMboxDefault));
  CALL(pvm_delinfo("left behind", 0, PvmMboxDefault));
}
static void owner(void) {
  put("conform locked", 5, PvmMboxDefault);
  put("conform open", 6, PvmMboxOverWritable);
  put("conform lasting", 7, PvmMboxPersistent | PvmMboxOverWritable);
  put("left behind", 8, PvmMboxPersistent);
  tell(pvm_parent(), 1, 1);
  pvm_recv(pvm_parent(), 2);
}

static void delinfo(void) {
  CALL(pvm_delinfo("conform", 0, PvmMboxDefault));
  put("conform", 10, PvmMboxDefault);
  CALL(pvm_delinfo("conform", 1, PvmMboxDefault));
  CALL(pvm_delinfo("conform", -1, PvmMboxDefault));
  CALL(pvm_delinfo("conform", 0, PvmMboxDefault));
  CALL(pvm_delinfo("conform", 0, PvmMboxDefault));
  CALL(pvm_delinfo(NULL, 0, PvmMboxDefault));
}

static void show_classes(const char *pattern) {
  struct pvmmboxinfo *info = NULL;
  int classes = -1, i, j;
  show("pvm_getmboxinfo", pvm_getmboxinfo((char *)pattern, &classes, &info));
  show("classes", classes);
  for (i = 0; i < classes; i++) {
    if (strncmp(info[i].mi_name, "conform", 7) != 0) continue;
    printf("%s: %d entries", info[i].mi_name, info[i].mi_nentries);
    for (j = 0; j < info[i].mi_nentries; j++)
      printf(", %d flags %d %s", info[i].mi_indices[j], info[i].mi_flags[j],
             info[i].mi_owners[j] == pvm_mytid() ? "mine" : info[i].mi_owners[j] == 0 ? "nobody's" : "another's");
    printf("\n");
  }
}
static void getmboxinfo(void) {
  show_classes("conform");
  put("conform a", 1, PvmMboxDefault);
  put("conform b", 2, PvmMboxMultiInstance | PvmMboxPersistent);
  put("conform b", 3, PvmMboxMultiInstance | PvmMboxOverWritable);
  show_classes("conform a");
  show_classes("conform b");
  show_classes("conform*");
  show_classes("conf");
  pvm_delinfo("conform a", 0, PvmMboxDefault);
  pvm_delinfo("conform b", 0, PvmMboxDefault);
  pvm_delinfo("conform b", 1, PvmMboxDefault);
  show_classes("conform b");
}

/* More than a library has room for at first; and a list is the library's until the next call. */
static void many_classes(void) {
  struct pvmmboxinfo *info = NULL;
  char name[64];
  int classes = -1, i, j, entries = 0, sum = 0, named = 0;
  for (i = 0; i < 60; i++) {
    sprintf(name, "conform a long name for a class, number %02d", i / 2);
    put(name, i, PvmMboxMultiInstance);
  }
  CALL(pvm_getmboxinfo("conform a long name*", &classes, &info));
  CALL(classes);
  for (i = 0; i < classes; i++) {
    named += strncmp(info[i].mi_name, "conform a long name for a class, number ", 40) == 0 && strlen(info[i].mi_name) == 42;
    entries += info[i].mi_nentries;
    for (j = 0; j < info[i].mi_nentries; j++) sum += info[i].mi_indices[j] + info[i].mi_flags[j];
  }
  CALL(named);
  CALL(entries);
  CALL(sum);
  for (i = 0; i < 60; i++) {
    sprintf(name, "conform a long name for a class, number %02d", i / 2);
    pvm_delinfo(name, i % 2, PvmMboxDefault);
  }
  CALL(pvm_getmboxinfo("conform a long name*", &classes, &info));
  CALL(classes);
  CALL(pvm_getmboxinfo("conform a long name*", NULL, NULL));
}

static void insert(void) {
  int value = -1;
  CALL(pvm_insert("conform old", -1, 70));
  CALL(pvm_insert("conform old", -1, 71));
  CALL(pvm_insert("conform old", 5, 75));
  CALL(pvm_insert("conform old", 5, 76));
  CALL(pvm_lookup("conform old", 0, &value));
  CALL(value);
  CALL(pvm_lookup("conform old", 5, &value));
  CALL(value);
  CALL(pvm_lookup("conform old", 4, &value));
  CALL(pvm_lookup("conform old", -1, &value));
  CALL(value);
  CALL(pvm_lookup("conform none", 0, &value));
  CALL(pvm_lookup("conform none", -1, &value));
  CALL(pvm_delete("conform old", 4));
  CALL(pvm_delete("conform old", 5));
  CALL(pvm_delete("conform old", 0));
  CALL(pvm_delete("conform old", 1));
  CALL(pvm_delete("conform old", 1));
  CALL(pvm_delete("conform none", -1));
  CALL(pvm_insert("conform old", -2, 1));
  CALL(pvm_lookup("conform old", -2, &value));
  CALL(pvm_delete("conform old", -2));
  CALL(pvm_insert("", 0, 1));
  CALL(pvm_delete("", 0));
}

/* Keys, indices and flags that are none. Of a buffer that is none PVM's library waits for an answer for ever. */
static void mailbox_errors(void) {
  struct pvmmboxinfo *info = NULL;
  int classes = -1, buffer = pvm_initsend(PvmDataDefault), value = -1;
  CALL(pvm_putinfo("conform", buffer, PvmMboxDefault));
  CALL(pvm_getsbuf() == buffer);
  CALL(pvm_recvinfo("conform", 1, PvmMboxDefault));
  CALL(pvm_recvinfo("conform none", 0, PvmMboxReadAndDelete));
  CALL(pvm_recvinfo("conform none", 0, PvmMboxFirstAvail));
  CALL(pvm_recvinfo("conform", -1, PvmMboxReadAndDelete));
  CALL(pvm_recvinfo("", -1, PvmMboxDefault));
  CALL(pvm_delinfo("conform", 0, PvmMboxReadAndDelete));
  CALL(pvm_getmboxinfo("conform", &classes, &info));
  CALL(classes);
  CALL(pvm_getmboxinfo("", &classes, &info));
  CALL(pvm_getmboxinfo("conform none", &classes, NULL));
  CALL(pvm_getmboxinfo("conform none", NULL, &info));
  CALL(pvm_insert(NULL, 0, 1));
  CALL(pvm_lookup(NULL, 0, &value));
  CALL(pvm_lookup("", 0, &value));
  CALL(pvm_delete(NULL, 0));
  CALL(pvm_delete("conform none", 0));
}
/* An int under a name that another task has put is its own: it may be read, not replaced or deleted. */
static void insert_rights(void) {
  int tid, value = -1;
  CALL(start("-inserts", 1, &tid));
  CALL(hear(tid, 1));
  CALL(pvm_insert("conform old", 3, 6));
  CALL(pvm_lookup("conform old", 3, &value));
  CALL(value);
  CALL(pvm_recvinfo("conform old", 3, PvmMboxDefault) > 0);
  CALL(pvm_delete("conform old", 3));
  CALL(pvm_lookup("conform old", 3, &value));
  CALL(pvm_delete("conform locked", 0));
  CALL(pvm_lookup("conform locked", 0, &value));
  tell(tid, 2, 0);
}
static void inserts(void) {
  const int index = pvm_insert("conform old", 3, 5);
  put("conform locked", 5, PvmMboxDefault);
  tell(pvm_parent(), 1, index);
  pvm_recv(pvm_parent(), 2);
}

static const struct part PARTS[] = {
    {"pvm_putinfo", putinfo},     {"PvmMboxOverWritable", overwritable}, {"PvmMboxMultiInstance", multi_instance},
    {"pvm_recvinfo", recvinfo},   {"recvinfo-buffer", recvinfo_buffer},  {"PvmMboxWaitForInfo", wait_for_info},
    {"-puts-late", puts_late},    {"rights", rights},                    {"-owner", owner},
    {"pvm_delinfo", delinfo},     {"pvm_getmboxinfo", getmboxinfo},      {"pvm_insert", insert},
    {"many-classes", many_classes}, {"mailbox-errors", mailbox_errors}, {"insert-rights", insert_rights}, {"-inserts", inserts},
};
CONFORM(PARTS)
