/** What the parts of the Test Explorer know of each other. */
import type * as VSCode from 'vscode';
import type { Finding, PropertyInfo } from '../../daemon/api/conformance.ts';
import type { ServerStatus } from '../../daemon/api/control.ts';
import type { DaemonConnection } from '../daemon/connection.ts';
import type { Log } from '../log.ts';
import type { TrafficDocuments } from '../traffic/documents.ts';
import type { ServerPlace } from './place.ts';

/** What the controller works with. */
export interface TestingParts {
  readonly vscode: typeof VSCode;
  readonly daemon: DaemonConnection;
  readonly log: Log;
  readonly documents: TrafficDocuments;
}

/** A finding with what a command needs to do something with it. */
export interface KnownFinding {
  readonly finding: Finding;
  /** Folder below which it is stored. */
  readonly folder: string;
  readonly item: VSCode.TestItem;
}

/** The items, as a run sees them. */
export interface TestItems {
  /** The last run that ended, for reports. */
  last: { readonly run: string; readonly server: string } | undefined;
  /** The server an item stands for or is below. */
  serverOf(item: VSCode.TestItem): { readonly item: VSCode.TestItem; readonly server: ServerStatus } | undefined;
  /** The property items an item stands for, made if they are not there yet. */
  propertiesOf(item: VSCode.TestItem): Promise<readonly (readonly [VSCode.TestItem, PropertyInfo])[]>;
  /** Where the server is written. */
  placeOf(server: ServerStatus): Promise<ServerPlace | undefined>;
  /** Folder the server's cases are stored below, if there is one. */
  folderOf(server: ServerStatus): string | undefined;
  /** Keeps a finding for the commands of its message. */
  keep(known: KnownFinding): void;
  /** Remembers whether a property is broken, so that it runs first next time. */
  mark(server: VSCode.TestItem, property: string, broken: boolean): void;
  /** Whether it was broken the last time. */
  isFailing(server: VSCode.TestItem, property: string): boolean;
}
