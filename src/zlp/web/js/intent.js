// The signed message (EIP-712): the exact JSON text of the commands, signed as it is sent and journalled.

import { hmac } from "../vendor/noble/hmac.js";
import * as secp from "../vendor/noble/secp256k1.js";
import { sha256 } from "../vendor/noble/sha2.js";
import { keccak_256 } from "../vendor/noble/sha3.js";

secp.etc.hmacSha256Sync = (key, ...messages) => hmac(sha256, key, secp.etc.concatBytes(...messages));

const encoder = new TextEncoder();
const utf8 = (value) => encoder.encode(value);
const keccak = (bytes) => keccak_256(bytes);
const hex = (bytes) => secp.etc.bytesToHex(bytes);
const bytes = (value) => secp.etc.hexToBytes(value.replace(/^0x/, ""));
const join = (...parts) => secp.etc.concatBytes(...parts);
const word = (value) => bytes(BigInt(value).toString(16).padStart(64, "0"));

const INTENT = "Intent(address account,string[] commands,uint256 nonce,uint256 deadline,string clientId)";
const DOMAIN = "EIP712Domain(string name,string version)";
const FIELDS = [
  { name: "account", type: "address" },
  { name: "commands", type: "string[]" },
  { name: "nonce", type: "uint256" },
  { name: "deadline", type: "uint256" },
  { name: "clientId", type: "string" },
];

/** Commands as text: every integer a decimal string already, BigInts made so. */
export const wire = (command) => JSON.stringify(command, (_, value) => (typeof value === "bigint" ? value.toString() : value));

let last = 0n;

/** A nonce: milliseconds, never the same twice. */
export function nonce(milliseconds) {
  const next = BigInt(Math.floor(milliseconds));
  last = next > last ? next : last + 1n;
  return last.toString();
}

/** The 32 bytes that are signed for the venue called `identity`. */
export function digest(identity, intent) {
  const separator = keccak(join(keccak(utf8(DOMAIN)), keccak(utf8(identity)), keccak(utf8("1"))));
  const commands = intent.commands.map((command) => keccak(utf8(command)));
  const body = join(
    keccak(utf8(INTENT)),
    new Uint8Array(12),
    bytes(intent.account),
    keccak(join(new Uint8Array(0), ...commands)),
    word(intent.nonce),
    word(intent.deadline),
    keccak(utf8(intent.clientId)),
  );
  return keccak(join(new Uint8Array([0x19, 0x01]), separator, keccak(body)));
}

/** The same as wallets take it. */
export function typedData(identity, intent) {
  return {
    types: {
      EIP712Domain: [{ name: "name", type: "string" }, { name: "version", type: "string" }],
      Intent: FIELDS,
    },
    primaryType: "Intent",
    domain: { name: identity, version: "1" },
    message: intent,
  };
}

/** 65 bytes as 0x text, v 27 or 28, lower s. */
export function signDigest(hash, key) {
  const signature = secp.sign(hash, bytes(key), { lowS: true });
  return `0x${signature.toCompactHex()}${(27 + signature.recovery).toString(16)}`;
}

/** What a wallet gave, in the one form the venue takes. */
export function normal(signature) {
  const v = parseInt(signature.slice(130), 16);
  return signature.slice(0, 130) + (v < 27 ? v + 27 : v).toString(16);
}

export const newKey = () => hex(secp.utils.randomPrivateKey());

export const addressOf = (key) => `0x${hex(keccak(secp.getPublicKey(bytes(key), false).slice(1)).slice(12))}`;

/** The request's body, made of the signed texts themselves. */
export function body(intent, signature) {
  const rest = { nonce: intent.nonce, deadline: intent.deadline, client_id: intent.clientId, signature };
  return `{"account":${JSON.stringify(intent.account)},"commands":[${intent.commands.join(",")}],${JSON.stringify(rest).slice(1)}`;
}
