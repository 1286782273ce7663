/* Where old programs look for fcntl.h. */
#include <fcntl.h>
