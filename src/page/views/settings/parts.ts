import type { Component } from 'vue';
import type { Role } from '../../api/types.ts';
import AccountsPart from './AccountsPart.vue';
import AppearancePart from './AppearancePart.vue';
import LevelsPart from './LevelsPart.vue';
import QuietPart from './QuietPart.vue';
import RetentionPart from './RetentionPart.vue';
import RulesPart from './RulesPart.vue';
import type { SectionKey } from './types.ts';

export const GROUPS = ['duty', 'people', 'mine'] as const;

interface Part {
  readonly key: 'levels' | 'rules' | 'quiet' | 'retention' | 'accounts' | 'appearance';
  readonly group: (typeof GROUPS)[number];
  /** Least role that sees it. */
  readonly role: Role;
  readonly view: Component;
  /** What of the configuration is changed there. */
  readonly sections: readonly SectionKey[];
}

export const PARTS: readonly Part[] = [
  { key: 'levels', group: 'duty', role: 'manager', view: LevelsPart, sections: ['levels', 'escalation'] },
  { key: 'rules', group: 'duty', role: 'manager', view: RulesPart, sections: ['rules'] },
  { key: 'quiet', group: 'duty', role: 'manager', view: QuietPart, sections: ['quiet'] },
  { key: 'retention', group: 'duty', role: 'manager', view: RetentionPart, sections: ['retention'] },
  { key: 'accounts', group: 'people', role: 'admin', view: AccountsPart, sections: ['sessions'] },
  { key: 'appearance', group: 'mine', role: 'viewer', view: AppearancePart, sections: [] },
];

export const partOf = (key: string): Part | null => PARTS.find((one) => one.key === key) ?? null;
