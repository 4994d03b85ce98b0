/** The part of the control channel about recordings: thin calls into the parts. */
import type { RecordingMethods } from '../api/recordings.ts';
import type { TapFilter, TrafficQuery } from '../api/sessions.ts';
import type { ControlHandlers } from '../endpoints/control-server.ts';
import { compareRecordings } from '../sessions/compare/compare-recordings.ts';
import { checkRules } from '../sessions/compare/rules.ts';
import { exportRecording } from '../sessions/formats/export.ts';
import { importRecording } from '../sessions/formats/import.ts';
import { recordingStatistics } from '../sessions/inspect/statistics.ts';
import type { Recorder } from '../sessions/recording/recorder.ts';
import type { RecordingStore } from '../sessions/recording/recording-store.ts';
import { showRecording } from '../sessions/recording/show.ts';
import type { CurrentRedactor } from '../sessions/redaction/current-redactor.ts';
import { endpointPath } from './endpoint-lookup.ts';

type Own =
  | 'record/start'
  | 'record/stop'
  | 'record/list'
  | 'record/show'
  | 'record/export'
  | 'record/import'
  | 'record/remove'
  | 'record/statistics'
  | 'record/compare';

/** What the handlers call. */
export interface RecordingControlParts {
  readonly recorder: Recorder;
  readonly store: RecordingStore;
  readonly redactor: CurrentRedactor;
  /** Id of a workspace by its folder or id. */
  readonly workspaceId: (workspace: string | undefined) => string | undefined;
  /** `Paths.recordingsDir`. */
  readonly folder: string;
  readonly version: string;
  /** Recordings were added or removed. */
  readonly onChange: () => void;
}

/** Builds the handlers of recordings; comparing and replaying are others'. */
export function recordingHandlers(parts: RecordingControlParts): Pick<ControlHandlers, keyof RecordingMethods> {
  const { recorder, store, redactor, folder, version, onChange } = parts;
  const filterOf = ({ session, client, endpoint, workspace, server }: TapFilter): TapFilter => {
    const id = parts.workspaceId(workspace);
    return {
      ...(session === undefined ? {} : { session }),
      ...(client === undefined ? {} : { client }),
      ...(endpoint === undefined ? {} : { endpoint: endpointPath(endpoint, id) }),
      ...(id === undefined ? {} : { workspace: id }),
      ...(server === undefined ? {} : { server }),
    };
  };
  return {
    'record/start': async ({ name, ring, ...filter }) => {
      await store.ready;
      return recorder.start({
        filter: filterOf(filter),
        ...(name === undefined ? {} : { name }),
        ...(ring === undefined ? {} : { ring }),
      });
    },
    'record/stop': async ({ recording }) => recorder.stop(await store.liveId(recording)),
    'record/list': async ({ folder: workspace }) => ({ recordings: await store.list(workspace) }),
    'record/show': async ({ recording, ...query }) => {
      const reader = await store.open(recording);
      const asked: TrafficQuery = { ...query, ...filterOf(query) };
      return { info: await reader.info(), ...(await showRecording(reader, asked)) };
    },
    'record/statistics': async ({ recording, server }) => {
      const reader = await store.open(recording);
      return recordingStatistics(reader.lines(), (line) => reader.message(line), { server });
    },
    'record/compare': async ({ recording, with: other, rules, server }) =>
      compareRecordings({
        before: await store.open(recording),
        after: await store.open(other),
        names: [recording, other],
        ...(rules === undefined ? {} : { rules: checkRules(rules, 'the request') }),
        ...(server === undefined ? {} : { server }),
      }),
    'record/export': async ({ recording, to, format }) =>
      exportRecording(await store.open(recording), {
        redactor,
        version,
        ...(to === undefined ? {} : { to }),
        ...(format === undefined ? {} : { format }),
      }),
    'record/import': async ({ file, format, name }) => {
      await store.ready;
      const info = await importRecording(file, {
        folder,
        version,
        redaction: redactor.options,
        ...(format === undefined ? {} : { format }),
        ...(name === undefined ? {} : { name }),
      });
      onChange();
      return info;
    },
    'record/remove': async ({ recording }) => {
      const removed = await store.remove(recording);
      if (removed) onChange();
      return { removed };
    },
  } satisfies Pick<ControlHandlers, Own> as unknown as Pick<ControlHandlers, keyof RecordingMethods>;
}
