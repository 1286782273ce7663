/* Where old programs look for signal.h. */
#include <signal.h>
