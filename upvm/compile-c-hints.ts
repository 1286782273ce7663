/**
 * What a ULP has in place of what it cannot have: a line under the compiler's message.
 *
 * Owns: the advice for functions that are declared nowhere, so that only the linker misses them. Those that old programs
 * get from a header say it themselves, where they are used (guest/include).
 */

const SOCKETS = "a ULP has no sockets: pass data with pvm_send";
const SIGNALS = "no signal reaches a ULP: pvm_notify and message handlers (pvm_addmhf) tell what happens";
const THREADS = "there are no threads in a ULP: start more ULPs with pvm_spawn";
const EXCEPTIONS =
  "the C++ library here has no exceptions: take a compiler whose library has them with --cc, or return errors";
/** Where functions are declared that old programs call without, and that return no int. */
const HEADER: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    "<time.h>": ["time", "difftime", "tzset"],
    "<stdlib.h>": ["srand", "srandom", "random", "srand48", "drand48", "lrand48", "qsort", "strtod", "atoll"],
    "<string.h>": ["bzero", "bcopy"],
    "<stdio.h>": ["perror", "rewind", "setbuf", "clearerr"],
    "<unistd.h>": ["lseek", "sleep", "usleep"],
  }).flatMap(([header, names]) => names.map((name) => [name, header])),
);
/** Functions by what they are for, and what to use. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /^v?fork$|^exec[lv]p?e?$|^fexecve$|^posix_spawnp?$|^system$|^popen$|^pclose$/,
    "start programs with pvm_spawn",
  ],
  [/^wait(pid|3|4)?$/, "a ULP has no child processes: pvm_notify tells when a task ends"],
  [
    /^(socket|socketpair|bind|listen|accept|connect|send|recv|sendto|recvfrom|sendmsg|recvmsg|shutdown)$/,
    SOCKETS,
  ],
  [/^(get|set)sockopt$|^gethostby|^getaddrinfo$|^getservby|^getprotoby|^inet_/, SOCKETS],
  [/^(kill|killpg|sigqueue)$/, "end a task with pvm_kill, send it a signal with pvm_sendsig"],
  [/^(sigaction|sigprocmask|sigsuspend|sigpending|sigwait|setitimer|alarm|ualarm|pause)$/, SIGNALS],
  [/^(pipe2?|mkfifo|shm_open|shmget|shmat|msgget|semget)$/, "pass data with pvm_send"],
  [/^(dup|dup2)$/, "descriptors cannot be doubled: open the file again"],
  [/^(a_ULP_has_no_)?(pthread_create|thrd_create)$/, THREADS],
  [/^__cxa_(throw|allocate_exception|begin_catch)$|^_Unwind_/, EXCEPTIONS],
  [
    /^(tmpfile|tmpnam|tempnam|mkstemps?|mkostemp|mkdtemp|mktemp)$/,
    'a ULP has no folder for temporary files: open one by name with fopen(name, "w+"), in a folder of upvm run --dir',
  ],
  [
    /^(setjmp|_setjmp|sigsetjmp|longjmp|_longjmp)$/,
    "a ULP's calls are WebAssembly's: nothing can jump out of them",
  ],
];

/** The compiler's or linker's messages with advice below the first line that needs it. */
export function withHints(said: string): string {
  const told = new Set<string>();
  return said
    .split("\n")
    .flatMap((line) => {
      const hint = hintFor(line);
      if (hint === undefined || told.has(hint)) return [line];
      told.add(hint);
      return [line, `  ${hint}`];
    })
    .join("\n");
}

function hintFor(line: string): string | undefined {
  if (/cannot use '(throw|try)' with exceptions disabled/.test(line)) return EXCEPTIONS;
  if (/'omp\.h' file not found/.test(line)) return THREADS;
  const unfit = /warning: function signature mismatch: (\w+)/.exec(line)?.[1];
  if (unfit !== undefined)
    return `a call with other types than it has stops the program: include ${HEADER[unfit] ?? "its header"}, or declare it as it is`;
  const symbol = /undefined symbol: (\w+)/.exec(line)?.[1];
  if (symbol === undefined) return undefined;
  return ADVICE.find(([names]) => names.test(symbol))?.[1];
}
