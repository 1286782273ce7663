/* pvm_halt, alone: it ends the virtual machine. */
#include "conform.h"

static void halt(void) {
  printf("before\n");
  fflush(stdout);
  CALL(pvm_halt());
  printf("after\n");
}

static const struct part PARTS[] = {{"pvm_halt", halt}};
CONFORM(PARTS)
