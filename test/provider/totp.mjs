// Time-based one-time passwords as RFC 6238 says: HMAC-SHA-1, 30 seconds, six digits.
import { createHmac, timingSafeEqual } from 'node:crypto';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function fromBase32(text) {
  let bits = 0;
  let value = 0;
  const bytes = [];
  for (const letter of text.replace(/[\s=]/g, '').toUpperCase()) {
    const digit = alphabet.indexOf(letter);
    if (digit < 0) throw new Error('a TOTP secret must be base32');
    value = (value << 5) | digit;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >>> bits) & 255);
    }
  }
  return Buffer.from(bytes);
}

/** The code of a base32 secret at a moment in milliseconds. */
export function totp(secret, at = Date.now()) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac('sha1', fromBase32(secret)).update(counter).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** Whether a code is that of now or of one step before or after, for clocks that differ a little. */
export function accepts(secret, code, at = Date.now()) {
  const given = Buffer.from(String(code).replace(/\s/g, ''));
  return [0, -1, 1].some((step) => {
    const right = Buffer.from(totp(secret, at + step * 30_000));
    return right.length === given.length && timingSafeEqual(right, given);
  });
}
