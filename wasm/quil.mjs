// The module for JavaScript: packs requests, calls, unpacks results. Bytes are Uint8Array; amounts, fees and frame
// numbers are BigInt. Everything throws QuilError when a request is refused.

const CALL = {
  walletPhrase: 1, accountAddress: 2, accountSign: 3, accountVerify: 4, blsPublicKey: 5, blsSign: 6, blsVerify: 7,
  genesisHash: 8, proofVerify: 9, coinsScan: 10, transferBuild: 11,
};
/** Codes of refusals that say "not valid" instead of "not understood": signature, BLS signature, proof. */
const NOT_VALID = new Set([6, 9, 13]);

/** A refused request. `code` is the number of the reason, see `CallError`; 0 when the module itself stopped. */
export class QuilError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'QuilError';
    this.code = code;
  }
}

/** Fresh randomness for one call. */
export const randomBytes = () => globalThis.crypto.getRandomValues(new Uint8Array(64));

/** Loads the module from its bytes or from a compiled WebAssembly.Module. */
export async function load(source) {
  const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
  return new Quil(module, await WebAssembly.instantiate(module));
}

export class Quil {
  #module;
  #exports;

  constructor(module, instance) {
    this.#module = module;
    this.#exports = instance.exports;
  }

  /** A new recovery phrase of 24 words. */
  walletPhrase(random = randomBytes()) {
    return text(this.#call(CALL.walletPhrase, [fixed(random, 64)]));
  }

  /** Text of the address of account `index`. */
  accountAddress({ phrase, index = 0 }) {
    return text(this.#call(CALL.accountAddress, account(phrase, index)));
  }

  /** Signs a message with the account's spend key. */
  accountSign({ phrase, index = 0, message, random = randomBytes() }) {
    return this.#call(CALL.accountSign, [fixed(random, 64), ...account(phrase, index), bytes(message)]);
  }

  /** Whether the account at this address signed the message. */
  accountVerify({ address, message, signature }) {
    return this.#holds(CALL.accountVerify, [bytes(utf8(address)), bytes(message), fixed(signature, 112)]);
  }

  /** Public key of the secret that is derived from at least 32 bytes of seed. */
  blsPublicKey({ seed, info }) {
    return this.#call(CALL.blsPublicKey, [bytes(seed), bytes(info)]);
  }

  blsSign({ seed, info, message }) {
    return this.#call(CALL.blsSign, [bytes(seed), bytes(info), bytes(message)]);
  }

  blsVerify({ publicKey, message, signature }) {
    return this.#holds(CALL.blsVerify, [fixed(publicKey, 585), bytes(message), fixed(signature, 74)]);
  }

  /** Hash of a genesis document: compare it with the one you trust before you use the document. */
  genesisHash(genesis) {
    return this.#call(CALL.genesisHash, [bytes(genesis)]);
  }

  /** Whether the trie with this trusted root stores `value` at `key`; with `value` null, whether it stores nothing. */
  proofVerify({ genesis, root, addr, phase, key, value, proof }) {
    const said = value === null ? [integer(0, 1)] : [integer(1, 1), bytes(value)];
    return this.#holds(CALL.proofVerify, [
      bytes(genesis), fixed(root, 64), fixed(addr, 32), integer(phase, 1), fixed(key, 64), ...said, bytes(proof),
    ]);
  }

  /** Which of these coin records belong to the account. */
  coinsScan({ genesis, phrase, index = 0, home, records }) {
    const packed = [bytes(genesis), ...account(phrase, index), fixed(home, 2), ...sequence(records, (r) => [raw(r)])];
    const read = new Reader(this.#call(CALL.coinsScan, packed));
    return read.sequence(() => ({
      position: Number(read.integer(4)), id: read.fixed(32), amount: read.integer(8), nullifier: read.fixed(32),
    }));
  }

  /** Builds, proves and checks a transfer. `coins` are records of unspent coins, `payments` are `{ to, amount }`. */
  transferBuild(t) {
    const read = new Reader(this.#call(CALL.transferBuild, [
      fixed(t.random ?? randomBytes(), 64), bytes(t.genesis), ...account(t.phrase, t.index ?? 0), fixed(t.home, 2),
      integer(t.now, 8), integer(t.version, 2), integer(t.multiplier, 8), integer(t.tip ?? 0n, 8),
      ...sequence(t.coins, (c) => [raw(c)]),
      ...sequence(t.payments, (p) => [bytes(utf8(p.to)), integer(p.amount, 8)]),
    ]));
    return {
      tx: read.fixed(32), fee: read.integer(8), change: read.integer(8), spent: read.sequence(() => read.fixed(32)),
      bundle: read.fixed(Number(read.integer(4))),
    };
  }

  #holds(call, parts) {
    try {
      this.#call(call, parts);
      return true;
    } catch (error) {
      if (error instanceof QuilError && NOT_VALID.has(error.code)) return false;
      throw error;
    }
  }

  #call(call, parts) {
    const { memory, quil_input, quil_call, quil_output, quil_output_bytes, quil_clear } = this.#exports;
    try {
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      let at = quil_input(length) >>> 0;
      if (at === 0) throw new QuilError(2, 'request: too large');
      for (const part of parts) {
        new Uint8Array(memory.buffer, at, part.length).set(part);
        at += part.length;
      }
      const status = quil_call(call) >>> 0;
      // A copy: the memory may move and is erased below.
      const output = new Uint8Array(memory.buffer, quil_output() >>> 0, quil_output_bytes() >>> 0).slice();
      quil_clear();
      if (status !== 0) throw new QuilError(status, text(output));
      return output;
    } catch (error) {
      if (error instanceof QuilError) throw error;
      // Out of memory or a fault: the instance is not to be trusted any more, the next call starts with a new one.
      this.#exports = new WebAssembly.Instance(this.#module).exports;
      throw new QuilError(0, `the module stopped: ${error.message}`);
    }
  }
}

const utf8 = (string) => new TextEncoder().encode(string);
const text = (data) => new TextDecoder('utf-8', { fatal: true }).decode(data);

function raw(data) {
  if (!(data instanceof Uint8Array)) throw new TypeError('bytes must be a Uint8Array');
  return data;
}

function fixed(data, length) {
  if (raw(data).length !== length) throw new TypeError(`${length} bytes expected, not ${data.length}`);
  return data;
}

/** Little-endian. */
function integer(value, width) {
  let rest = BigInt(value);
  if (rest < 0n || rest >> BigInt(8 * width) !== 0n) throw new RangeError(`${value} does not fit ${width} bytes`);
  return Uint8Array.from({ length: width }, () => {
    const byte = Number(rest & 255n);
    rest >>= 8n;
    return byte;
  });
}

function bytes(data) {
  const packed = new Uint8Array(4 + raw(data).length);
  packed.set(integer(data.length, 4));
  packed.set(data, 4);
  return packed;
}

const sequence = (items, pack) => [integer(items.length, 4), ...items.flatMap(pack)];
const account = (phrase, index) => [bytes(utf8(phrase)), integer(index, 4)];

class Reader {
  #data;
  #at = 0;

  constructor(data) {
    this.#data = data;
  }

  fixed(length) {
    this.#at += length;
    return this.#data.slice(this.#at - length, this.#at);
  }

  integer(width) {
    return this.fixed(width).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  }

  sequence(read) {
    return Array.from({ length: Number(this.integer(4)) }, read);
  }
}
