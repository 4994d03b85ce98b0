/** A link listener that writes down what it hears, and waits for it. */
import type { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Message, RequestId } from '../../../daemon/protocol/message.ts';
import type { LinkListener } from '../../../daemon/upstreams/link.ts';

/** What one link said. */
export class Heard implements LinkListener {
  readonly messages: { readonly message: Message; readonly related: RequestId | undefined }[] = [];
  readonly faults: { readonly code: string; readonly error: SignalboxError; readonly id: RequestId | undefined }[] = [];
  readonly ends: SignalboxError[] = [];
  readonly #waiting = new Set<() => void>();

  message(message: Message, related?: RequestId): void {
    this.messages.push({ message, related });
    this.#changed();
  }
  fault(error: SignalboxError, id?: RequestId): void {
    this.faults.push({ code: error.code, error, id });
    this.#changed();
  }
  closed(error: SignalboxError): void {
    this.ends.push(error);
    this.#changed();
  }

  /** The answer to a request, as plain JSON. */
  async answer(id: RequestId): Promise<Message> {
    const find = (): Message | undefined => this.messages.find(({ message }) => !('method' in message) && message.id === id)?.message;
    await this.until(() => find() !== undefined || this.faults.some((fault) => fault.id === id));
    return JSON.parse(JSON.stringify(find() ?? this.faults.find((fault) => fault.id === id)?.error)) as Message;
  }

  /** Waits until something holds. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look();
  }
}
