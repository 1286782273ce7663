/*
 * Messages between the daemon and tasks that take over a part of it: pvm_reg_tasker(3PVM) and its like.
 *
 * Written by scripts/generate.ts from the tables in wire/pvm.ts: change those, not this.
 * t: any task, d: the daemon, R: resource manager, H: hoster, T: tasker.
 */
#ifndef PVMPROTO_H
#define PVMPROTO_H

#define SM_FIRST ((int)0x80040001)
#define SM_SPAWN (SM_FIRST + 0) /* t>R, R>t: spawn tasks */
#define SM_EXEC (SM_FIRST + 1) /* R>d: start tasks */
#define SM_EXECACK (SM_FIRST + 2) /* d>R: which were started */
#define SM_TASK (SM_FIRST + 3) /* t>R, R>t: list of tasks */
#define SM_CONFIG (SM_FIRST + 4) /* t>R, R>t: list of hosts */
#define SM_ADDHOST (SM_FIRST + 5) /* t>R, R>t: add hosts */
#define SM_DELHOST (SM_FIRST + 6) /* t>R, R>t: remove hosts */
#define SM_ADD (SM_FIRST + 7) /* R>d: add hosts */
#define SM_ADDACK (SM_FIRST + 8) /* d>R: which were added */
#define SM_NOTIFY (SM_FIRST + 9) /* t>R: messages about events */
#define SM_TASKX (SM_FIRST + 10) /* d>R, T>d: a task has ended */
#define SM_HOSTX (SM_FIRST + 11) /* d>R: a host has gone */
#define SM_HANDOFF (SM_FIRST + 12) /* R>d: another resource manager */
#define SM_SCHED (SM_FIRST + 13) /* t>R, R>t: wants to be the resource manager */
#define SM_STHOST (SM_FIRST + 14) /* d>H: start daemons */
#define SM_STHOSTACK (SM_FIRST + 15) /* H>d: which were started */
#define SM_STTASK (SM_FIRST + 16) /* d>T: start a task; T>d, upvm's own: let it run */
#define SM_LAST ((int)0x80040011)

#endif
