/*
 * Context switch between two processes, microseconds (Table IX, the paper's way): half the time that two processes
 * need to write and read one byte through two pipes by turns. Also a null call, the paper's unit.
 *
 *     pipes SWITCHES BATCHES
 */
#define _GNU_SOURCE
#include "../guests/bench.h"
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (cpu >= 0) sched_setaffinity(0, sizeof set, &set);
}

static void byte_out(int pipe) {
  char c = 'x';
  if (write(pipe, &c, 1) != 1) _exit(1);
}

static void byte_in(int pipe) {
  char c;
  if (read(pipe, &c, 1) != 1) _exit(1);
}

/* Microseconds for each switch; a CPU of -1 leaves it to the system. */
static double two_processes(int cpu0, int cpu1, int switches) {
  int there[2], back[2], trips = switches / 2, warm = trips / 10;
  if (pipe(there) || pipe(back)) exit(1);
  pid_t child = fork();
  if (child == 0) {
    pin(cpu1);
    for (int i = 0; i < trips + warm; i++) byte_in(there[0]), byte_out(back[1]);
    _exit(0);
  }
  pin(cpu0);
  for (int i = 0; i < warm; i++) byte_out(there[1]), byte_in(back[0]);
  double start = now();
  for (int i = 0; i < trips; i++) byte_out(there[1]), byte_in(back[0]);
  double seconds = now() - start;
  waitpid(child, NULL, 0);
  for (int i = 0; i < 2; i++) close(there[i]), close(back[i]);
  return seconds / trips / 2 * 1e6;
}

__attribute__((noinline)) static void null_call(int x) { __asm__ volatile("" ::"r"(x) : "memory"); }

int main(int argc, char **argv) {
  int switches = argc > 1 ? atoi(argv[1]) : 10000, batches = argc > 2 ? atoi(argv[2]) : 9;
  double values[BENCH_BATCHES_MAX];
  for (int b = 0; b < batches; b++) {
    double start = now();
    for (int i = 0; i < 10000000; i++) null_call(i);
    values[b] = (now() - start) / 10;
  }
  report("null-call", values, batches);
  for (int b = 0; b < batches; b++) values[b] = two_processes(-1, -1, switches);
  report("unpinned", values, batches);
  for (int b = 0; b < batches; b++) values[b] = two_processes(0, 0, switches);
  report("one-cpu", values, batches);
  return 0;
}
