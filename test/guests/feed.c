/* Each task sends an int and 30 kB to the next all the time, about a thousand times a second, and takes what comes. It never ends. */
#include <pvm3.h>
#include <stdlib.h>
#include <sys/time.h>

#define BYTES 30000

int main(void) {
  int *tids, count = pvm_siblings(&tids), me = 0;
  static char data[BYTES];
  while (tids[me] != pvm_mytid()) me++;
  for (int round = 0;; round++) {
    struct timeval pause = {0, 1000};
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&round, 1, 1);
    pvm_pkbyte(data, BYTES, 1);
    pvm_send(tids[(me + 1) % count], 1);
    while (pvm_nrecv(-1, 1) > 0) {
    }
    pvm_trecv(-1, 2, &pause);
  }
}
