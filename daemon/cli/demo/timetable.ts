/** The data of the demo: one small railway, computed, so that it is the same everywhere. */

/** A station. */
export interface Station {
  readonly id: number;
  readonly code: string;
  readonly name: string;
  readonly platforms: number;
}
/** A line and the stations it calls at, in order. */
export interface Line {
  readonly id: number;
  readonly name: string;
  readonly operator: string;
  readonly calls: readonly string[];
}
/** One train leaving one station. */
export interface Departure {
  readonly id: number;
  readonly train: string;
  readonly line: number;
  readonly station: string;
  readonly destination: string;
  /** HH:MM, local. */
  readonly time: string;
  readonly platform: number;
  /** Minutes late. */
  readonly delay: number;
}

const NAMES: readonly (readonly [string, string, number])[] = [
  ['ASH', 'Ashford Vale', 4],
  ['BRK', 'Brackenhill', 2],
  ['CAL', 'Calder Bridge', 3],
  ['DUN', 'Dunmere Junction', 6],
  ['ELM', 'Elmstow', 2],
  ['FOX', 'Foxcombe Road', 2],
  ['GRA', 'Grayling Harbour', 5],
  ['HOL', 'Hollin Cross', 2],
  ['INV', 'Inverleigh Central', 8],
  ['KES', 'Kestrel Moor', 1],
  ['LAN', 'Langwater', 3],
  ['MER', 'Merrow Quay', 4],
];

/** All stations. */
export const STATIONS: readonly Station[] = NAMES.map(([code, name, platforms], index) => ({ id: index + 1, code, name, platforms }));

/** All lines. */
export const LINES: readonly Line[] = [
  { id: 1, name: 'Coast Line', operator: 'Merrow & Coast', calls: ['INV', 'LAN', 'DUN', 'GRA', 'MER'] },
  { id: 2, name: 'Moor Line', operator: 'Northern Vale Railway', calls: ['INV', 'HOL', 'KES', 'BRK', 'DUN'] },
  { id: 3, name: 'Vale Line', operator: 'Northern Vale Railway', calls: ['DUN', 'CAL', 'ELM', 'FOX', 'ASH'] },
];

const MINUTES_BETWEEN_STATIONS = 11;
const FIRST_TRAIN = 6 * 60;

/** Every departure of one day: 14 trains a line, leaving four stations each: 168 rows. */
export const DEPARTURES: readonly Departure[] = LINES.flatMap((line) =>
  Array.from({ length: 14 }, (_, run) => {
    const start = FIRST_TRAIN + run * 70 + line.id * 7;
    // A fixed pattern of delays: most trains are on time.
    const delay = (run * 7 + line.id * 5) % 11 > 8 ? ((run * 3) % 13) + 2 : 0;
    const destination = line.calls.at(-1) ?? '';
    return line.calls.slice(0, -1).map((station, call) => ({
      train: `${line.name.charAt(0)}${100 + run}`,
      line: line.id,
      station,
      destination,
      time: clock(start + call * MINUTES_BETWEEN_STATIONS),
      platform: 1 + ((run + call) % (STATIONS.find((each) => each.code === station)?.platforms ?? 1)),
      delay,
    }));
  }).flat(),
).map((departure, index) => ({ id: index + 1, ...departure }));

function clock(minutes: number): string {
  return `${String(Math.floor(minutes / 60) % 24).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}
