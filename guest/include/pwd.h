/* pwd.h for programs that include it; no user is known in a ULP: both calls find nobody. */
#ifndef UPVM_PWD_H
#define UPVM_PWD_H

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct passwd {
  char *pw_name;
  char *pw_passwd;
  uid_t pw_uid;
  gid_t pw_gid;
  char *pw_gecos;
  char *pw_dir;
  char *pw_shell;
};
struct passwd *getpwuid(uid_t);
struct passwd *getpwnam(const char *);

#ifdef __cplusplus
}
#endif

#endif
