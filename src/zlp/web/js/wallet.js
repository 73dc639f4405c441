// Who signs: a wallet of the browser (EIP-6963, EIP-1193), the demo's own wallet, or an agent key kept here.

import { explained, post } from "./api.js";
import { toast } from "./dom.js";
import * as intents from "./intent.js";
import { emit, follow, kept, now, state } from "./store.js";

export const wallets = new Map();
let provider = null;
let kind = "";

/** Ask the browser's wallets to announce themselves. */
export function discover() {
  addEventListener("eip6963:announceProvider", (event) => {
    const { info, provider: found } = event.detail;
    wallets.set(info.uuid, { info, provider: found });
    emit("wallets");
    if (kept.get("wallet") === info.rdns && !state.account) resume(info, found);
  });
  dispatchEvent(new Event("eip6963:requestProvider"));
  if (kept.get("wallet") === "demo" && state.demo) useDemo();
}

async function resume(info, found) {
  const accounts = await found.request({ method: "eth_accounts" }).catch(() => []);
  if (accounts[0]) take(info, found, accounts[0]);
}

function take(info, found, account) {
  provider = found;
  kind = "injected";
  kept.set("wallet", info.rdns);
  follow(account.toLowerCase());
  found.on?.("accountsChanged", (accounts) => (accounts[0] ? follow(accounts[0].toLowerCase()) : disconnect()));
  emit("wallet");
}

/** Connect a wallet of the browser. */
export async function useWallet({ info, provider: found }) {
  try {
    const accounts = await found.request({ method: "eth_requestAccounts" });
    if (!accounts.length) throw new Error("The wallet shares no account");
    take(info, found, accounts[0]);
  } catch (fault) {
    throw new Error(refused(fault) ? "You declined to connect" : fault.message || "The wallet did not answer");
  }
}

/** The demo's wallet: a key made here, worth nothing anywhere else. Answers whether it is new. */
export function useDemo() {
  let key = kept.get("demo.key");
  const fresh = !key;
  if (fresh) kept.set("demo.key", (key = intents.newKey()));
  provider = null;
  kind = "demo";
  kept.set("wallet", "demo");
  follow(intents.addressOf(key));
  emit("wallet");
  return fresh;
}

export function disconnect() {
  provider = null;
  kind = "";
  kept.set("wallet", null);
  follow("");
  emit("wallet");
}

export const walletKind = () => kind;

const agentName = () => `agent.${state.venue.identity}.${state.account}`;

/** The agent key of this account kept in this browser, unless it has expired. */
export function agent() {
  if (!state.account) return null;
  const found = JSON.parse(kept.get(agentName()) || "null");
  return found && found.expires > now() + 5 ? found : null;
}

/** Make a key, have the account approve it, keep it. */
export async function approveAgent(scopes, hours) {
  const key = intents.newKey();
  const expires = Math.floor(now() + hours * 3600);
  const address = intents.addressOf(key);
  await send([{ type: "ApproveAgent", agent: address, scopes, expires: String(expires) }], { owner: true });
  kept.set(agentName(), JSON.stringify({ key, address, scopes, expires }));
  emit("wallet");
}

export async function revokeAgent() {
  const found = agent();
  if (!found) return;
  await send([{ type: "RevokeAgent", agent: found.address }], { owner: true });
  kept.set(agentName(), null);
  emit("wallet");
}

export function forgetAgent() {
  kept.set(agentName(), null);
  emit("wallet");
}

const SCOPES = {
  transfer: ["Transfer", "RequestWithdrawal", "Faucet", "RemoveMargin", "TransferTradingAccount", "MintSoulbound", "JoinEpoch", "ClaimEpoch"],
  liquidity: ["Mint", "Burn", "Donate", "StakeShares", "UnstakeShares", "SetAutomaticStaking", "ClaimStreams", "StartVesting", "ClaimVested", "LeaveVesting", "RequestRedemption", "RedeemShares", "CancelRedemption", "StakeVaultShares", "UnstakeVaultShares", "ClaimVaultRewards"],
  govern: ["ApproveAgent", "RevokeAgent", "Propose", "Approve"],
};

/** Which approval a command needs: the carried action's too. */
function scopes(command) {
  const own = Object.keys(SCOPES).find((scope) => SCOPES[scope].includes(command.type)) || "trade";
  return command.action ? [own, ...scopes(JSON.parse(command.action))] : [own];
}

const refused = (fault) => fault?.code === 4001 || /reject|denied|declin/i.test(fault?.message || "");

async function signature(intent, owner) {
  const identity = state.venue.identity;
  const commands = intent.commands.map((command) => JSON.parse(command));
  const helper = owner ? null : agent();
  if (helper && commands.flatMap(scopes).every((scope) => helper.scopes.includes(scope))) {
    return intents.signDigest(intents.digest(identity, intent), helper.key);
  }
  if (kind === "demo") return intents.signDigest(intents.digest(identity, intent), kept.get("demo.key"));
  if (!provider) throw new Error("Connect a wallet first");
  const data = JSON.stringify(intents.typedData(identity, intent));
  try {
    return intents.normal(await provider.request({ method: "eth_signTypedData_v4", params: [state.account, data] }));
  } catch (fault) {
    throw new Error(refused(fault) ? "You declined to sign; nothing was sent" : fault.message || "The wallet did not sign");
  }
}

/**
 * Sign commands and send them in order. Answers their receipts; a rejection is thrown as a sentence.
 * Repeating is safe (an intent is done once at most), so a lost answer is asked for again with the same bytes.
 */
export async function send(commands, { owner = false } = {}) {
  if (!state.account) throw new Error("Connect a wallet first");
  const intent = {
    account: state.account,
    commands: commands.map(intents.wire),
    nonce: intents.nonce(now() * 1000),
    deadline: String(Math.floor(now() + 60)),
    clientId: "",
  };
  const sent = intents.body(intent, await signature(intent, owner));
  const answer = await repeated(() => post("/v1/commands", sent));
  const rejection = answer.receipts.find((receipt) => receipt.rejection)?.rejection;
  if (rejection) throw new Error(explained(rejection));
  return answer.receipts;
}

async function repeated(work, tries = 3) {
  try {
    return await work();
  } catch (fault) {
    if (tries <= 1 || ![0, 429, 503].includes(fault.status)) throw fault;
    await new Promise((done) => setTimeout(done, 700));
    return repeated(work, tries - 1);
  }
}

/** Test tokens, where the venue's faucet is open: about a hundred thousand dollars of each. */
export async function faucet() {
  const commands = [];
  for (const token of state.tokens.values()) {
    if (!token.transferable || token.faucet_limit === "0" || state.desk.pools.some((pool) => pool.share === token.symbol)) continue;
    const one = 10n ** BigInt(token.decimals);
    const row = state.prices.get(state.backing.get(token.symbol) || token.symbol) || state.prices.get(token.symbol.replace(/^W/, ""));
    const price = BigInt(row?.low_e30 || 10n ** 30n);
    const wanted = (100000n * 10n ** 30n * one) / price;
    const limit = BigInt(token.faucet_limit);
    commands.push({ type: "Faucet", token: token.symbol, amount: String(wanted < limit ? wanted : limit) });
  }
  await send(commands);
  toast(`Received test tokens: ${commands.map((command) => command.token).join(", ")}`, "good");
}
