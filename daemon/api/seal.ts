/** Seals state that travels through a client. Implemented by `daemon/security/key-ring.ts`. */
export interface Sealer {
  /** The value as an opaque, url-safe text nobody can read or change. */
  seal(value: object): string;
  /** What was sealed; undefined when it was not sealed by us, was changed, or its key is gone. */
  open<T extends object>(text: string): T | undefined;
  /** A signature of a text that nobody else can make; the same each time. base64url, 22 characters. */
  sign(text: string): string;
}
