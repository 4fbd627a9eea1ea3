import { resolveParams } from '../devices/binding.ts';
import { encodeCommand } from '../devices/encode.ts';
import { parseJson } from '../devices/json.ts';
import { parsePath, replaceAt } from '../devices/path.ts';
import { slotsOf, type TemplateSpec } from '../devices/template.ts';
import { bindTopic, parseTopic } from '../devices/topics.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { Played } from './fresh.ts';

/** A command as the device understood it. */
export interface Understood {
  readonly command: string;
  /** What its answer has to repeat; empty where the protocol has no message ids. */
  readonly messageId: string;
}

/** Which of its profile's commands a message to the device is; `null` for receipts and for what it does not know. */
export function understand(played: Played, topic: string, payload: string): Understood | null {
  const params = resolveParams(played.profile, played.device);
  for (const [name, command] of Object.entries(played.profile.commands)) {
    for (const [index, send] of command.send.entries()) {
      if (bindTopic(parseTopic(send.topic), params).filter !== topic) continue;
      if (typeof send.payload === 'string') {
        if (plainText(played, name, index) === payload) return { command: name, messageId: '' };
        continue;
      }
      const found = { messageId: '' };
      if (fits(send.payload, jsonOf(payload), found)) return { command: name, messageId: found.messageId };
    }
  }
  return null;
}

/** A command of plain words (`ON`, `OPEN`) as this device would be sent it; `null` when it needs arguments. */
function plainText(played: Played, name: string, index: number): string | null {
  try {
    return encodeCommand(played.profile, played.device, name, {}, '').messages[index]?.payload ?? null;
  } catch (thrown) {
    if (thrown instanceof QuanweiError && thrown.code === 'BAD_REQUEST') return null;
    throw thrown;
  }
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined; // not JSON: not one of the commands that are
  }
}

/** Whether a message could be made from the template: fixed parts equal, slots anything. */
function fits(template: TemplateSpec, value: unknown, found: { messageId: string }): boolean {
  if (typeof template === 'string') {
    const slots = slotsOf(template);
    if (slots.length === 0) return value === template;
    if (slots.some(({ path }) => path === '$messageId')) found.messageId = String(value);
    return true;
  }
  if (typeof template !== 'object' || template === null) return value === template;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(template).every(([key, part]) => {
    const held = (value as Record<string, unknown>)[key];
    return held === undefined
      ? typeof part === 'string' && slotsOf(part).length > 0
      : fits(part as TemplateSpec, held, found);
  });
}

/** Puts the command's message id where the profile reads it from. */
export function addressed(answer: string, replyTo: string | undefined, messageId: string): string {
  if (replyTo === undefined || messageId === '') return answer;
  const payload = jsonOf(answer);
  const [path] = parsePath(replyTo);
  if (typeof payload !== 'object' || payload === null || path === undefined) return answer;
  replaceAt(payload, replyTo, () => messageId);
  return JSON.stringify(payload);
}
