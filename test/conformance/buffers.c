/* Message buffers: made, chosen, asked about, freed; messages in messages. */
#include "conform.h"

static int one = 11, two = 22;

static void initsend(void) {
  int first, second;
  ID(first = pvm_initsend(PvmDataDefault));
  ID(second = pvm_initsend(PvmDataRaw));
  IS(pvm_getsbuf() == second);
  ID(pvm_initsend(PvmDataInPlace));
  CALL(pvm_initsend(3));
  CALL(pvm_initsend(5));
  CALL(pvm_initsend(-1));
  CALL(pvm_initsend(1000));
  IS(pvm_getsbuf() > 0);
}

static void mkbuf(void) {
  int a, b;
  ID(a = pvm_mkbuf(PvmDataDefault));
  ID(b = pvm_mkbuf(PvmDataRaw));
  IS(a != b);
  ID(pvm_mkbuf(PvmDataInPlace));
  CALL(pvm_mkbuf(3));
  CALL(pvm_mkbuf(-1));
  CALL(pvm_mkbuf(77));
  CALL(pvm_getsbuf());
}

static void freebuf(void) {
  int a = pvm_mkbuf(PvmDataDefault), s, r;
  CALL(pvm_freebuf(a));
  CALL(pvm_freebuf(a));
  CALL(pvm_freebuf(0));
  CALL(pvm_freebuf(-1));
  CALL(pvm_freebuf(4711));
  s = pvm_initsend(PvmDataDefault);
  CALL(pvm_freebuf(s));
  CALL(pvm_getsbuf());
  tell(pvm_mytid(), 5, one);
  r = pvm_recv(-1, 5);
  CALL(pvm_freebuf(r));
  CALL(pvm_getrbuf());
  CALL(pvm_upkint(&two, 1, 1));
}

static void getsbuf(void) {
  int a;
  CALL(pvm_getsbuf());
  a = pvm_initsend(PvmDataDefault);
  IS(pvm_getsbuf() == a);
}

static void getrbuf(void) {
  int a;
  CALL(pvm_getrbuf());
  tell(pvm_mytid(), 5, one);
  a = pvm_recv(-1, 5);
  IS(pvm_getrbuf() == a);
}

static void setsbuf(void) {
  int a = pvm_mkbuf(PvmDataDefault), b = pvm_mkbuf(PvmDataRaw);
  CALL(pvm_setsbuf(a));
  IS(pvm_setsbuf(b) == a);
  IS(pvm_setsbuf(0) == b);
  CALL(pvm_getsbuf());
  CALL(pvm_pkint(&one, 1, 1));
  CALL(pvm_setsbuf(4711));
  CALL(pvm_setsbuf(-1));
  pvm_setsbuf(a);
  CALL(pvm_pkint(&one, 1, 1));
  CALL(pvm_send(pvm_mytid(), 3));
  CALL(pvm_setsbuf(0) == a);
  ID(pvm_recv(-1, 3));
  IS(told() == one);
}

static void setrbuf(void) {
  int a, b, value = 0;
  tell(pvm_mytid(), 1, one);
  tell(pvm_mytid(), 2, two);
  a = pvm_recv(-1, 1);
  IS(pvm_setrbuf(0) == a);
  CALL(pvm_getrbuf());
  CALL(pvm_upkint(&value, 1, 1));
  b = pvm_recv(-1, 2);
  IS(told() == two);
  IS(pvm_setrbuf(a) == b);
  IS(told() == one);
  IS(pvm_setrbuf(b) == a);
  CALL(told());
  CALL(pvm_setrbuf(4711));
  CALL(pvm_setrbuf(-1));
  CALL(pvm_freebuf(a));
}

/* A received buffer can be sent on, and a buffer that is packed can be read. */
static void both_ways(void) {
  int a, value = 0;
  tell(pvm_mytid(), 1, one);
  a = pvm_recv(-1, 1);
  pvm_setrbuf(0);
  CALL(pvm_setsbuf(a) == a);
  CALL(pvm_send(pvm_mytid(), 9));
  ID(pvm_recv(-1, 9));
  IS(told() == one);
  pvm_setsbuf(0);
  a = pvm_mkbuf(PvmDataDefault);
  pvm_setsbuf(a);
  pvm_pkint(&two, 1, 1);
  pvm_setsbuf(0);
  pvm_setrbuf(a);
  CALL(pvm_upkint(&value, 1, 1));
  show("what was packed", value);
}

static void bufinfo(void) {
  int bytes = -1, tag = -1, tid = -1, a;
  double real = 1.5;
  a = pvm_initsend(PvmDataRaw);
  CALL(pvm_bufinfo(a, &bytes, &tag, &tid));
  CALL(bytes);
  pvm_pkint(&one, 1, 1);
  pvm_pkdouble(&real, 1, 1);
  CALL(pvm_bufinfo(a, &bytes, &tag, &tid));
  CALL(bytes);
  pvm_send(pvm_mytid(), 42);
  a = pvm_recv(-1, -1);
  CALL(pvm_bufinfo(a, &bytes, &tag, &tid));
  CALL(bytes);
  CALL(tag);
  IS(tid == pvm_mytid());
  CALL(pvm_bufinfo(a, NULL, NULL, NULL));
  CALL(pvm_bufinfo(4711, &bytes, &tag, &tid));
  CALL(pvm_bufinfo(0, &bytes, &tag, &tid));
  CALL(pvm_bufinfo(-1, &bytes, &tag, &tid));
  tell(pvm_mytid(), 43, one);
  a = pvm_recv(-1, -1);
  pvm_bufinfo(a, &bytes, &tag, &tid);
  show("bytes of one int, default encoding", bytes);
}

static void show_minfo(const struct pvmminfo *info) {
  CALL(info->len);
  CALL(info->ctx);
  CALL(info->tag);
  CALL(info->wid);
  CALL(info->enc == PvmDataDefault);
  CALL(info->crc);
  IS(info->src == pvm_mytid());
  IS(info->dst == pvm_mytid());
}

static void getminfo(void) {
  struct pvmminfo info;
  int a = pvm_initsend(PvmDataRaw);
  pvm_pkint(&one, 1, 1);
  CALL(pvm_getminfo(a, &info));
  CALL(info.len);
  CALL(info.tag);
  CALL(info.wid);
  CALL(info.ctx);
  pvm_send(pvm_mytid(), 8);
  a = pvm_recv(-1, 8);
  CALL(pvm_getminfo(a, &info));
  show_minfo(&info);
  CALL(pvm_getminfo(4711, &info));
  CALL(pvm_getminfo(0, &info));
  CALL(pvm_getminfo(-1, &info));
}

static void setminfo(void) {
  struct pvmminfo info;
  int a, old, context;
  tell(pvm_mytid(), 8, one);
  a = pvm_recv(-1, 8);
  pvm_getminfo(a, &info);
  info.tag = 77;
  info.wid = 5;
  info.src = pvm_mytid() + 1;
  info.dst = 3;
  info.ctx = 4;
  info.crc = 9;
  CALL(pvm_setminfo(a, &info));
  memset(&info, 0, sizeof info);
  CALL(pvm_getminfo(a, &info));
  CALL(info.tag);
  CALL(info.wid);
  CALL(info.ctx);
  CALL(info.len);
  IS(info.src == pvm_mytid() + 1);
  show("bufinfo says the same", pvm_bufinfo(a, NULL, &old, &context));
  CALL(old);
  IS(context == pvm_mytid() + 1);
  CALL(pvm_setminfo(4711, &info));
  CALL(pvm_setminfo(0, &info));
  CALL(pvm_setminfo(-1, &info));
}

static void wait_id(void) {
  int a;
  struct pvmminfo info;
  a = pvm_initsend(PvmDataDefault);
  pvm_pkint(&one, 1, 1);
  CALL(pvm_getminfo(a, &info));
  info.wid = 1234;
  CALL(pvm_setminfo(a, &info));
  CALL(pvm_send(pvm_mytid(), 6));
  a = pvm_recv(-1, 6);
  CALL(pvm_getminfo(a, &info));
  CALL(info.wid);
}

static void pkmesg(void) {
  int inner, outer, bytes, tag, tid, back, a;
  tell(pvm_mytid(), 17, one);
  inner = pvm_recv(-1, 17);
  outer = pvm_initsend(PvmDataDefault);
  pvm_pkint(&two, 1, 1);
  CALL(pvm_pkmesg(inner));
  pvm_pkint(&two, 1, 1);
  CALL(pvm_send(pvm_mytid(), 18));
  a = pvm_recv(-1, 18);
  IS(told() == two);
  ID(back = pvm_upkmesg());
  IS(told() == two);
  CALL(pvm_bufinfo(back, &bytes, &tag, &tid));
  CALL(bytes);
  CALL(tag);
  IS(tid == pvm_mytid());
  IS(pvm_getrbuf() == a);
  pvm_setrbuf(back);
  IS(told() == one);
  CALL(told());
  CALL(pvm_freebuf(a));
  CALL(pvm_freebuf(back));
  pvm_setsbuf(outer);
  CALL(pvm_pkmesg(4711));
  CALL(pvm_pkmesg(0));
  CALL(pvm_pkmesg(-1));
  pvm_setsbuf(0);
  CALL(pvm_pkmesg(inner));
}

static void pkmesgbody(void) {
  int inner, outer;
  inner = pvm_mkbuf(PvmDataDefault);
  pvm_setsbuf(inner);
  pvm_pkint(&one, 1, 1);
  pvm_setsbuf(0);
  outer = pvm_initsend(PvmDataDefault);
  pvm_pkint(&two, 1, 1);
  CALL(pvm_pkmesgbody(inner));
  CALL(pvm_send(pvm_mytid(), 3));
  pvm_recv(-1, 3);
  IS(told() == two);
  IS(told() == one);
  CALL(told());
  CALL(pvm_pkmesgbody(4711));
  CALL(pvm_pkmesgbody(0));
  CALL(pvm_pkmesgbody(-1));
  outer = pvm_initsend(PvmDataRaw);
  CALL(pvm_pkmesgbody(inner));
  CALL(pvm_pkmesgbody(outer));
  pvm_setsbuf(0);
  CALL(pvm_pkmesgbody(inner));
}

static void upkmesg(void) {
  int none, small;
  CALL(pvm_upkmesg());
  tell(pvm_mytid(), 1, one);
  pvm_recv(-1, 1);
  IS(told() == one);
  CALL(pvm_upkmesg());
  none = pvm_initsend(PvmDataDefault);
  IS(none > 0);
  small = pvm_mkbuf(PvmDataDefault);
  CALL(pvm_pkmesg(small));
  pvm_send(pvm_mytid(), 2);
  pvm_recv(-1, 2);
  ID(small = pvm_upkmesg());
  pvm_setrbuf(small);
  CALL(told());
}

/* Messages in messages that do not fit together, and a buffer in itself. */
static void nested_errors(void) {
  struct pvmminfo info;
  int raw = pvm_mkbuf(PvmDataRaw), outer, back, value = 0;
  pvm_setsbuf(raw);
  pvm_pkint(&one, 1, 1);
  pvm_setsbuf(0);
  outer = pvm_initsend(PvmDataDefault);
  CALL(pvm_pkmesg(outer));
  CALL(pvm_pkmesgbody(outer));
  CALL(pvm_pkmesgbody(raw));
  CALL(pvm_pkmesg(raw));
  CALL(pvm_send(pvm_mytid(), 5));
  pvm_recv(-1, 5);
  ID(back = pvm_upkmesg());
  CALL(pvm_getminfo(back, &info));
  IS(info.enc == PvmDataDefault);
  CALL(info.len);
  pvm_setrbuf(back);
  CALL(pvm_upkint(&value, 1, 1));
  IS(value == one);
  CALL(pvm_upkmesg());
  pvm_initsend(PvmDataInPlace);
  CALL(pvm_pkmesgbody(raw));
  CALL(pvm_pkmesg(back));
}

/* In place, the sender's memory goes when the message goes: what changes between pack and send is what arrives. */
static void in_place(void) {
  int data[3] = {1, 2, 3}, got[3] = {0, 0, 0}, i;
  ID(pvm_initsend(PvmDataInPlace));
  CALL(pvm_pkint(data, 3, 1));
  data[1] = 99;
  CALL(pvm_send(pvm_mytid(), 4));
  data[2] = 77;
  ID(pvm_recv(-1, 4));
  CALL(pvm_upkint(got, 3, 1));
  for (i = 0; i < 3; i++) CALL(got[i]);
  pvm_initsend(PvmDataInPlace);
  CALL(pvm_pkint(data, 2, 2));
  CALL(pvm_pkstr("text"));
}

static const struct part PARTS[] = {
    {"pvm_initsend", initsend}, {"pvm_mkbuf", mkbuf},       {"pvm_freebuf", freebuf},
    {"pvm_getsbuf", getsbuf},   {"pvm_getrbuf", getrbuf},   {"pvm_setsbuf", setsbuf},
    {"pvm_setrbuf", setrbuf},   {"both-ways", both_ways},   {"pvm_bufinfo", bufinfo},
    {"pvm_getminfo", getminfo}, {"pvm_setminfo", setminfo}, {"wait-id", wait_id},
    {"pvm_pkmesg", pkmesg},     {"pvm_pkmesgbody", pkmesgbody}, {"pvm_upkmesg", upkmesg},
    {"in-place", in_place},     {"nested-errors", nested_errors},
};
CONFORM(PARTS)
