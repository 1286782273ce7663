/*
 * For what a ULP cannot have: a program that includes the header compiles, one that uses the function is told, where it
 * does, what there is instead. A function is named only here; nothing defines it.
 */
#ifndef UPVM_ABSENT_H
#define UPVM_ABSENT_H

#define UPVM_ABSENT(text) __attribute__((unavailable("a ULP cannot have it: " text)))
#define UPVM_NO_PROGRAMS UPVM_ABSENT("start programs with pvm_spawn")
#define UPVM_NO_CHILDREN UPVM_ABSENT("it has no child processes; pvm_notify tells when a task ends")
#define UPVM_NO_SIGNALS UPVM_ABSENT("no signal reaches it; use pvm_notify, or a message handler (pvm_addmhf)")
#define UPVM_NO_SOCKETS UPVM_ABSENT("pass data with pvm_send")
#define UPVM_NO_THREADS UPVM_ABSENT("start more ULPs with pvm_spawn")
/* Of functions that headers of the C++ library call: who does not use those must not be told, so that the linker tells. */
#define UPVM_UNLINKED(name) __asm__("a_ULP_has_no_" name)
#define UPVM_NO_DUP UPVM_ABSENT("open the file again")

#endif
