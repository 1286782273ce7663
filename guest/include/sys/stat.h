/* sys/stat.h of a ULP: the C library's, and a mask that is kept and means nothing. */
#include_next <sys/stat.h>
#ifndef UPVM_SYS_STAT_H
#define UPVM_SYS_STAT_H

#ifdef __cplusplus
extern "C" {
#endif

mode_t umask(mode_t);

#ifdef __cplusplus
}
#endif

#endif
