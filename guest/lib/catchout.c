/*
 * pvm_catchout: output of children, and of theirs, comes to a file of the parent, as PVM's library does it.
 *
 * Owns: which tasks send output and have not ended. Their output comes as messages in a context of the library's, and a
 * message handler writes it; so it appears while the program is in any call that receives. (runtime/scheduler/
 * output-messages.ts has the messages)
 */
#include <stdio.h>
#include <pvm3.h>
#include <stdlib.h>

/* TC_OUTPUT and SYSCTX_TC of PVM's pvmproto.h; operations of output messages. */
enum { OUTPUT_TAG = (int)0x80030005, OUTPUT_CONTEXT = 0x7ffff, TO_EOF = 0, TO_SPAWN = -1, TO_NEW = -2 };

extern void (*upvm_before_exit)(void);

static FILE *file;
static int children;
/* Task whose last line has no newline yet, 0 none. */
static int open_line;
static int handler = -1;

static void end_line(void) {
  if (open_line != 0) putc('\n', file);
  open_line = 0;
}

/* One line, or a part of it, of a task. */
static void write_part(int tid, const char *text, int bytes, int shown) {
  if (open_line != tid) {
    end_line();
    if (shown) fprintf(file, "[t%x] ", tid);
  }
  fwrite(text, 1, bytes, file);
  open_line = text[bytes - 1] == '\n' ? 0 : tid;
}

static void write_text(int tid, const char *text, int bytes, int shown) {
  while (bytes > 0) {
    int n = 1;
    while (n < bytes && text[n - 1] != '\n') n++;
    write_part(tid, text, n, shown);
    text += n;
    bytes -= n;
  }
}

static void write_mark(int tid, const char *mark, int shown) {
  if (!shown) return;
  end_line();
  fprintf(file, "[t%x] %s\n", tid, mark);
}

/* An output message, in any buffer. */
static int take_output(int mid) {
  int before = pvm_setrbuf(mid);
  int shown = pvm_getopt(PvmShowTids);
  int tid, op;
  if (pvm_upkint(&tid, 1, 1) == 0 && pvm_upkint(&op, 1, 1) == 0) {
    if (op == TO_NEW) {
      children++;
      write_mark(tid, "BEGIN", shown);
    } else if (op == TO_EOF) {
      children--;
      if (open_line == tid) end_line();
      write_mark(tid, "EOF", shown);
    } else if (op > 0) {
      char *text = malloc(op);
      if (text != NULL && pvm_upkbyte(text, op, 1) == 0) write_text(tid, text, op, shown);
      free(text);
    }
    fflush(file);
  }
  pvm_setrbuf(before);
  return 0;
}

/* As PVM: who leaves waits until all that send it output have ended. It may have received nothing since it started them. */
static void wait_for_children(void) {
  if (pvm_getopt(PvmOutputTid) == 0) return;
  if (handler >= 0) pvm_delmhf(handler);
  handler = -1;
  int reserved = pvm_setopt(PvmResvTids, 1);
  int context = pvm_setcontext(OUTPUT_CONTEXT);
  int mid;
  while ((mid = pvm_nrecv(-1, OUTPUT_TAG)) > 0) take_output(mid);
  if (children > 0)
    fprintf(stderr, "libpvm [t%x]: child task(s) still running.  waiting...\n", pvm_mytid());
  while (children > 0 && (mid = pvm_recv(-1, OUTPUT_TAG)) > 0) take_output(mid);
  pvm_setcontext(context);
  pvm_setopt(PvmResvTids, reserved);
  /* Who joins PVM again catches nothing, until it asks for it again. */
  pvm_setopt(PvmOutputTid, 0);
  pvm_setopt(PvmOutputContext, 0);
  pvm_setopt(PvmOutputCode, 0);
}

int pvm_catchout(FILE *ff) {
  if (ff == NULL) {
    pvm_setopt(PvmOutputTid, 0);
    return PvmOk;
  }
  file = ff;
  if (handler < 0) handler = pvm_addmhf(-1, OUTPUT_TAG, OUTPUT_CONTEXT, take_output);
  if (handler < 0) return handler;
  upvm_before_exit = wait_for_children;
  pvm_setopt(PvmOutputContext, OUTPUT_CONTEXT);
  pvm_setopt(PvmOutputCode, OUTPUT_TAG);
  pvm_setopt(PvmOutputTid, pvm_mytid());
  return PvmOk;
}
