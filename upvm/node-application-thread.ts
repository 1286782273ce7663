/** The own thread of an application process: node-application.ts starts it. Owns: nothing. */
import { parentPort, workerData } from "node:worker_threads";
import { applicationThread, type ThreadSetup } from "./node-application.ts";

if (parentPort !== null) await applicationThread(workerData as ThreadSetup, parentPort);
