/** Writes the demo's SQLite database. */
import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { DEPARTURES, LINES, STATIONS } from './timetable.ts';

const SCHEMA = `
CREATE TABLE stations (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, name TEXT NOT NULL, platforms INTEGER NOT NULL);
CREATE TABLE lines (id INTEGER PRIMARY KEY, name TEXT NOT NULL, operator TEXT NOT NULL);
CREATE TABLE calls (line_id INTEGER NOT NULL REFERENCES lines(id), position INTEGER NOT NULL, station_id INTEGER NOT NULL REFERENCES stations(id),
  PRIMARY KEY (line_id, position));
CREATE TABLE departures (id INTEGER PRIMARY KEY, train TEXT NOT NULL, line_id INTEGER NOT NULL REFERENCES lines(id),
  station_id INTEGER NOT NULL REFERENCES stations(id), destination_id INTEGER NOT NULL REFERENCES stations(id),
  time TEXT NOT NULL, platform INTEGER NOT NULL, delay_minutes INTEGER NOT NULL DEFAULT 0);
CREATE INDEX departures_by_station ON departures (station_id, time);
CREATE VIEW late_trains AS SELECT d.time, d.train, s.name AS station, d.delay_minutes FROM departures d JOIN stations s ON s.id = d.station_id
  WHERE d.delay_minutes > 0 ORDER BY d.time;
`;

/** Creates the database at `file`, replacing an older one. */
export function writeDemoDatabase(file: string): void {
  rmSync(file, { force: true });
  const database = new DatabaseSync(file);
  try {
    database.exec(`BEGIN; ${SCHEMA}`);
    const stationId = (code: string): number => STATIONS.find((each) => each.code === code)?.id ?? 0;
    const station = database.prepare('INSERT INTO stations VALUES (?, ?, ?, ?)');
    for (const each of STATIONS) station.run(each.id, each.code, each.name, each.platforms);
    const line = database.prepare('INSERT INTO lines VALUES (?, ?, ?)');
    const call = database.prepare('INSERT INTO calls VALUES (?, ?, ?)');
    for (const each of LINES) {
      line.run(each.id, each.name, each.operator);
      for (const [index, code] of each.calls.entries()) call.run(each.id, index + 1, stationId(code));
    }
    const departure = database.prepare('INSERT INTO departures VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    for (const each of DEPARTURES) {
      departure.run(
        each.id,
        each.train,
        each.line,
        stationId(each.station),
        stationId(each.destination),
        each.time,
        each.platform,
        each.delay,
      );
    }
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}
