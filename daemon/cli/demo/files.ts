/** The files of the demo workspace, and its OpenAPI file. */

/** Path below the folder → content. */
export const FILES: Readonly<Record<string, string>> = {
  'README.md': `# Merrow & Vale: a small railway

This folder is the demo workspace of Signalbox. Ask your assistant:

* Which trains from Dunmere Junction are late this morning? (database or API)
* What does the rule book say about a signal that shows no light? (files)
* Does the timetable of the notes agree with the database? (both)
`,
  'docs/rule-book.md': `# Rule book (excerpt)

## 4. Signals
4.1 A signal that shows no light, or an imperfect one, is taken as showing danger.
4.2 No train passes a signal at danger without the written authority of the signal box.
4.3 Every movement is entered in the train register before the lever is put back.

## 7. Single line between Kestrel Moor and Brackenhill
7.1 One train at a time; the driver carries the token.
7.2 A token that is missing is reported to Inverleigh Central at once.
`,
  'notes/2026-shift.md': `# Shift notes

- 06:40 points 14 at Dunmere Junction heated by hand, frost.
- 07:15 Moor Line: sheep near Kestrel Moor, drivers warned.
- 09:00 platform 3 at Calder Bridge closed until noon.
`,
  'data/rolling-stock.csv': `unit,type,seats,built,home
M12,diesel railcar,142,2004,Inverleigh Central
M14,diesel railcar,142,2005,Inverleigh Central
C03,electric unit,268,2018,Merrow Quay
C04,electric unit,268,2018,Merrow Quay
V21,battery unit,180,2024,Dunmere Junction
`,
};

/** The OpenAPI 3.1 document of the demo's API. */
export function openApi(port: number): string {
  const station = { type: 'object', properties: { code: { type: 'string' }, name: { type: 'string' }, platforms: { type: 'integer' } } };
  const json = (schema: unknown, description: string) => ({ 200: { description, content: { 'application/json': { schema } } } });
  const code = {
    name: 'code',
    in: 'path',
    required: true,
    description: 'Three letters, for example DUN.',
    schema: { type: 'string', pattern: '^[A-Z]{3}$' },
  };
  const document = {
    openapi: '3.1.0',
    info: { title: 'Merrow & Vale timetable', version: '1.0.0', description: 'The timetable of a small railway.' },
    servers: [{ url: `http://127.0.0.1:${port}/v1` }],
    paths: {
      '/stations': {
        get: {
          operationId: 'list_stations',
          summary: 'All stations',
          responses: json({ type: 'array', items: { $ref: '#/components/schemas/Station' } }, 'Stations'),
        },
      },
      '/stations/{code}': {
        get: {
          operationId: 'get_station',
          summary: 'One station',
          parameters: [code],
          responses: { ...json({ $ref: '#/components/schemas/Station' }, 'The station'), 404: { description: 'No such station' } },
        },
      },
      '/stations/{code}/departures': {
        get: {
          operationId: 'list_departures',
          summary: 'Departures of a station',
          parameters: [
            code,
            { name: 'after', in: 'query', description: 'HH:MM', schema: { type: 'string', pattern: '^[0-2][0-9]:[0-5][0-9]$' } },
            { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100, default: 10 } },
          ],
          responses: { ...json({ type: 'array', items: { type: 'object' } }, 'Departures'), 404: { description: 'No such station' } },
        },
      },
    },
    components: { schemas: { Station: station } },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
