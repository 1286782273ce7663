/*
 * C library of PVM programs: hosts, the message box's list, and what spawned tasks find in their environment.
 *
 * Owns: one list of hosts, one of mailboxes. Each stays as it is until its routine is called again.
 */
#include <pvm3.h>
#include <pvmtev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_INTS = 3, BOX_INTS = 4, NAME_BYTES = 512, TRIES = 8, FIRST_HOSTS = 16, FIRST_ENTRIES = 16 };

char *pvm_version(void) { return PVM_VER; }

int pvm_getfds(int **fds) {
  pvm_trace_begin(TEV_GETFDS, NULL, 0);
  if (fds != NULL) *fds = NULL;
  return pvm_trace_end(TEV_GETFDS, 0, 0, 0);
}

/* The text behind a text. */
static char *after(char *text) { return text + strlen(text) + 1; }

static int list_hosts(int *nhost, int *narch, struct pvmhostinfo **hostp) {
  static struct pvmhostinfo *list;
  struct pvmhostinfo *hosts;
  char *names;
  int *rows;
  int count;
  /* Mostly one question is enough: a resource manager is asked each time. */
  for (int room = FIRST_HOSTS, tries = 0;; tries++) {
    /* The list, its rows, the names, in one block. */
    hosts = calloc(1, room * (sizeof *list + HOST_INTS * sizeof(int) + NAME_BYTES) + 1);
    if (hosts == NULL) return PvmNoMem;
    rows = (int *)(hosts + room);
    names = (char *)(rows + room * HOST_INTS);
    int got = pvm_config_get(rows, room, names, room * NAME_BYTES);
    count = got < room ? got : room;
    if (got <= room || tries == TRIES) break;
    free(hosts);
    room = got;
  }
  if (count < 0) {
    free(hosts);
    return count;
  }
  int archs = 0;
  for (int i = 0; i < count; i++) {
    const int *row = rows + i * HOST_INTS;
    char *arch = after(names);
    hosts[i] = (struct pvmhostinfo){row[0], names, arch, row[1], row[2]};
    names = after(arch);
    int known = 0;
    for (int j = 0; j < i; j++) known |= strcmp(hosts[j].hi_arch, arch) == 0;
    archs += !known;
  }
  if (hostp != NULL) {
    free(list);
    list = *hostp = hosts;
  } else {
    free(hosts);
  }
  *nhost = count;
  *narch = archs;
  return PvmOk;
}

int pvm_config(int *nhost, int *narch, struct pvmhostinfo **hostp) {
  int hosts = -1, archs = -1;
  pvm_trace_begin(TEV_CONFIG, NULL, 0);
  int code = list_hosts(&hosts, &archs, hostp);
  if (code >= 0 && nhost != NULL) *nhost = hosts;
  if (code >= 0 && narch != NULL) *narch = archs;
  return pvm_trace_end(TEV_CONFIG, code, hosts, archs);
}

/* Puts rows of class, index, owner, flags into `classes` entries; its arrays lie in `ints`. */
static void fill_boxes(struct pvmmboxinfo *boxes, int classes, const int *rows, int entries, int *ints, char *names) {
  for (int i = 0, at = 0; i < classes; i++) {
    int n = 0;
    while (at + n < entries && rows[(at + n) * BOX_INTS] == i) n++;
    boxes[i] = (struct pvmmboxinfo){names, n, ints, ints + n, ints + 2 * n};
    for (int j = 0; j < n; j++) {
      const int *row = rows + (at + j) * BOX_INTS;
      for (int k = 0; k < 3; k++) ints[k * n + j] = row[k + 1];
    }
    ints += 3 * n;
    at += n;
    names = after(names);
  }
}

static int list_boxes(const char *pattern, int *nclasses, struct pvmmboxinfo **classes) {
  static struct pvmmboxinfo *list;
  int sizes[2] = {0, 0};
  /* Others may put more into it meanwhile: each question has twice the room, and the box has a limit. */
  for (int room = FIRST_ENTRIES, bytes = 32 * FIRST_ENTRIES;;) {
    /* A class has an entry at least. */
    size_t entry = sizeof *list + (BOX_INTS + 3) * sizeof(int);
    struct pvmmboxinfo *boxes = calloc(1, room * entry + bytes + 1);
    if (boxes == NULL) return pvm_fail("pvm_getmboxinfo", PvmNoMem);
    int *rows = (int *)(boxes + room);
    char *names = (char *)(rows + room * (BOX_INTS + 3));
    int count = pvm_mboxinfo_get(pattern, rows, room, names, bytes, sizes);
    if (count < 0 || sizes[0] > room || sizes[1] > bytes) {
      free(boxes);
      if (count < 0) return count;
      room = sizes[0] > 2 * room ? sizes[0] : 2 * room;
      bytes = sizes[1] > 2 * bytes ? sizes[1] : 2 * bytes;
      continue;
    }
    fill_boxes(boxes, count, rows, sizes[0], rows + room * BOX_INTS, names);
    free(list);
    list = boxes;
    if (nclasses != NULL) *nclasses = count;
    if (classes != NULL) *classes = list;
    return PvmOk;
  }
}

int pvm_getmboxinfo(const char *pattern, int *nclasses, struct pvmmboxinfo **classes) {
  pvm_trace_begin(TEV_GETMBOXINFO, pattern, 0);
  return pvm_trace_end(TEV_GETMBOXINFO, list_boxes(pattern, nclasses, classes), 0, 0);
}

/* Length of the first name of a list that colons divide. */
static size_t name_length(const char *list) { return strcspn(list, ":"); }

/* Where a name is in PVM_EXPORT; NULL: it is not. */
static const char *exported(const char *list, const char *name) {
  size_t length = strlen(name);
  for (const char *at = list; *at != '\0';) {
    size_t n = name_length(at);
    if (n == length && strncmp(at, name, n) == 0) return at;
    at += n + (at[n] == ':');
  }
  return NULL;
}

static const char *export_list(void) {
  const char *list = getenv("PVM_EXPORT");
  return list == NULL ? "" : list;
}

int pvm_export(const char *name) {
  const char *list = export_list();
  if (name == NULL) return PvmBadParam;
  if (*name == '\0' || exported(list, name) != NULL) return PvmOk;
  char *text = malloc(strlen(list) + strlen(name) + 2);
  if (text == NULL) return PvmNoMem;
  sprintf(text, "%s%s%s", list, *list == '\0' ? "" : ":", name);
  int done = setenv("PVM_EXPORT", text, 1);
  free(text);
  return done == 0 ? PvmOk : PvmNoMem;
}

int pvm_unexport(const char *name) {
  const char *list = export_list();
  if (name == NULL) return PvmBadParam;
  const char *at = *name == '\0' ? NULL : exported(list, name);
  if (at == NULL) return PvmOk;
  char *text = strdup(list);
  if (text == NULL) return PvmNoMem;
  size_t from = at - list, length = strlen(name);
  /* With the colon behind it, or the one before it if it is the last. */
  if (text[from + length] == ':') length++;
  else if (from > 0) from--, length++;
  memmove(text + from, text + from + length, strlen(text + from + length) + 1);
  int done = setenv("PVM_EXPORT", text, 1);
  free(text);
  return done == 0 ? PvmOk : PvmNoMem;
}

/* `NAME=VALUE` of the first `n` characters of a name, in a block of its own; NULL: it has no value, or there is no room. */
static char *variable(const char *name, size_t n) {
  char *text = malloc(n + 1);
  if (text == NULL) return NULL;
  memcpy(text, name, n);
  text[n] = '\0';
  const char *value = getenv(text);
  char *both = value == NULL ? NULL : malloc(n + strlen(value) + 2);
  if (both != NULL) sprintf(both, "%s=%s", text, value);
  free(text);
  return both;
}

int pvm_spawn(const char *task, char **argv, int flag, const char *where, int ntask, int *tids) {
  static int given;
  const char *list = getenv("PVM_EXPORT");
  if (list == NULL && !given) return pvm_spawn_import(task, argv, flag, where, ntask, tids);
  /* One more for PVM_EXPORT itself, so that their children get it too, and NULL. */
  int count = 2;
  for (const char *at = list == NULL ? "" : list; *at != '\0'; at++) count += *at == ':';
  char **env = calloc(count + 1, sizeof *env);
  if (env == NULL) return PvmNoMem;
  int n = 0;
  if (list != NULL) env[n] = variable("PVM_EXPORT", strlen("PVM_EXPORT"));
  n += env[n] != NULL;
  for (const char *at = list == NULL ? "" : list; *at != '\0';) {
    size_t length = name_length(at);
    env[n] = variable(at, length);
    n += env[n] != NULL;
    at += length + (at[length] == ':');
  }
  int result = pvm_spawn_environ(env);
  given = 1;
  for (int i = 0; i < n; i++) free(env[i]);
  free(env);
  return result < 0 ? result : pvm_spawn_import(task, argv, flag, where, ntask, tids);
}

static int manage(struct pvmhostinfo **hip) {
  static struct pvmhostinfo own;
  int before = pvm_reg_rm_import();
  if (before < 0 || hip == NULL) return before;
  struct pvmhostinfo *hosts;
  int code = pvm_config(NULL, NULL, &hosts);
  if (code < 0) return code;
  /* Copies: the list goes when pvm_config is called again. */
  free(own.hi_name);
  free(own.hi_arch);
  own = hosts[0];
  own.hi_name = strdup(own.hi_name);
  own.hi_arch = strdup(own.hi_arch);
  *hip = &own;
  return own.hi_name == NULL || own.hi_arch == NULL ? PvmNoMem : before;
}

int pvm_reg_rm(struct pvmhostinfo **hip) {
  pvm_trace_begin(TEV_REG_RM, NULL, 0);
  return pvm_trace_end(TEV_REG_RM, manage(hip), 0, 0);
}

/* A variable of the environment, or what stands for it. */
static char *setting(const char *name, char *otherwise) {
  char *value = getenv(name);
  return value == NULL ? otherwise : value;
}

char *pvmgetrsh(void) { return setting("PVM_RSH", "rsh"); }
char *pvmgettmp(void) { return setting("PVM_TMP", "/tmp"); }
