/** The parts that record, built together: what is taken out, who writes, what there is. */
import { randomBytes } from 'node:crypto';
import type { Paths } from './api/paths.ts';
import type { SessionInfo, TapFilter } from './api/sessions.ts';
import type { StateStore } from './api/state.ts';
import type { ConfigStore } from './config/store.ts';
import type { SecretStore } from './security/secrets.ts';
import { Recorder } from './sessions/recording/recorder.ts';
import { RecordingStore } from './sessions/recording/recording-store.ts';
import { configuredSecrets } from './sessions/redaction/configured-secrets.ts';
import { CurrentRedactor } from './sessions/redaction/current-redactor.ts';
import type { TapHub } from './sessions/tap/hub.ts';
import { keptEvents } from './sessions/tap/kept.ts';

/** What takes secrets out of traffic in this daemon. Made anew when the configuration or the secrets change. */
export function trafficRedactor(parts: {
  readonly state: StateStore;
  readonly config: ConfigStore;
  readonly secrets: SecretStore;
  readonly controlToken: string;
}): CurrentRedactor {
  const { state, config, secrets, controlToken } = parts;
  const key = pseudonymKey(state);
  return new CurrentRedactor(() => ({
    key,
    secrets: [...new Set([...secrets.values(), ...configuredSecrets(config.endpoints().map(({ servers }) => servers)), controlToken])],
    rules: config.redaction(),
  }));
}

/** What recordings are made with. */
export interface RecordingRoomParts {
  readonly paths: Paths;
  readonly version: string;
  readonly tap: TapHub;
  readonly config: ConfigStore;
  readonly secrets: SecretStore;
  readonly redactor: CurrentRedactor;
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void;
  readonly hold: (reason: string) => () => void;
  readonly onChange: () => void;
}
/** Recordings of a daemon. */
export interface RecordingRoom {
  readonly recorder: Recorder;
  readonly store: RecordingStore;
  /** Ids of the recordings a session is being written to. */
  readonly recordingsOf: (session: SessionInfo) => readonly string[];
  /** Writes what is there and stops; the next daemon goes on. */
  close(): Promise<void>;
}

/** Builds the recorder and the store. */
export function recordingRoom(parts: RecordingRoomParts): RecordingRoom {
  const { paths, version, tap, config, secrets, redactor, log, hold, onChange } = parts;
  const recorder = new Recorder({
    folder: paths.recordingsDir,
    source: { listen: (filter, sink) => tap.listen(filter, sink), kept: (filter) => keptEvents(tap, filter) },
    redaction: () => redactor.options,
    writer: { name: 'signalbox', version },
    log,
    hold,
    onChange,
  });
  const refresh = (): void => {
    if (redactor.refresh()) recorder.redactionChanged();
  };
  const stops = [config.onChange(refresh), secrets.onChange(refresh)];
  const store = new RecordingStore(paths.recordingsDir, recorder, log);
  return {
    recorder,
    store,
    recordingsOf: (session) => recorder.idsFor((filter) => isWritten(session, filter)),
    close: async () => {
      for (const stop of stops) stop();
      await store.ready;
      await recorder.close();
    },
  };
}

/** Whether a recording with this filter has what passes between the session and the daemon, or some of it. */
function isWritten({ id, client, endpoint, workspace }: SessionInfo, filter: TapFilter): boolean {
  return (
    (filter.session === undefined || filter.session === id) &&
    (filter.client === undefined || filter.client === client) &&
    (filter.endpoint === undefined || filter.endpoint === endpoint) &&
    (filter.workspace === undefined || filter.workspace === workspace)
  );
}

/** 32 bytes, made once and kept in `keys` as `pseudonyms`: the same secret has the same placeholder in every recording, here and nowhere else. */
function pseudonymKey(state: StateStore): Uint8Array {
  const known = state.get<unknown>('keys', 'pseudonyms');
  const key = typeof known === 'string' ? Buffer.from(known, 'base64') : undefined;
  if (key?.length === 32) return Uint8Array.from(key);
  const made = randomBytes(32);
  state.set('keys', 'pseudonyms', made.toString('base64'));
  return Uint8Array.from(made);
}
