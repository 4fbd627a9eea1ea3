import { defineStore } from 'pinia';
import { computed, shallowRef, watch } from 'vue';
import { useRouter } from 'vue-router';
import type { Alarm } from '../api/types.ts';
import { pick, t } from '../words/words.ts';
import { byNeed } from './alarm.ts';
import { useAlarms } from './alarms.ts';
import { useNotices } from './notices.ts';
import { useSession } from './session.ts';
import { useSound } from './sound.ts';
import { fallSilent, sayAloud } from './voice.ts';

/** As long as it rings it is said again, ms. */
const AGAIN_MS = 15_000;
/** What has been begun is said to its end before what came meanwhile, ms. */
const SAYING_MS = 6_000;
/** So many are said one by one; a list of fifty is not listened to. */
const SAID = 3;
/** A name may be long; what is said has to end, characters. */
const LONGEST = 60;

/**
 * What calls a person to a level-1 alarm, on whichever view they are: takes the screen, is said aloud, notifies. It
 * stops when it is acknowledged, by whomever. Drills and what is told late summon nobody.
 */
export const useSummons = defineStore('summons', () => {
  const alarms = useAlarms();
  const session = useSession();
  const notices = useNotices();
  const sound = useSound();
  const router = useRouter();
  /** Put aside by somebody who wants to look at something first; the next one takes the screen again. */
  const folded = shallowRef(false);
  const told = new Set<string>();
  let again: ReturnType<typeof setTimeout> | undefined;
  let saidAt = Number.NEGATIVE_INFINITY;

  /** Those that ring, whose time runs out first on top; one that comes later comes below. */
  const ringing = computed(() => {
    const found: Alarm[] = [];
    for (const id of alarms.ringing) {
      const alarm = alarms.get(id);
      if (alarm !== null) found.push(alarm);
    }
    return found.sort(byNeed(session.vocabulary?.levels ?? {}));
  });
  const showing = computed(() => ringing.value.length > 0 && !folded.value);

  const nameOf = ({ category }: Alarm): string => pick(session.vocabulary?.categories[category], category);
  const placeOf = ({ place, deviceName }: Alarm): string[] => [place.replaceAll('/', ' '), deviceName].filter(Boolean);

  /** Says it after `wait` ms, and then again and again until nothing rings. */
  function sayAfter(wait: number): void {
    clearTimeout(again);
    again = setTimeout(() => {
      say();
      sayAfter(AGAIN_MS);
    }, wait);
  }

  function say(): void {
    const { length } = ringing.value;
    if (length === 0) return;
    saidAt = performance.now();
    const each = ringing.value
      .slice(0, SAID)
      .map((alarm) => [nameOf(alarm), ...placeOf(alarm)].map((part) => part.slice(0, LONGEST)).join('，'));
    const rest = length > SAID ? [t('alarm.sayMore', { n: length - SAID })] : [];
    sayAloud([t('alarm.sayLevel1'), ...each, ...rest].join('。'));
  }

  function tellNew(ids: ReadonlySet<string>): void {
    for (const id of [...told].filter((one) => !ids.has(one))) {
      told.delete(id);
      void notices.withdraw(id);
    }
    const fresh = ringing.value.filter(({ id }) => !told.has(id));
    if (ids.size === 0) {
      clearTimeout(again);
      saidAt = Number.NEGATIVE_INFINITY;
      folded.value = false;
      fallSilent();
    }
    if (fresh.length === 0) return;
    folded.value = false;
    for (const alarm of fresh) told.add(alarm.id);
    // In a flood a notice for each would be one on top of the other.
    for (const alarm of fresh.slice(0, Math.max(0, SAID - told.size + fresh.length))) {
      void notices.raise(alarm.id, `${t('alarm.level1')} · ${nameOf(alarm)}`, placeOf(alarm).join(' · '), () => {
        folded.value = false;
        void router.push('/');
      });
    }
    sayAfter(Math.max(0, saidAt + SAYING_MS - performance.now()));
  }

  watch(() => alarms.ringing, tellNew, { immediate: true });
  // Whoever opens the gate while it rings hears at once what it is about.
  watch(
    () => sound.on,
    (on) => {
      if (on) say();
    },
  );

  return { ringing, showing, folded };
});
