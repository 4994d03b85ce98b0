/** The reporters by name. */
import { htmlReport } from './html.ts';
import { junitReport } from './junit.ts';
import { prettyReport } from './pretty.ts';
import type { Report } from './report.ts';
import { sarifReport } from './sarif.ts';

/** What writes a report. */
export const REPORTERS: Readonly<Record<string, (report: Report) => string>> = {
  pretty: prettyReport,
  json: (report) => `${JSON.stringify(report, null, 2)}\n`,
  junit: junitReport,
  sarif: sarifReport,
  html: htmlReport,
};
