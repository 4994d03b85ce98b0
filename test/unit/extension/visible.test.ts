import assert from 'node:assert/strict';
import { it } from 'node:test';
import { visibleEndpoints } from '../../../extension/endpoints/visible.ts';
import { exampleStatus } from './daemon-double.ts';

it('shows the endpoints of the open folder and the user, never those of another folder', () => {
  const endpoint = (name: string, workspace?: string) => ({
    name,
    url: `http://127.0.0.1/${workspace}/${name}`,
    servers: [],
    ...(workspace && { workspace }),
  });
  const status = {
    ...exampleStatus(1),
    endpoints: [endpoint('default'), endpoint('team'), endpoint('default', 'mine-1'), endpoint('default', 'other-2')],
    workspaces: [
      { folder: '/mine', id: 'mine-1', trust: 'none' as const },
      { folder: '/other', id: 'other-2', trust: 'none' as const },
    ],
  };
  const shown = (folders: string[]) => visibleEndpoints(status, folders).map(({ name, workspace }) => `${workspace ?? 'user'}/${name}`);
  assert.deepEqual(shown(['/mine']), ['mine-1/default', 'user/team']);
  assert.deepEqual(shown([]), ['user/default', 'user/team']);
  assert.deepEqual(visibleEndpoints(undefined, ['/mine']), []);
});
