// node --test wasm/test.mjs, with the module's path in QUIL_WASM: holds it against what the host computes.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { load, QuilError } from './quil.mjs';

globalThis.crypto ??= webcrypto;

const vectors = JSON.parse(await readFile(new URL('tests/vectors.json', import.meta.url)));
const module = await WebAssembly.compile(await readFile(process.env.QUIL_WASM));
const quil = await load(module);

const hex = (string) => Uint8Array.from(Buffer.from(string, 'hex'));
const text = (data) => Buffer.from(data).toString('hex');
const genesis = hex(vectors.genesis);
const refused = (code) => (error) => error instanceof QuilError && error.code === code && error.message.length > 0;
const bent = (data, at) => data.map((byte, i) => (i === at ? byte ^ 1 : byte));

test('the module asks nothing of its host', () => {
  assert.deepEqual(WebAssembly.Module.imports(module), []);
});

test('wallet and account are those of the host', () => {
  const { random, phrase, index, address } = vectors.keys;
  assert.equal(quil.walletPhrase(hex(random)), phrase);
  assert.equal(quil.accountAddress({ phrase, index }), address);
  assert.notEqual(quil.accountAddress({ phrase, index: 1 }), address);
  assert.notEqual(quil.walletPhrase(), quil.walletPhrase(), 'the default is random');
  assert.throws(() => quil.accountAddress({ phrase: 'no words' }), refused(4));
});

test('an account signature is that of the host and belongs to one message and account', () => {
  const { random, phrase, address, message, signature } = vectors.keys;
  const made = quil.accountSign({ phrase, message: hex(message), random: hex(random) });
  assert.equal(text(made), signature);
  assert.equal(quil.accountVerify({ address, message: hex(message), signature: made }), true);
  const fresh = quil.accountSign({ phrase, message: hex(message) });
  assert.notEqual(text(fresh), signature);
  assert.equal(quil.accountVerify({ address, message: hex(message), signature: fresh }), true);
  assert.equal(quil.accountVerify({ address, message: hex('00'), signature: made }), false);
  const other = quil.accountAddress({ phrase, index: 1 });
  assert.equal(quil.accountVerify({ address: other, message: hex(message), signature: made }), false);
  assert.equal(quil.accountVerify({ address, message: hex(message), signature: bent(made, 60) }), false);
  assert.throws(() => quil.accountVerify({ address: 'qacc1', message: hex(message), signature: made }), refused(5));
});

test('a BLS signature is that of the host and belongs to one message', () => {
  const { seed, info, message, signature } = vectors.bls;
  const publicKey = quil.blsPublicKey({ seed: hex(seed), info: hex(info) });
  assert.equal(text(publicKey), vectors.bls.public);
  const made = quil.blsSign({ seed: hex(seed), info: hex(info), message: hex(message) });
  assert.equal(text(made), signature);
  assert.equal(quil.blsVerify({ publicKey, message: hex(message), signature: made }), true);
  assert.equal(quil.blsVerify({ publicKey, message: hex('00'), signature: made }), false);
  assert.throws(() => quil.blsVerify({ publicKey, message: hex(''), signature: new Uint8Array(74).fill(9) }), refused(8));
  assert.throws(() => quil.blsPublicKey({ seed: new Uint8Array(31), info: hex('') }), refused(7));
});

test('a proof about the state shows its claim and nothing else', () => {
  const { root, addr, phase, key, value, proof, absent_key, absent_proof } = vectors.state;
  assert.equal(text(quil.genesisHash(genesis)), vectors.genesis_hash);
  const claim = { genesis, root: hex(root), addr: hex(addr), phase, key: hex(key), value: hex(value), proof: hex(proof) };
  assert.equal(quil.proofVerify(claim), true);
  assert.equal(quil.proofVerify({ ...claim, key: hex(absent_key), value: null, proof: hex(absent_proof) }), true);
  assert.equal(quil.proofVerify({ ...claim, value: null }), false);
  assert.equal(quil.proofVerify({ ...claim, value: bent(claim.value, 0) }), false);
  assert.equal(quil.proofVerify({ ...claim, root: bent(claim.root, 0) }), false);
  // The last byte belongs to the opening.
  assert.equal(quil.proofVerify({ ...claim, proof: bent(claim.proof, claim.proof.length - 1) }), false);
  assert.throws(() => quil.proofVerify({ ...claim, proof: claim.proof.slice(1) }), QuilError);
  assert.throws(() => quil.proofVerify({ ...claim, genesis: genesis.slice(1) }), refused(10));
  const forged = bent(genesis, Buffer.from(genesis).indexOf('QSRS1') + 200);
  assert.throws(() => quil.proofVerify({ ...claim, genesis: forged }), refused(11));
});

test('an account finds its own coins', () => {
  const { home, records, found } = vectors.coins;
  const coins = quil.coinsScan({ genesis, phrase: vectors.keys.phrase, home: hex(home), records: records.map(hex) });
  const plain = coins.map((c) => ({
    position: c.position, id: text(c.id), amount: String(c.amount), nullifier: text(c.nullifier),
  }));
  assert.deepEqual(plain, found);
});

test('a transfer has the bytes of the host', () => {
  const t = vectors.transfer;
  const request = {
    random: hex(t.random), genesis, phrase: vectors.keys.phrase, home: hex(vectors.coins.home), now: BigInt(t.now),
    version: t.version, multiplier: BigInt(t.multiplier), tip: BigInt(t.tip),
    coins: t.coins.map((i) => hex(vectors.coins.records[i])), payments: [{ to: t.to, amount: BigInt(t.amount) }],
  };
  const built = quil.transferBuild(request);
  assert.equal(text(built.tx), t.tx);
  assert.deepEqual([built.fee, built.change], [BigInt(t.fee), BigInt(t.change)]);
  assert.deepEqual(built.spent.map(text), t.spent);
  assert.equal(text(built.bundle), t.bundle);
  assert.throws(() => quil.transferBuild({ ...request, coins: [hex(vectors.coins.records[1])] }), refused(15));
  assert.throws(() => quil.transferBuild({ ...request, payments: [] }), refused(16));
  assert.throws(() => quil.transferBuild({ ...request, payments: [{ to: t.to, amount: 2n ** 64n }] }), RangeError);
  assert.throws(() => quil.transferBuild({ ...request, payments: [{ to: t.to, amount: 2n ** 64n - 1n }] }), refused(14));
});
