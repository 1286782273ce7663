/* Where old programs look for errno.h. */
#include <errno.h>
