/*
 * pvm_exit of C programs: first what pvm_catchout has to wait for, if the program uses it.
 *
 * Owns: the place where catchout.c puts that. In a file of its own, so that a program without pvm_catchout has none of it.
 */
#include <pvm3.h>

void (*upvm_before_exit)(void);

int pvm_exit(void) {
  if (upvm_before_exit != 0) upvm_before_exit();
  return pvm_exit_import();
}
