/*
 * session.c with mhf_tickle.c of pvm-examples linked in, which asks a person what to do: so it can have its server
 * beside it in one virtual machine, and its input from a test.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#define main linked
#include "mhf_tickle.c"
#undef main
#define LINKED
#include "session.c"
