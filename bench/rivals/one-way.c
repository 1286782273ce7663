/*
 * Bytes from one process to another over TCP on loopback, microseconds: from before the first is written until the last was
 * read, by the clock that both have.
 *
 *     one-way BATCHES BYTES...        what has come is overwritten by the next
 *     one-way new BATCHES BYTES...    each time it comes into memory that the system gives anew, as the state of a ULP does
 */
#define OVER_TCP
#include <sys/mman.h>
#define main sockets_main
#include "sockets.c"
#undef main

static char *new_memory(size_t bytes) {
  char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) _exit(1);
  return memory;
}

static void take(int socket, size_t most, int is_new) {
  char *same = malloc(most), ready = 1;
  size_t bytes;
  while (receive_all(socket, &bytes, sizeof bytes)) {
    char *to = is_new ? new_memory(bytes) : same;
    if (write(socket, &ready, 1) != 1) _exit(1);
    receive_all(socket, to, bytes);
    double end = now();
    if (write(socket, &end, sizeof end) != sizeof end) _exit(1);
    if (is_new) munmap(to, bytes);
  }
  _exit(0);
}

/* data of sockets.c is for a megabyte. */
static void give(int socket, const char *from, size_t bytes) {
  for (size_t at = 0; at < bytes;) {
    ssize_t n = write(socket, from + at, bytes - at);
    if (n <= 0) exit(1);
    at += (size_t)n;
  }
}

static double once(int socket, const char *from, size_t bytes) {
  char ready;
  double end;
  if (write(socket, &bytes, sizeof bytes) != sizeof bytes || !receive_all(socket, &ready, 1)) exit(1);
  double start = now();
  give(socket, from, bytes);
  if (!receive_all(socket, &end, sizeof end)) exit(1);
  return end - start;
}

int main(int argc, char **argv) {
  int is_new = argc > 1 && strcmp(argv[1], "new") == 0, pair[2];
  argc -= is_new;
  argv += is_new;
  int batches = argc > 1 ? atoi(argv[1]) : 9;
  double values[BENCH_BATCHES_MAX];
  size_t most = 0;
  for (int i = 2; i < argc; i++)
    if ((size_t)atol(argv[i]) > most) most = (size_t)atol(argv[i]);
  if (connected(pair)) return 1;
  pid_t child = fork();
  if (child == 0) {
    close(pair[0]);
    take(pair[1], most, is_new);
  }
  close(pair[1]);
  char *from = malloc(most);
  memset(from, 1, most);
  for (int i = 2; i < argc; i++) {
    for (int b = -3; b < batches; b++) {
      double seconds = once(pair[0], from, (size_t)atol(argv[i]));
      if (b >= 0) values[b] = seconds * 1e6;
    }
    report(argv[i], values, batches);
  }
  close(pair[0]);
  waitpid(child, NULL, 0);
  return 0;
}
