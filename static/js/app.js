// Conveniences only: every page works without this file.
import { startKeys } from "./keys.js";
import { startTheme } from "./theme.js";
import { startTimes } from "./times.js";
import { startToasts } from "./toasts.js";
import { startList } from "./list.js";
import { startLead } from "./lead.js";
import { startLab } from "./lab.js";
import { startCopy } from "./copy.js";

startTheme();
startTimes();
startToasts();
startKeys();
startList();
startLead();
startLab();
startCopy();
