/*
 * One-way message between two processes over a socket pair, microseconds: half of a round trip.
 *
 *     sockets BATCHES [BYTES...]
 */
#include "../guests/bench.h"
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef OVER_TCP
#include <arpa/inet.h>
#include <netinet/tcp.h>
#endif

#define BYTES_MAX 1000000
static char data[BYTES_MAX];

static void send_all(int socket, size_t bytes) {
  for (size_t at = 0; at < bytes;) {
    ssize_t n = write(socket, data + at, bytes - at);
    if (n <= 0) _exit(1);
    at += (size_t)n;
  }
}

static int receive_all(int socket, void *to, size_t bytes) {
  for (size_t at = 0; at < bytes;) {
    ssize_t n = read(socket, (char *)to + at, bytes - at);
    if (n <= 0) return 0;
    at += (size_t)n;
  }
  return 1;
}

static void answer(int socket) {
  int order[2];
  while (receive_all(socket, order, sizeof order))
    for (int i = 0; i < order[1]; i++) {
      receive_all(socket, data, (size_t)order[0]);
      send_all(socket, (size_t)order[0]);
    }
  _exit(0);
}

static double batch(int socket, int bytes, int trips) {
  int order[2] = {bytes, trips};
  if (write(socket, order, sizeof order) != sizeof order) exit(1);
  double start = now();
  for (int i = 0; i < trips; i++) {
    send_all(socket, (size_t)bytes);
    if (!receive_all(socket, data, (size_t)bytes)) exit(1);
  }
  return now() - start;
}

#ifdef OVER_TCP
/* As socketpair: two connected sockets, on loopback, that send at once. */
static int connected(int pair[2]) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  pair[0] = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1)) return 1;
  if (getsockname(listener, (struct sockaddr *)&address, &length)) return 1;
  if (connect(pair[0], (struct sockaddr *)&address, length)) return 1;
  if ((pair[1] = accept(listener, NULL, NULL)) < 0) return 1;
  for (int i = 0; i < 2; i++) setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return close(listener);
}
#else
static int connected(int pair[2]) { return socketpair(AF_UNIX, SOCK_STREAM, 0, pair); }
#endif

int main(int argc, char **argv) {
  int batches = argc > 1 ? atoi(argv[1]) : 9, pair[2];
  double values[BENCH_BATCHES_MAX];
  if (connected(pair)) return 1;
  pid_t child = fork();
  if (child == 0) {
    close(pair[0]);
    answer(pair[1]);
  }
  close(pair[1]);
  for (int i = 2; i < argc; i++) {
    int bytes = atoi(argv[i]), trips = 8;
    for (int b = -3; b < batches; b++) {
      double seconds = batch(pair[0], bytes, trips);
      if (b < 0)
        trips = repetitions(seconds, trips, 4, 200000);
      else
        values[b] = seconds / trips / 2 * 1e6;
    }
    report(argv[i], values, batches);
  }
  close(pair[0]);
  waitpid(child, NULL, 0);
  return 0;
}
