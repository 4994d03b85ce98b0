/** Where Signalbox keeps things. Pure: the environment is a parameter. */
import { posix, win32 } from 'node:path';

/** The folders and files one user's Signalbox lives in. */
export interface Paths {
  /** Folder of `config.jsonc`. */
  readonly configDir: string;
  /** The user's configuration file. */
  readonly configFile: string;
  /** 0700 folder of everything the daemon writes. */
  readonly stateDir: string;
  /** Locked for life by the one daemon. */
  readonly ownerDb: string;
  /** 0600: what the daemon remembers over a restart. */
  readonly stateDb: string;
  /** 0600: {@link RuntimeFile} as JSON. */
  readonly runtimeFile: string;
  /** Remembered port and such. */
  readonly settingsFile: string;
  /** 0600 secret store. */
  readonly secretsFile: string;
  /** Hashed client tokens. */
  readonly tokensFile: string;
  /** One 0600 file per client × endpoint, holding the plain token. */
  readonly clientsDir: string;
  /** Workspace trust records. */
  readonly trustFile: string;
  /** Pids of children, for the reaper. */
  readonly childrenDir: string;
  /** The daemon's log. */
  readonly logFile: string;
  /** Audit lines of plugins. */
  readonly auditFile: string;
  /** 0700 folder of recordings, one folder each. */
  readonly recordingsDir: string;
  /** The launcher wired into clients: `signalbox` (`signalbox.cmd` on Windows). */
  readonly launcher: string;
  /** Backups and undo records of wiring. */
  readonly wiringDir: string;
}

/** What the paths depend on. */
export interface PathEnvironment {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Computes every path. `SIGNALBOX_STATE_DIR` and `SIGNALBOX_CONFIG_DIR` win; then XDG on POSIX, `LOCALAPPDATA`/`APPDATA` on Windows.
 */
export function signalboxPaths({ platform, home, env }: PathEnvironment): Paths {
  const windows = platform === 'win32';
  const { join } = windows ? win32 : posix;
  const configDir =
    env['SIGNALBOX_CONFIG_DIR'] ??
    (windows
      ? join(env['APPDATA'] ?? join(home, 'AppData', 'Roaming'), 'signalbox')
      : join(env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'signalbox'));
  const stateDir =
    env['SIGNALBOX_STATE_DIR'] ??
    (windows
      ? join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'signalbox')
      : join(env['XDG_STATE_HOME'] ?? join(home, '.local', 'state'), 'signalbox'));
  const state = (...names: string[]): string => join(stateDir, ...names);
  return {
    configDir,
    configFile: join(configDir, 'config.jsonc'),
    stateDir,
    ownerDb: state('owner.db'),
    stateDb: state('state.db'),
    runtimeFile: state('runtime.json'),
    settingsFile: state('daemon.json'),
    secretsFile: state('secrets.json'),
    tokensFile: state('tokens.json'),
    clientsDir: state('clients'),
    trustFile: state('trust.json'),
    childrenDir: state('children'),
    logFile: state('daemon.log'),
    auditFile: state('audit.jsonl'),
    recordingsDir: state('recordings'),
    launcher: state('bin', windows ? 'signalbox.cmd' : 'signalbox'),
    wiringDir: state('wiring'),
  };
}
