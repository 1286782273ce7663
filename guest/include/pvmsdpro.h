/* Name of pvmproto.h before PVM 3.4, which the manual pages still give. */
#include <pvmproto.h>
