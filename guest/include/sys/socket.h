/* sys/socket.h for programs that include it; a ULP has no sockets. */
#include_next <sys/socket.h>
#ifndef UPVM_SYS_SOCKET_H
#define UPVM_SYS_SOCKET_H

#include <upvm-absent.h>

#ifdef __cplusplus
extern "C" {
#endif

int socket(int, int, int) UPVM_NO_SOCKETS;
int socketpair(int, int, int, int[2]) UPVM_NO_SOCKETS;
int bind(int, const struct sockaddr *, socklen_t) UPVM_NO_SOCKETS;
int listen(int, int) UPVM_NO_SOCKETS;
int connect(int, const struct sockaddr *, socklen_t) UPVM_NO_SOCKETS;
int accept(int, struct sockaddr *__restrict, socklen_t *__restrict) UPVM_NO_SOCKETS;
ssize_t send(int, const void *, size_t, int) UPVM_NO_SOCKETS;
ssize_t recv(int, void *, size_t, int) UPVM_NO_SOCKETS;
int shutdown(int, int) UPVM_NO_SOCKETS;

#ifdef __cplusplus
}
#endif

#endif
