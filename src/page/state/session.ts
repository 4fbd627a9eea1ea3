import { defineStore } from 'pinia';
import { computed, shallowRef } from 'vue';
import { request } from '../api/request.ts';
import type { Person, Role, Vocabulary } from '../api/types.ts';
import { setZone } from '../words/time.ts';

const ORDER: readonly Role[] = ['viewer', 'operator', 'manager', 'admin'];

/** Who is signed in, what they may do, and the gateway's names and times for things. */
export const useSession = defineStore('session', () => {
  const person = shallowRef<Person | null>(null);
  const vocabulary = shallowRef<Vocabulary | null>(null);
  /** Ended by somebody or something else: whoever is at the page should be told. */
  const expired = shallowRef(false);
  /** Of their own accord; the gateway says so on its stream as well, perhaps before it answers. */
  let leaving = false;
  /** `false` until it is known whether anybody is signed in. */
  const known = shallowRef(false);

  const role = computed<Role>(() => person.value?.role ?? 'viewer');
  const may = (needed: Role): boolean => person.value !== null && ORDER.indexOf(role.value) >= ORDER.indexOf(needed);
  /** Everything but a new password waits. */
  const inside = computed(() => person.value !== null && !person.value.mustChangePassword && vocabulary.value !== null);

  async function enter(entered: Person | null): Promise<void> {
    if (entered !== null) setZone(entered.site.timezone);
    if (entered !== null && !entered.mustChangePassword) {
      vocabulary.value = await request<Vocabulary>('/api/vocabulary');
    }
    person.value = entered;
    known.value = true;
    if (entered !== null) expired.value = false;
  }

  /** Whether this browser is signed in already. @throws Refused */
  async function look(): Promise<void> {
    await enter((await request<{ person: Person | null }>('/api/session')).person);
  }

  /** @throws Refused */
  async function signIn(name: string, password: string): Promise<void> {
    await enter(await request<Person>('/api/login', { body: { name, password } }));
  }

  /** @throws Refused */
  async function changePassword(current: string, next: string): Promise<void> {
    await enter(await request<Person>('/api/password', { body: { current, next } }));
  }

  async function signOut(): Promise<void> {
    leaving = true;
    try {
      await request('/api/logout', { body: {} });
    } finally {
      leaving = false;
      leave();
    }
  }

  function leave(): void {
    person.value = null;
    vocabulary.value = null;
  }

  /** The gateway does not know the session any more. */
  function over(): void {
    expired.value ||= person.value !== null && !leaving;
    leave();
  }

  return { person, vocabulary, expired, known, role, may, inside, look, signIn, changePassword, signOut, over };
});
