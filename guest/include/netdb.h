/* netdb.h for programs that include it; a ULP has no sockets. */
#ifndef UPVM_NETDB_H
#define UPVM_NETDB_H

#include <sys/socket.h>
#include <upvm-absent.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hostent {
  char *h_name;
  char **h_aliases;
  int h_addrtype;
  int h_length;
  char **h_addr_list;
};
#define h_addr h_addr_list[0]
struct servent {
  char *s_name;
  char **s_aliases;
  int s_port;
  char *s_proto;
};
struct hostent *gethostbyname(const char *) UPVM_ABSENT("pvm_config tells of hosts");
struct hostent *gethostbyaddr(const void *, socklen_t, int) UPVM_ABSENT("pvm_config tells of hosts");
struct servent *getservbyname(const char *, const char *) UPVM_NO_SOCKETS;

#ifdef __cplusplus
}
#endif

#endif
