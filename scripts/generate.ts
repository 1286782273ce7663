/**
 * Writes what follows from the tables in wire/pvm.ts: the C header, the AssemblyScript constants and declarations, the
 * page of routines and that of frames. `node scripts/generate.ts` after a change of a table; a test compares.
 *
 * Owns: the form of these files. Every name, number and signature in them comes from the tables.
 */
import { writeFileSync } from "node:fs";
import { PVM_OPTION } from "../wire/options.ts";
import { SM, SM_FIRST, SM_LAST } from "../wire/plugins.ts";
import {
  OPERATOR_C,
  PVM_CONSTANT,
  PVM_ERROR,
  PVM_LIBRARY,
  PVM_OPERATOR,
  PVM_ROUTINE,
  type Routine,
} from "../wire/pvm.ts";
import { TRACE_EVENTS } from "../wire/trace.ts";
import {
  TRACE_ARRAY,
  TRACE_DATA,
  TRACE_DATUM_ID,
  TRACE_ENTRY,
  TRACE_EXIT,
  TRACE_KIND,
  TRACE_MARK,
  TRACE_MASK_LENGTH,
} from "../wire/trace-data.ts";
import { interfacePage } from "./interface-page.ts";
import { protocolPage } from "./protocol-page.ts";

const NOTICE = "Written by scripts/generate.ts from the tables in wire/pvm.ts: change those, not this.";

/** Routines whose AssemblyScript form takes or gives objects in place of pointers: guest/messages.ts has it. */
export const FRIENDLY: readonly string[] = [
  "pvm_spawn_environ",
  "pvm_config_get",
  "pvm_mstat",
  "pvm_addhosts",
  "pvm_delhosts",
  "pvm_hostsync",
  "pvm_archcode",
  "pvm_start_pvmd",
  "pvm_notify",
  "pvm_putinfo",
  "pvm_recvinfo",
  "pvm_delinfo",
  "pvm_mboxinfo_get",
  "pvm_insert",
  "pvm_lookup",
  "pvm_delete",
  "pvm_siblings_get",
  "pvm_tasks_get",
  "pvm_task_name",
  "pvm_strerror_get",
  "pvm_upkstr_bytes",
  "pvm_joingroup",
  "pvm_lvgroup",
  "pvm_getinst",
  "pvm_gettid",
  "pvm_gsize",
  "pvm_barrier",
  "pvm_bcast",
  "pvm_freezegroup",
  "pvm_group_tids",
  "pvm_collective",
  "pvm_spawn",
  "pvm_bufinfo",
  "pvm_pkstr",
  "pvm_upkstr",
  "pvm_mcast",
  "pvm_trecv",
  "pvm_perror",
  "pvm_noresets_get",
  "pvm_getminfo",
  "pvm_setminfo",
  "pvm_archcode",
  "pvm_tickle",
  "pvm_fail",
  "pvm_reg_tracer",
  "pvm_settmask",
  "pvm_gettmask",
  "pvm_trace_begin",
  "pvm_trace_end",
  "pvm_addmhf",
  "pvm_recvf_set",
];

/** Short names that are words of AssemblyScript, and what they are in its place. */
export const RENAMED: Readonly<Record<string, string>> = {
  pvm_delete: "remove",
  pvm_export: "export_variable",
  pvm_unexport: "unexport_variable",
  pvmgetrsh: "getrsh",
  pvmgettmp: "gettmp",
};

interface Parameter {
  readonly type: string;
  readonly name: string;
}

/** `const int *tids` → type `const int *`, name `tids`. */
export function parametersOf(c: string): Parameter[] {
  if (c === "void") return [];
  return c.split(/,(?![^()]*\))/).map((part) => {
    const pointer = /\(\*(\w+)\)/.exec(part);
    if (pointer !== null) return { type: "function", name: pointer[1] as string };
    const at = part.search(/\w+$/);
    return { type: part.slice(0, at).trim(), name: part.slice(at) };
  });
}

/** Of a routine that returns a function, what stands behind its parameters. */
function endOf(row: object): string {
  return "end" in row ? String(row.end) : "";
}

/** Constants, the options of pvm_setopt among them. */
const constants: readonly (readonly [string, number])[] = [
  ...Object.entries(PVM_CONSTANT),
  ...Object.entries(PVM_OPTION).map(([name, { code }]) => [name, code] as const),
];
const rows = Object.entries(PVM_ROUTINE) as [string, Routine][];

/** Name of an import in C: its own, unless the library has a routine of that name over it. */
export function importedAs(name: string): string {
  return name in PVM_LIBRARY ? `${name}_import` : name;
}

function cHeader(): string {
  const out = [
    "/*",
    " * PVM 3.4 for C programs that run as user-level processes.",
    ` * ${NOTICE}`,
    " *",
    " * A routine returns a negative number, one of the Pvm errors below, when it fails. docs/pvm-routines.md has them all.",
    " */",
    "#ifndef PVM3_H",
    "#define PVM3_H",
    "",
    "#include <sys/time.h>",
    "",
    '#define PVM_VER "3.4.6"',
    "#define PVM_MAJOR_VERSION 3",
    "#define PVM_MINOR_VERSION 4",
    "#define PVM_PATCH_VERSION 6",
    "",
    "/* Names of the message box that PVM itself uses */",
    ...["NORESET", "HOSTER", "TASKER", "TRACER"].map(
      (name) => `#define PVM${name}CLASS "###_PVM_${name.replace("NORESET", "NO_RESET")}_###"`,
    ),
    "",
    "/* Constants */",
  ];
  for (const [name, value] of constants) out.push(`#define ${name} ${value}`);
  out.push("", "/* Errors */");
  for (const [name, { code, text }] of Object.entries(PVM_ERROR)) {
    out.push(`#define ${name} ${code < 0 ? `(${code})` : code} /* ${text} */`);
  }
  out.push(
    "",
    "/* A row of pvm_tasks */",
    "struct pvmtaskinfo {",
    "  int ti_tid;",
    "  int ti_ptid; /* its parent, or PvmNoParent */",
    "  int ti_host; /* tid of its host's daemon */",
    "  int ti_flag;",
    "  char *ti_a_out; /* name of its program */",
    "  int ti_pid; /* operating system process that it runs in */",
    "};",
    "",
    "/* A row of pvm_config */",
    "struct pvmhostinfo {",
    "  int hi_tid; /* tid of its daemon */",
    "  char *hi_name;",
    "  char *hi_arch;",
    "  int hi_speed;",
    "  int hi_dsig; /* data signature */",
    "};",
    "",
    "/* A row of pvm_getmboxinfo: a class of the message box, and of each of its entries index, owner (0: none), flags */",
    "struct pvmmboxinfo {",
    "  char *mi_name;",
    "  int mi_nentries;",
    "  int *mi_indices;",
    "  int *mi_owners;",
    "  int *mi_flags;",
    "};",
    "",
    "/* Index of an entry, as flags of pvm_putinfo, and back */",
    "#define PvmMboxMaxDirectIndex ((unsigned)1 << (31 - PvmMboxDirectIndexShift))",
    "#define PvmMboxDirectIndex(index) ((index) << PvmMboxDirectIndexShift)",
    "#define PvmMboxDirectIndexOf(flags) (((unsigned)(flags) >> PvmMboxDirectIndexShift) & (PvmMboxMaxDirectIndex - 1))",
    "",
    "/* Names of PVM 3.3 */",
    "#define PvmNoEntry PvmNotFound",
    "#define PvmDupEntry PvmDenied",
    "",
    "/* What pvm_getminfo tells of a message, and pvm_setminfo sets: all but len, enc and crc */",
    "struct pvmminfo {",
    "  int len; /* bytes */",
    "  int ctx;",
    "  int tag;",
    "  int wid; /* wait id */",
    "  int enc; /* 0x10000000 XDR, 0x20000000 in place, else the data format of its sender */",
    "  int crc; /* 0 */",
    "  int src;",
    "  int dst;",
    "};",
    "",
    "#ifdef __cplusplus",
    'extern "C" {',
    "#endif",
    "",
    "/* Operator of pvm_reduce: x = x op y for `*num` items of a type; an error goes to `*info` */",
    `typedef void pvm_reducer(${OPERATOR_C});`,
    "",
    '#define PVM_IMPORT(name) __attribute__((import_module("pvm"), import_name(name)))',
    "",
  );
  for (const [name, row] of rows) {
    out.push(`/* ${row.doc}${row.route === "block" ? "; may block" : ""} */`);
    out.push(`int ${importedAs(name)}(${row.c}) PVM_IMPORT("${name}");`);
  }
  out.push(
    "",
    "/* Library routines: what they hand out stays as it is until the next call of the same routine. */",
  );
  for (const [name, row] of Object.entries(PVM_LIBRARY)) {
    const file = /\bFILE\b/.test(row.c);
    if (file) out.push("#ifdef EOF");
    out.push(
      `/* ${row.doc} */`,
      `${row.result}${row.result.endsWith("*") ? "" : " "}${name}(${row.c})${endOf(row)};`,
    );
    if (file) out.push("#endif");
  }
  out.push("", "/* Operators of pvm_reduce */");
  for (const [name, { doc }] of Object.entries(PVM_OPERATOR))
    out.push(`/* ${doc} */`, `pvm_reducer ${name};`);
  out.push("", "#ifdef __cplusplus", "}", "#endif", "", "#endif", "");
  return out.join("\n");
}

/** Tags of the plug-ins' messages, where PVM has them. */
function protocolHeader(): string {
  const out = [
    "/*",
    " * Messages between the daemon and tasks that take over a part of it: pvm_reg_tasker(3PVM) and its like.",
    " *",
    ` * ${NOTICE}`,
    " * t: any task, d: the daemon, R: resource manager, H: hoster, T: tasker.",
    " */",
    "#ifndef PVMPROTO_H",
    "#define PVMPROTO_H",
    "",
    `#define SM_FIRST ${hex(SM_FIRST)}`,
  ];
  for (const [name, { tag, doc }] of Object.entries(SM))
    out.push(`#define ${name} (SM_FIRST + ${tag - SM_FIRST}) /* ${doc} */`);
  out.push(`#define SM_LAST ${hex(SM_LAST)}`, "", "#endif", "");
  return out.join("\n");
}
/** Numbers of pvmtev.h. */
const traceNumbers: readonly (readonly [string, number])[] = [
  ...Object.entries(TRACE_MARK).map(([name, mark]) => [`TEV_MARK_${name}`, mark] as const),
  ...Object.entries(TRACE_KIND).map(([name, kind]) => [`TEV_DATA_${name.toUpperCase()}`, kind] as const),
  ["TEV_DATA_SCALAR", 0],
  ["TEV_DATA_ARRAY", TRACE_ARRAY],
  ["TEV_DID_FIRST", 0],
  ...Object.entries(TRACE_DATUM_ID).map(([name, id]) => [`TEV_DID_${name}`, id] as const),
  ["TEV_DID_MAX", Object.keys(TRACE_DATA).length - 1],
  ["TEV_FIRST", 0],
  ...TRACE_EVENTS.map(({ id, name }) => [`TEV_${name.toUpperCase()}`, id] as const),
  ["TEV_MAX", TRACE_EVENTS.length - 1],
  ["TEV_EVENT_ENTRY", TRACE_ENTRY],
  ["TEV_EVENT_EXIT", TRACE_EXIT],
  ["TEV_MASK_LENGTH", TRACE_MASK_LENGTH],
  ["PVM_TRACE_TID", -1111],
  ["PVM_TRACE_CODE", -2222],
];

/** Trace events, as PVM's pvmtev.h has them. */
function traceHeader(): string {
  return [
    "/*",
    " * Trace events of PVM 3.4: numbers of events and of what they tell, and masks of events.",
    " *",
    ` * ${NOTICE.replace("wire/pvm.ts", "wire/trace.ts")}`,
    " * docs/guest.md says what a task that gets events finds in their messages.",
    " */",
    "#ifndef PVMTEV_H",
    "#define PVMTEV_H",
    "",
    ...traceNumbers.map(([name, value]) => `#define ${name} ${value < 0 ? `(${value})` : value}`),
    "",
    "/* Which events there are: a text, four of them to a character */",
    "typedef char Pvmtmask[TEV_MASK_LENGTH];",
    "#define TEV_MASK_SET(m, k) ((m)[(k) / 4] |= (1 << ((k) & 3)))",
    "#define TEV_MASK_UNSET(m, k) ((m)[(k) / 4] &= ~(1 << ((k) & 3)))",
    "#define TEV_MASK_CHECK(m, k) ((m)[(k) / 4] & (1 << ((k) & 3)))",
    "#define TEV_MASK_INIT(m) \\",
    "  { \\",
    "    int tev_i = TEV_MASK_LENGTH - 1; \\",
    "    (m)[tev_i] = 0; \\",
    "    while (tev_i-- > 0) (m)[tev_i] = '@'; \\",
    "  }",
    "",
    "/* Of a tracer: whom events go to, and output; how many bytes of them at once, which kind, which routines */",
    "struct Pvmtracer {",
    ...["trctid", "trcctx", "trctag", "outtid", "outctx", "outtag", "trcbuf", "trcopt"].map(
      (name) => `  int ${name};`,
    ),
    "  Pvmtmask tmask;",
    "};",
    "",
    "#endif",
    "",
  ].join("\n");
}
const hex = (tag: number): string => `((int)0x${(tag >>> 0).toString(16)})`;

function asConstants(): string {
  const out = ["/**", " * PVM's constants and error codes.", " *", ` * ${NOTICE}`, " */", ""];
  for (const [name, value] of constants) out.push(`export const ${name}: i32 = ${value};`);
  out.push("");
  for (const [name, { code, text }] of Object.entries(PVM_ERROR)) {
    out.push(`/** ${text}. */`, `export const ${name}: i32 = ${code};`);
  }
  out.push("");
  for (const [name, { tag, doc }] of Object.entries(SM))
    out.push(`/** ${doc}. */`, `export const ${name}: i32 = ${tag};`);
  out.push("", "// Trace events, as C's pvmtev.h has them.");
  for (const [name, value] of traceNumbers) out.push(`export const ${name}: i32 = ${value};`);
  return `${out.join("\n")}\n`;
}

function asImports(): string {
  const out = [
    "/**",
    " * PVM's routines as they are imported: C's names and signatures, a pointer is a `usize`.",
    " *",
    ` * ${NOTICE}`,
    " */",
    "",
  ];
  for (const [name, row] of rows) {
    const parameters = parametersOf(row.c)
      .map((p) => `${p.name}: ${p.type.endsWith("*") ? "usize" : "i32"}`)
      .join(", ");
    out.push(
      `/** ${name}(3PVM): ${row.doc}${row.route === "block" ? "; may block" : ""}. C: \`int ${name}(${row.c})\`. */`,
      "// @ts-ignore: decorator",
      `@external("pvm", "${name}")`,
      `export declare function ${name}(${parameters}): i32;`,
    );
  }
  return `${out.join("\n")}\n`;
}

function asRoutines(): string {
  const names = rows.map(([name]) => name).filter((name) => !FRIENDLY.includes(name));
  return [
    "/**",
    " * PVM's routines under their short names: `pvm.send` is pvm_send(3PVM), with C's parameters.",
    " *",
    ` * ${NOTICE}`,
    " */",
    "import {",
    ...names.map((name) => `  ${name},`),
    '} from "./imports";',
    "",
    "export {",
    ...names.map((name) => `  ${name} as ${name.slice(4)},`),
    "};",
    "",
  ].join("\n");
}

function routinesPage(): string {
  const out = [
    "# PVM routines, constants and errors",
    "",
    `<!-- ${NOTICE} -->`,
    "",
    "Every routine returns an `int`; a negative one is an error. *inline*: no call leaves the program; *call*: the",
    "engine answers at once; *block*: another ULP may run before it returns. [guest.md](guest.md) says how to use them,",
    "and what AssemblyScript's shorter forms are.",
    "",
    "| routine | | what it does |",
    "|---|---|---|",
  ];
  for (const [name, row] of rows) out.push(`| \`${name}(${row.c})\` | ${row.route} | ${row.doc} |`);
  out.push("", "C library, over the routines above:", "", "| routine | what it does |", "|---|---|");
  for (const [name, row] of Object.entries(PVM_LIBRARY)) {
    out.push(
      `| \`${row.result}${row.result.endsWith("*") ? "" : " "}${name}(${row.c})${endOf(row)}\` | ${row.doc} |`,
    );
  }
  for (const [name, { doc }] of Object.entries(PVM_OPERATOR))
    out.push(`| \`void ${name}(${OPERATOR_C})\` | operator of pvm_reduce: ${doc} |`);
  out.push("", "| error | code | text |", "|---|---|---|");
  for (const [name, { code, text }] of Object.entries(PVM_ERROR))
    out.push(`| \`${name}\` | ${code} | ${text} |`);
  out.push("", "| constant | value |", "|---|---|");
  for (const [name, value] of constants) out.push(`| \`${name}\` | ${value} |`);
  return `${out.join("\n")}\n`;
}

/** Path in the package → text. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ["guest/include/pvm3.h", cHeader()],
    ["guest/include/pvmproto.h", protocolHeader()],
    ["guest/include/pvmtev.h", traceHeader()],
    ["guest/constants.ts", asConstants()],
    ["guest/imports.ts", asImports()],
    ["guest/routines.ts", asRoutines()],
    ["docs/pvm-routines.md", routinesPage()],
    ["docs/pvm-interface.md", interfacePage(NOTICE)],
    ["docs/protocol.md", protocolPage()],
  ]);
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  for (const [path, text] of generatedFiles()) writeFileSync(new URL(path, root), text);
}
