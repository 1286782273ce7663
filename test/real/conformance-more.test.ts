/** The second half of the conformance suite (test/conformance/cases.ts): each file is a process, and two run at once. */
import { test } from "uvu";
import { testCases } from "../conformance/cases.ts";
import { PROGRAMS } from "../conformance/suite.ts";

testCases(PROGRAMS.slice(PROGRAMS.length / 2));

test.run();
