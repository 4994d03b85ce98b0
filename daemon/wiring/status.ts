/** Which clients are on this machine and which of them are wired, seen from their files. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { isAbsolute, join, posix, win32 } from 'node:path';
import { type ErrorShape, errorShape } from '../api/errors.ts';
import type { WirableClient } from './client.ts';
import { wiringOf } from './entry-wiring.ts';
import type { Scope, WiringEnvironment } from './wiring.ts';

/** One client in one scope. */
export interface ScopeStatus {
  readonly scope: Scope;
  readonly file: string;
  readonly wired: boolean;
  /** Why its file cannot be used. */
  readonly problem?: ErrorShape;
}
/** One client. */
export interface ClientStatus {
  readonly name: string;
  readonly title: string;
  /** Its program is on PATH, or its settings are there. */
  readonly installed: boolean;
  readonly scopes: readonly ScopeStatus[];
}

/** Looks at every scope of a client; changes nothing. */
export function clientStatus(client: WirableClient, environment: WiringEnvironment): ClientStatus {
  const places = client.scopes.map((scope) => JSON.stringify(client.place(scope, environment)));
  // In the home folder the project's file of several clients is the user's: that is one place, not two.
  const isOwnPlace = (_scope: Scope, index: number): boolean => places.indexOf(places[index] ?? '') === index;
  return {
    name: client.name,
    title: client.title,
    installed: isInstalled(client, environment),
    scopes: client.scopes.filter(isOwnPlace).map((scope) => {
      const { file } = client.place(scope, environment);
      try {
        return { scope, file, wired: wiringOf(client, scope, environment).current() !== undefined };
      } catch (error) {
        return { scope, file, wired: false, problem: errorShape(error) };
      }
    }),
  };
}

function isInstalled({ program, traces }: WirableClient, environment: WiringEnvironment): boolean {
  return traces(environment).some((path) => existsSync(path)) || (program !== undefined && isOnPath(program, environment));
}

function isOnPath(program: string, { env, platform }: WiringEnvironment): boolean {
  const windows = platform === 'win32';
  const names = windows ? ['.exe', '.cmd', '.bat'].map((ending) => program + ending) : [program];
  return (env['PATH'] ?? env['Path'] ?? '')
    .split((windows ? win32 : posix).delimiter)
    .filter(isAbsolute)
    .some((folder) => names.some((name) => isProgram(join(folder, name))));
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
