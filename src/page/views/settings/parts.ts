import type { Component } from 'vue';
import type { Role } from '../../api/types.ts';
import AboutPart from './AboutPart.vue';
import AccountsPart from './AccountsPart.vue';
import AppearancePart from './AppearancePart.vue';
import AuditPart from './AuditPart.vue';
import BackupPart from './BackupPart.vue';
import BoxPart from './BoxPart.vue';
import CertificatesPart from './CertificatesPart.vue';
import LevelsPart from './LevelsPart.vue';
import QuietPart from './QuietPart.vue';
import RetentionPart from './RetentionPart.vue';
import RulesPart from './RulesPart.vue';
import type { SectionKey } from './types.ts';

export const GROUPS = ['duty', 'people', 'box', 'mine'] as const;

type PartKey =
  | 'levels'
  | 'rules'
  | 'quiet'
  | 'retention'
  | 'accounts'
  | 'audit'
  | 'box'
  | 'backup'
  | 'certificates'
  | 'about'
  | 'appearance';

interface Part {
  readonly key: PartKey;
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
  { key: 'audit', group: 'people', role: 'manager', view: AuditPart, sections: [] },
  { key: 'box', group: 'box', role: 'admin', view: BoxPart, sections: ['site', 'upstream'] },
  { key: 'backup', group: 'box', role: 'admin', view: BackupPart, sections: [] },
  { key: 'certificates', group: 'box', role: 'manager', view: CertificatesPart, sections: [] },
  { key: 'about', group: 'box', role: 'viewer', view: AboutPart, sections: [] },
  { key: 'appearance', group: 'mine', role: 'viewer', view: AppearancePart, sections: [] },
];

export const partOf = (key: string): Part | null => PARTS.find((one) => one.key === key) ?? null;
