import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { askPerson } from '../../../../extension/call/questions.ts';
import { type Answer, editorDouble } from '../editor-double.ts';

const FORM = {
  message: 'Who?',
  requestedSchema: {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string' }, quiet: { type: 'boolean', default: true } },
  },
};
const ask = (answers: Answer[], params: Record<string, unknown>) => {
  const double = editorDouble(answers);
  return askPerson(double.vscode, 'train__book', params, new AbortController().signal).then((answer) => ({ answer, ...double }));
};

describe('what a tool asks', () => {
  it('is answered in a form that begins with the defaults', async () => {
    const { answer, shown } = await ask(['name', 'Ada', 'Send Answer'], FORM);
    assert.deepEqual(answer, { action: 'accept', content: { name: 'Ada', quiet: true } });
    assert.equal(shown[0]?.title, 'train__book asks');
  });
  it('is declined by the button and cancelled by Escape', async () => {
    assert.deepEqual((await ask([{ button: 'Decline' }], FORM)).answer, { action: 'decline' });
    assert.deepEqual((await ask([undefined], FORM)).answer, { action: 'cancel' });
  });
  it('opens a page only after its whole address was shown, and none but http', async () => {
    const { answer, messages } = await ask(['Open Page'], { mode: 'url', message: 'Pay', url: 'https://pay.example.com/x' });
    assert.deepEqual(answer, { action: 'accept' });
    assert.match(messages[0] ?? '', /https:\/\/pay\.example\.com\/x/);
    assert.deepEqual((await ask(['Open Page'], { message: 'Pay', url: 'file:///etc/passwd' })).answer, { action: 'decline' });
    assert.deepEqual((await ask([], { message: 'Pay', url: 'https://a.b' })).answer, { action: 'cancel' });
  });
});
