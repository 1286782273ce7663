/**
 * Writes docs/pvm-interface.md: what differs from PVM 3.4.6, and every routine of its headers with its status.
 *
 * Owns: the form of the page. The routines are in wire/pvm.ts, the differences in test/conformance/differences.ts.
 */
import { DIFFERENCES, MEANINGS } from "../test/conformance/differences.ts";
import { OPERATOR_C, PVM_LIBRARY, PVM_OPERATOR, PVM_ROUTINE } from "../wire/pvm.ts";
import { PVM_DECLARED } from "./pvm-declared.ts";

interface Known {
  readonly declaration: string;
  readonly doc: string;
}

/** Everything that upvm declares, by name. */
function known(): ReadonlyMap<string, Known> {
  const found = new Map<string, Known>();
  for (const [name, { c, doc }] of Object.entries(PVM_ROUTINE))
    found.set(name, { declaration: `int ${name}(${c})`, doc });
  for (const [name, { result, c, doc }] of Object.entries(PVM_LIBRARY)) {
    const space = result.endsWith("*") ? "" : " ";
    found.set(name, { declaration: `${result}${space}${name}(${c})`, doc });
  }
  for (const [name, { doc }] of Object.entries(PVM_OPERATOR))
    found.set(name, { declaration: `void ${name}(${OPERATOR_C})`, doc });
  return found;
}

/** A cell of a table: nothing in it ends the cell. */
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", "<br>");

function differences(): string[] {
  const out = ["| under PVM 3.4.6 | under upvm | why |", "|---|---|---|"];
  for (const { pvm, upvm, why } of MEANINGS) out.push(`| ${cell(pvm)} | ${cell(upvm)} | ${cell(why)} |`);
  return out;
}

/** The lines of the suite that differ, one row for each reason. */
function lines(): string[] {
  const out = ["| case | under PVM 3.4.6 | under upvm | why |", "|---|---|---|---|"];
  for (const { program, case: name, pvm, upvm, why } of DIFFERENCES) {
    const code = (text: string): string =>
      text === ""
        ? "nothing"
        : text
            .split("\n")
            .map((line) => `\`${line}\``)
            .join("\n");
    out.push(`| ${program} ${name} | ${cell(code(pvm))} | ${cell(code(upvm))} | ${cell(why)} |`);
  }
  return out;
}

export function interfacePage(notice: string): string {
  const all = known();
  const declared = Object.values(PVM_DECLARED).flat();
  const missing = declared.filter((name) => !all.has(name));
  const out = [
    "# PVM 3.4.6 and upvm",
    "",
    `<!-- ${notice} -->`,
    "",
    `PVM 3.4.6's \`pvm3.h\` and \`pvmtev.h\` declare ${declared.length} routines. upvm has ${declared.length - missing.length} of them,`,
    "with PVM's names, parameters and error codes; AssemblyScript's forms, and why three routines have none, are in",
    "[guest.md](guest.md). The suite in",
    "`test/conformance/` runs the same C programs under both and compares what they print.",
    "",
    "## What differs",
    "",
    ...differences(),
    "",
    "## Every routine",
  ];
  for (const [subject, names] of Object.entries(PVM_DECLARED)) {
    out.push("", `### ${subject}`, "", "| routine | status | what it does |", "|---|---|---|");
    for (const name of names) {
      const row = all.get(name);
      const own = DIFFERENCES.some((each) => each.case === name || each.pvm.includes(`${name}(`));
      const status = row === undefined ? "missing" : own ? "differs, see the lines below" : "as in PVM";
      out.push(`| \`${cell(row?.declaration ?? name)}\` | ${status} | ${cell(row?.doc ?? "")} |`);
    }
  }
  const more = [...all.keys()].filter((name) => !declared.includes(name));
  out.push("", "## upvm's own", "", "Routines that PVM does not have; most are what others are made of.", "");
  out.push("| routine | what it does |", "|---|---|");
  for (const name of more)
    out.push(`| \`${cell(all.get(name)!.declaration)}\` | ${cell(all.get(name)!.doc)} |`);
  out.push("", "## Lines of the conformance suite that differ", "", ...lines());
  return `${out.join("\n")}\n`;
}
